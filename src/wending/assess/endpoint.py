"""A client of any OpenAI-compatible endpoint that records when each piece of an answer arrived.

It knows nothing of scenarios or of our own service. Times are `time.monotonic()` seconds of this process.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from ssl import SSLError
from types import SimpleNamespace, TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.chat_answer import ChatAnswer
from wending.assess.chat_events import (
    check_finished,
    connection_lost,
    excerpt,
    not_a_stream,
    status_error,
    take_event,
    timed_out,
)
from wending.assess.endpoint_errors import BadStatus, EndpointError, ProtocolError, Unreachable
from wending.assess.sockets import reason
from wending.assess.sse import EventSplitter
from wending.assess.tls import tls_failure, trust

Message = Mapping[str, Any]

CONNECT_TIMEOUT = 10.0
"""Seconds to open a connection."""
SILENCE_TIMEOUT = 120.0
"""Seconds without a byte after which an answer is given up."""
ANSWER_TIMEOUT = 900.0
"""Seconds that one whole answer may take."""

# Fields that some endpoints refuse and that the assessment can do without; tried, then left out and reported.
_OPTIONAL_FIELDS = ("stream_options", "seed")
# And one that newer models of OpenAI know by another name only.
_RENAMED_FIELDS = {"max_tokens": "max_completion_tokens"}

PATIENCE_S = 120.0
"""How long a request that is turned away for want of room is sent again, when the endpoint asks for it."""
_SHORTEST_WAIT_S = 0.5


def normalize_base_url(url: str) -> str:
    """The base URL with its version segment and without a trailing slash: http://host:8000 -> http://host:8000/v1.

    A URL whose last segment is a version (/v1, /api/v4) is kept; a full .../chat/completions is cut back to
    its base. Raises ValueError for anything that is not a plain http(s) URL.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            Bilingual(f"{url!r} is not an http:// or https:// URL", f"{url!r} 不是 http:// 或 https:// 地址")
        )
    try:
        parts.port  # noqa: B018 - reading it is what finds a wrong one
    except ValueError as error:
        raise ValueError(Bilingual(f"{url!r}: {error}", f"{url!r}：端口应为 0 到 65535 的整数")) from None
    if parts.query or parts.fragment:
        raise ValueError(
            Bilingual(
                f"{url!r}: a base URL has no query and no fragment", f"{url!r}：服务地址不应带查询或片段"
            )
        )
    if parts.username or parts.password:
        raise ValueError(
            Bilingual(
                "give the key with --api-key or OPENAI_API_KEY, not inside the URL",
                "密钥请用 --api-key 或 OPENAI_API_KEY 给出，不要写在地址里",
            )
        )
    path = re.sub(r"(/chat)?/completions$", "", parts.path.rstrip("/")).rstrip("/")
    if not re.search(r"/v\d+\w*$", path):
        path += "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}"


