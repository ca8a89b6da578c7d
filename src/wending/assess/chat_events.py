"""What the events and the refusals of a chat completion say, for whichever client received them."""

from __future__ import annotations

from typing import Any

import orjson

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import (
    BadStatus,
    ConnectionReset,
    CutOff,
    EndpointError,
    EndpointTimeout,
    ProtocolError,
    Unauthorized,
)
from wending.assess.retry_after import retry_after_s

WRONG_PLACE = (404, 405, 410)
"""Statuses by which a server says that there is no such thing under this URL."""

_REASONING_FIELDS = ("reasoning_content", "reasoning")
"""What servers call the text of a model that reasons before it answers."""


def take_event(answer: ChatAnswer, data: bytes, now: float) -> None:
    """Adds one event of a stream, which arrived at `now`. Raises ProtocolError and BadStatus."""
    if data.strip() == b"[DONE]":
        return
    try:
        chunk = _parsed(data)
    except ValueError:
        found = excerpt(data)
        raise ProtocolError(
            Bilingual(f"a stream event is not JSON: {found}", f"流事件不是 JSON：{found}")
        ) from None
    if not isinstance(chunk, dict):
        found = excerpt(data)
        raise ProtocolError(
            Bilingual(f"a stream event is not an object: {found}", f"流事件不是对象：{found}")
        )
    if chunk.get("error"):
        raise BadStatus(200, error_message(data))
    usage = chunk.get("usage")
    if isinstance(usage, dict) and isinstance(usage.get("completion_tokens"), int):
        answer.usage_tokens = usage["completion_tokens"]
        prompt_tokens = usage.get("prompt_tokens")
        answer.prompt_tokens = prompt_tokens if isinstance(prompt_tokens, int) else None
        details = usage.get("completion_tokens_details")
        if isinstance(details, dict) and isinstance(details.get("reasoning_tokens"), int):
            answer.reasoning_tokens = details["reasoning_tokens"]
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        found = excerpt(data)
        raise ProtocolError(
            Bilingual(f"a stream event has no choices: {found}", f"流事件没有 choices：{found}")
        )
    # The last event brings the usage alone; Azure's first one brings what its filter thinks of the prompt.
    if not choices:
        return
    try:
        delta = choices[0].get("delta") or {}
        content, finish_reason = delta.get("content"), choices[0].get("finish_reason")
        reasoning = any(delta.get(name) for name in _REASONING_FIELDS)
    except AttributeError:
        found = excerpt(data)
        raise ProtocolError(
            Bilingual(
                f"a choice of a stream event is not an object: {found}",
                f"流事件中的 choice 不是对象：{found}",
            )
        ) from None
    # The first chunk of many servers carries a role and an empty string: it is no token, and no first token.
    if reasoning and answer.reasoning_began is None:
        answer.reasoning_began = now
    if content:
        answer.add_content(str(content), now)
    if finish_reason == "error":
        raise BadStatus(200, "finish_reason is 'error'")
    if finish_reason is not None and answer.finish_reason is None:
        answer.finish_reason = str(finish_reason)
        answer.ended = now


def _parsed(data: bytes) -> Any:
    """Raises ValueError. Bytes that are no UTF-8, as of a character that was cut at a token's end, become
    U+FFFD, as for every reader of event streams (HTML Standard, 9.2.6)."""
    try:
        return orjson.loads(data)
    except ValueError:
        return orjson.loads(data.decode("utf-8", "replace"))


def check_finished(answer: ChatAnswer) -> None:
    """Raises CutOff for a stream that is over although it never said so."""
    if answer.finish_reason is None:
        count = len(answer.text)
        raise CutOff(
            Bilingual(
                f"the stream ended without a finish_reason after {count} characters",
                f"流在 {count} 个字符后结束，没有 finish_reason",
            )
        )


def timed_out(answer: ChatAnswer | None = None) -> EndpointTimeout:
    """The error of a request after which nothing came for too long; `answer` holds what had come before."""
    if answer is None or not answer.text:
        return EndpointTimeout(Bilingual("the endpoint did not answer in time", "服务未按时应答"))
    count = len(answer.text)
    return EndpointTimeout(
        Bilingual(
            f"the endpoint went silent after {count} characters of an answer",
            f"服务在回答 {count} 个字符后停止发送",
        )
    )


def connection_lost(why: str, answer: ChatAnswer | None, *, has_begun: bool) -> EndpointError:
    """The error of a lost connection. `has_begun`: something of the answer had come."""
    if not has_begun:
        return ConnectionReset(
            Bilingual(
                f"the connection was lost before any answer: {why}",
                f"连接在应答之前断开：{chinese(why)}",
            )
        )
    count = 0 if answer is None else len(answer.text)
    return CutOff(
        Bilingual(
            f"the connection was lost in the middle of an answer, after {count} characters: {why}",
            f"连接在回答途中断开（已收到 {count} 个字符）：{chinese(why)}",
        )
    )


def not_a_stream(body: bytes) -> ProtocolError:
    """The error of a streaming request that was answered in one piece."""
    found = excerpt(body)
    return ProtocolError(
        Bilingual(
            f"a streaming request was answered with a whole JSON body: {found}",
            f"流式请求得到的是整段 JSON：{found}",
        )
    )


def status_error(
    status: int, body: bytes, *, key_given: bool, url: str, retry_after: str | None
) -> EndpointError:
    """The error of an answer whose status is not 200; `retry_after` is its header of that name."""
    message = error_message(body)
    if status in (401, 403):
        if key_given:
            hint = Bilingual("the key was refused", "密钥被拒绝")
        else:
            hint = Bilingual(
                "it wants a key: give --api-key or set OPENAI_API_KEY",
                "需要密钥：请给出 --api-key 或设置 OPENAI_API_KEY",
            )
        return Unauthorized(
            Bilingual(
                f"the endpoint answered with HTTP {status} ({hint}): {message}",
                f"服务返回 HTTP {status}（{hint.zh}）：{message}",
            )
        )
    return BadStatus(
        status,
        message,
        url=url if status in WRONG_PLACE else None,
        retry_after_s=retry_after_s(retry_after),
    )


def error_message(body: bytes) -> str:
    """The server's own words, from any of the usual shapes of an error body."""
    try:
        parsed = orjson.loads(body)
    except ValueError:
        return excerpt(body)
    for key in ("error", "message", "detail"):
        if isinstance(parsed, dict) and parsed.get(key):
            parsed = parsed[key]
    return parsed if isinstance(parsed, str) else excerpt(orjson.dumps(parsed))


def excerpt(body: bytes, length: int = 200) -> str:
    text = " ".join(body.decode("utf-8", "replace").split())
    return (text[:length] + "…" if len(text) > length else text) or "(empty)"