class EndpointClient:
    """One endpoint, one model. Use as an async context manager."""

    def __init__(self, base_url: str, *, api_key: str | None = None, model: str | None = None) -> None:
        self.base_url = normalize_base_url(base_url)
        self.model = model
        self.refused_fields: dict[str, str] = {}
        """Request fields that the endpoint refused and that are left out or renamed, with what it said."""
        self.on_content: Callable[[float], None] | None = None
        """Hears the time of each piece that brought content, of whichever answer, while answers run."""
        self.sent_again = 0
        """Requests sent once more, since the endpoint had closed the connection kept from before."""
        self.turned_away = 0
        """Requests sent once more after the time that the endpoint had named in Retry-After."""
        self.has_reasoning = False
        """Whether an answer showed that the model reasons before it answers."""
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._session: aiohttp.ClientSession | None = None
        self._unkept_session: aiohttp.ClientSession | None = None
        self._usage_works = False
        self._answers = 0
        self._taken: set[str] = set()
        """Fields of requests that were answered."""

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries: the key, if there is one."""
        return dict(self._headers)

    @property
    def usage_missing(self) -> bool:
        """True when answers came without token counts, so that events had to stand for tokens."""
        return self._answers > 0 and not self._usage_works

    @property
    def has_answered(self) -> bool:
        return self._answers > 0

    async def __aenter__(self) -> EndpointClient:
        self._session = self._new_session(keep=True)
        self._unkept_session = self._new_session(keep=False)
        return self

    def _new_session(self, *, keep: bool) -> aiohttp.ClientSession:
        """`keep`: whether connections serve for later requests."""
        parts = urlsplit(self.base_url)
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, force_close=not keep, ssl=trust() if parts.scheme == "https" else True
            ),
            timeout=aiohttp.ClientTimeout(
                total=ANSWER_TIMEOUT, sock_connect=CONNECT_TIMEOUT, sock_read=SILENCE_TIMEOUT
            ),
            # Compression holds events back, and with them the times.
            headers={"Accept-Encoding": "identity"} | self._headers,
            read_bufsize=1 << 20,
            # A proxy from the environment is for the world outside, never for this machine.
            trust_env=parts.hostname not in ("127.0.0.1", "localhost", "::1"),
            trace_configs=[trace],
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in (self._session, self._unkept_session):
            if session is not None:
                await session.close()
        self._session = self._unkept_session = None

    async def list_models(self) -> list[str]:
        """Names from GET /models. Raises EndpointError."""
        return [str(entry["id"]) for entry in await self.model_entries()]

    async def model_entries(self) -> list[Mapping[str, Any]]:
        """The list of GET /models, each entry with its `id` and what else the endpoint says of it. Raises
        EndpointError."""
        async with self._request("GET", "/models", None) as response:
            body = await response.read()
        try:
            entries = list(orjson.loads(body)["data"])
            for entry in entries:
                entry["id"]
            return entries
        except (ValueError, KeyError, TypeError):
            url, found = f"{self.base_url}/models", excerpt(body)
            raise ProtocolError(
                Bilingual(
                    f"GET {url} did not answer with a model list: {found}",
                    f"GET {url} 没有返回模型列表：{found}",
                )
            ) from None

    async def resolve_model(self) -> str:
        """The model given, otherwise the first that the endpoint lists. Raises EndpointError."""
        if self.model is None:
            try:
                names = await self.list_models()
            except (BadStatus, ProtocolError) as error:
                raise _with_hint(error) from None
            if not names:
                raise ProtocolError(
                    Bilingual(
                        "the endpoint lists no model; name one with --model",
                        "服务没有列出任何模型；请用 --model 指定",
                    )
                )
            self.model = names[0]
        return self.model

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
        fields: Mapping[str, Any] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> ChatAnswer:
        """One streamed chat completion with its times; ``fields`` are sent beside. Raises EndpointError.

        When the endpoint turns it away for now (429 or 503 with Retry-After) it is sent again at the time
        named, as long as that is within ``patience_s`` seconds from the start; 0 for who measures just that.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
            **(fields or {}),
        }
        patient_until = time.monotonic() + patience_s
        while True:
            try:
                return await self._ask(body)
            except BadStatus as error:
                if error.status not in (429, 503) or error.retry_after_s is None:
                    raise
                wait_s = max(error.retry_after_s, _SHORTEST_WAIT_S)
                if time.monotonic() + wait_s > patient_until:
                    raise
            self.turned_away += 1
            await asyncio.sleep(wait_s)

    def as_taken(self, body: Mapping[str, Any], refused: Iterable[str] = ()) -> dict[str, Any]:
        """The body as this endpoint takes it, as far as that is known: without the fields that it refuses, or
        with their other names. `refused` are further ones."""
        taken = dict(body)
        for field in (*self.refused_fields, *refused):
            if field in taken:
                value = taken.pop(field)
                if field in _RENAMED_FIELDS:
                    taken[_RENAMED_FIELDS[field]] = value
        return taken

    async def _ask(self, body: Mapping[str, Any]) -> ChatAnswer:
        """Leaves out one field after the other, until the endpoint answers or no field can be the reason."""
        found: dict[str, str] = {}
        while True:
            sent = self.as_taken(body, found)
            try:
                answer = await self._stream(sent)
                break
            except BadStatus as error:
                field = self._field_to_leave_out(error, sent)
                if field is None:
                    raise
                found[field] = error.message
        self.refused_fields |= found
        self._taken |= sent.keys()
        self._answers += 1
        self._usage_works = self._usage_works or answer.usage_tokens is not None
        self.has_reasoning = self.has_reasoning or answer.has_reasoning
        return answer

    def _field_to_leave_out(self, error: BadStatus, sent: Mapping[str, Any]) -> str | None:
        """The field that was probably refused: the one named, else an optional one that never was taken."""
        if error.status not in (400, 422):
            return None
        named = [field for field in _OPTIONAL_FIELDS if field in error.message]
        # Refusals of too long an answer name this field, too; there its value is the reason.
        named += [field for field in _RENAMED_FIELDS if field in error.message and field not in self._taken]
        untried = [field for field in _OPTIONAL_FIELDS if field not in self._taken]
        return next((field for field in (*named, *untried) if field in sent), None)

    async def _stream(self, body: Mapping[str, Any]) -> ChatAnswer:
        answer = ChatAnswer(sent=time.monotonic())
        splitter = EventSplitter()
        async with self._request("POST", "/chat/completions", body, answer) as response:
            if response.content_type == "application/json":
                raise not_a_stream(await response.read())
            async for piece in response.content.iter_any():
                now = time.monotonic()
                pieces_before = len(answer.content_times)
                for event in splitter.feed(piece):
                    take_event(answer, event, now)
                if self.on_content is not None and len(answer.content_times) > pieces_before:
                    self.on_content(now)
            for event in splitter.finish():
                take_event(answer, event, time.monotonic())
        check_finished(answer)
        return answer

    async def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """The response, of which the head is there.

        Any server may close a connection that it had kept, in the very moment in which the next request is
        sent (RFC 9112, 9.3.1). Such a request was never looked at, and goes out again on a new connection.
        """
        if self._session is None or self._unkept_session is None:
            raise RuntimeError("EndpointClient is used as an async context manager")
        connection = SimpleNamespace(reused=False)
        try:
            return await self._session.request(
                method, url, data=data, headers=headers, trace_request_ctx=connection
            )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not connection.reused:
                raise
        self.sent_again += 1
        return await self._unkept_session.request(
            method, url, data=data, headers=headers, trace_request_ctx=connection
        )

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, answer: ChatAnswer | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Sends a request, turns bad statuses and the network's failures into an EndpointError.

        `answer` is what the caller fills from the response: the error says how much of it had come.
        """
        url = self.base_url + path
        data = None if body is None else orjson.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        has_begun = False
        try:
            async with await self._send(method, url, data, headers) as response:
                has_begun = True
                if response.status != 200:
                    raise status_error(
                        response.status,
                        await response.read(),
                        key_given=bool(self._headers),
                        url=url,
                        retry_after=response.headers.get("Retry-After"),
                    )
                yield response
        except aiohttp.ConnectionTimeoutError:
            raise _unreachable(url, f"no connection within {CONNECT_TIMEOUT:g} s") from None
        except TimeoutError:
            raise timed_out(answer) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(url, error, answer, has_begun=has_begun) from None


def _failed(
    url: str, error: aiohttp.ClientError | OSError, answer: ChatAnswer | None, *, has_begun: bool
) -> EndpointError:
    """What a failure of the network means; `has_begun`: the head of the answer was there."""
    if isinstance(error.__cause__, SSLError):
        return tls_failure(url, error.__cause__)
    why = _reason(error)
    elsewhere = (aiohttp.ClientHttpProxyError, aiohttp.TooManyRedirects)
    if isinstance(error, aiohttp.ClientResponseError) and not isinstance(error, elsewhere):
        return ProtocolError(Bilingual(f"{url} does not speak HTTP: {why}", f"{url} 不符合 HTTP：{why}"))
    was_open = isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError))
    if has_begun or (was_open and not isinstance(error, aiohttp.ClientConnectorError)):
        return connection_lost(why, answer, has_begun=has_begun)
    return _unreachable(url, why)


def _reason(error: aiohttp.ClientError | OSError) -> str:
    """In the system's words where the library adds its own, such as "ssl:default" for a plain connection."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return reason(error.os_error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return Bilingual("its body is not complete", "正文不完整")
    return str(error) or type(error).__name__


def _unreachable(url: str, why: str) -> Unreachable:
    return Unreachable(Bilingual(f"{url} cannot be reached: {why}", f"无法连接 {url}：{why}"))


async def _note_reuse(_session: aiohttp.ClientSession, context: Any, _params: object) -> None:
    """For aiohttp's tracing: the request goes over a connection that served others before."""
    context.trace_request_ctx.reused = True


def _with_hint(error: BadStatus | ProtocolError) -> EndpointError:
    hint = Bilingual("; name the model with --model", "；请用 --model 指定模型")
    if isinstance(error, BadStatus):
        message = Bilingual(error.message + hint, chinese(error.message) + hint.zh)
        return BadStatus(error.status, message, url=error.url)
    return ProtocolError(Bilingual(error.words + hint, chinese(error.words) + hint.zh))
