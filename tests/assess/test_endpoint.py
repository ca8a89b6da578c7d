"""The endpoint client against an endpoint that behaves, and against ones that do not."""

from __future__ import annotations

import asyncio
import json
import re
import socket

import pytest
from tests.assess.scripted_endpoint import Reply, Request, ScriptedEndpoint

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint import EndpointClient, normalize_base_url
from wending.assess.endpoint_errors import (
    BadStatus,
    ConnectionReset,
    CutOff,
    EndpointTimeout,
    ProtocolError,
    Unauthorized,
    Unreachable,
)
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.script import Failures


async def ask(endpoint: ScriptedEndpoint, *, api_key: str | None = None) -> tuple[ChatAnswer, EndpointClient]:
    async with EndpointClient(endpoint.url, api_key=api_key) as client:
        await client.resolve_model()
        answer = await client.chat(
            [{"role": "user", "content": "How many hours?"}],
            max_tokens=20,
            temperature=0.7,
            top_p=0.9,
            seed=3,
        )
        return answer, client


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://host/compatible-mode/v1", "https://host/compatible-mode/v1"),
        ("https://host/api/paas/v4/", "https://host/api/paas/v4"),
        ("https://host/v1/chat/completions", "https://host/v1"),
        ("https://host/proxy", "https://host/proxy/v1"),
    ],
)
def test_base_urls_are_understood_with_and_without_version(given: str, normal: str) -> None:
    assert normalize_base_url(given) == normal


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://host/v1", "http://", "http://user:key@host/v1", "http://host/v1?key=1"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        normalize_base_url(url)


async def test_an_answer_carries_text_tokens_and_end() -> None:
    with ScriptedEndpoint(lambda request: Reply(("Ant", "wort：", "5"), usage_tokens=4)) as endpoint:
        answer, client = await ask(endpoint)
    assert answer.text == "Antwort：5"
    assert answer.finish_reason == "stop"
    assert (answer.tokens, answer.prompt_tokens) == (4, 7)
    assert not client.usage_missing
    sent = endpoint.served[0].request
    assert (sent["model"], sent["seed"], sent["max_tokens"]) == ("scripted-model", 3, 20)
    assert (sent["temperature"], sent["top_p"], sent["stream"]) == (0.7, 0.9, True)


async def test_the_first_token_is_the_first_content_and_not_the_role_chunk() -> None:
    with ScriptedEndpoint(lambda request: Reply(("a",) * 9, first_delay=0.4, gap=0.03)) as endpoint:
        answer, _ = await ask(endpoint)
    served = endpoint.served[0]
    assert served.first_piece is not None
    assert served.last_piece is not None
    assert answer.ttft_s is not None
    assert answer.tpot_s is not None
    # Both clocks are the same machine's: the client sees a piece after it was sent; the upper bounds are
    # wide.
    assert answer.ttft_s >= 0.4
    assert 0 <= answer.content_times[0] - served.first_piece < 1
    assert len(answer.content_times) == 9
    assert answer.tpot_s == pytest.approx((served.last_piece - served.first_piece) / 8, abs=0.1)


async def test_an_answer_of_a_few_tokens_has_no_speed() -> None:
    with ScriptedEndpoint(lambda request: Reply(("one", "two"))) as endpoint:
        answer, _ = await ask(endpoint)
    assert answer.ttft_s is not None
    assert answer.tokens_per_s is None


async def test_without_usage_the_events_are_counted() -> None:
    with ScriptedEndpoint(lambda request: Reply(usage=False)) as endpoint:
        answer, client = await ask(endpoint)
    assert answer.tokens == 3
    assert client.usage_missing


@pytest.mark.parametrize("message", ["Unrecognized field: stream_options", "Extra inputs are not permitted"])
async def test_a_refused_usage_request_is_left_out_from_then_on(message: str) -> None:
    def script(request: Request) -> Reply:
        refused = "stream_options" in request
        return Reply(status=400, error={"error": {"message": message}}) if refused else Reply()

    with ScriptedEndpoint(script) as endpoint:
        async with EndpointClient(endpoint.url) as client:
            for seed in range(2):
                answer = await client.chat([], max_tokens=5, temperature=0, top_p=1, seed=seed)
                assert answer.tokens == 3
    assert client.refused_fields == {"stream_options": message}
    assert ["stream_options" in served.request for served in endpoint.served] == [True, False, False]


async def test_another_refusal_is_not_blamed_on_an_optional_field() -> None:
    refusal = Reply(status=400, error={"error": {"message": "prompt of 9000 tokens exceeds 2048"}})
    with (
        ScriptedEndpoint(lambda request: refusal) as endpoint,
        pytest.raises(BadStatus, match="9000") as raised,
    ):
        await ask(endpoint)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"error": {"message": "engine is dead"}}, "engine is dead"),
        ({"error": "engine is dead"}, "engine is dead"),
        ({"detail": "engine is dead"}, "engine is dead"),
        ("<h1>Bad gateway</h1>", "<h1>Bad gateway</h1>"),
    ],
)
async def test_a_server_error_carries_the_servers_words(error: object, message: str) -> None:
    reply = Reply(status=500, error=error)
    with ScriptedEndpoint(lambda request: reply) as endpoint, pytest.raises(BadStatus) as raised:
        await ask(endpoint)
    assert raised.value.message == message
    assert "HTTP 500" in str(raised.value)


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_a_refused_key_says_what_to_do(key: str | None) -> None:
    with ScriptedEndpoint(key="right") as endpoint, pytest.raises(Unauthorized) as raised:
        await ask(endpoint, api_key=key)
    assert ("--api-key" in str(raised.value)) == (key is None)
    assert "wrong" not in str(raised.value)


async def test_a_good_key_is_sent() -> None:
    with ScriptedEndpoint(key="right") as endpoint:
        answer, _ = await ask(endpoint, api_key="right")
    assert answer.text == "Answer: 5"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"data: hello\n\n", "not JSON"),
        (b'data: {"id": 1}\n\n', "no choices"),
        (b'data: ["choices"]\n\n', "not an object"),
        (b'data: {"choices": [7]}\n\n', "not an object"),
    ],
)
async def test_what_is_not_the_protocol_is_told_apart(raw: bytes, said: str) -> None:
    with (
        ScriptedEndpoint(lambda request: Reply(raw=raw)) as endpoint,
        pytest.raises(ProtocolError, match=said),
    ):
        await ask(endpoint)


@pytest.mark.parametrize(
    ("raw", "characters"),
    [
        (b"<html>welcome</html>", 0),
        (b'data: {"choices": [{"delta": {"content": "half"}}]}\n\n', 4),
        (b'data: {"choices": [{"delta": {"content": "half"}}]}\n\ndata: [DONE]\n\n', 4),
    ],
)
async def test_a_stream_that_ends_without_a_finish_reason_is_cut_off(raw: bytes, characters: int) -> None:
    said = f"without a finish_reason after {characters} characters"
    with ScriptedEndpoint(lambda request: Reply(raw=raw)) as endpoint, pytest.raises(CutOff, match=said):
        await ask(endpoint)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "request_refused"),
        (404, "request_refused"),
        (429, "too_many_requests"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
async def test_error_statuses_are_of_the_kind_that_tells_what_to_do(status: int, kind: str) -> None:
    reply = Reply(status=status, error={"error": {"message": "no"}})
    with ScriptedEndpoint(lambda request: reply) as endpoint, pytest.raises(BadStatus) as raised:
        await ask(endpoint)
    assert raised.value.kind == kind


async def test_an_endpoint_that_goes_silent_in_mid_answer_has_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wending.assess.endpoint.SILENCE_TIMEOUT", 0.2)
    script = Script(failures=Failures(stall=1), tokens=4)
    async with ScriptedServer(script) as server, EndpointClient(server.base_url) as client:
        with pytest.raises(EndpointTimeout, match="went silent after 11 characters of an answer"):
            await client.chat(
                [{"role": "user", "content": "?"}], max_tokens=5, temperature=0, top_p=1, seed=1
            )


async def test_what_does_not_speak_http_is_told_apart() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ready\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, EndpointClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
        with pytest.raises(ProtocolError, match="does not speak HTTP"):
            await client.list_models()


async def test_an_error_inside_the_stream_is_an_error() -> None:
    raw = b'data: {"error": {"message": "NaN in logits"}}\n\n'
    with (
        ScriptedEndpoint(lambda request: Reply(raw=raw)) as endpoint,
        pytest.raises(BadStatus, match="NaN in logits") as raised,
    ):
        await ask(endpoint)
    assert raised.value.kind == "server_error"


async def test_a_connection_lost_in_mid_answer_is_not_an_answer() -> None:
    said = "in the middle of an answer, after 8 characters"
    reply = Reply(break_after=2)
    with ScriptedEndpoint(lambda request: reply) as endpoint, pytest.raises(CutOff, match=said):
        await ask(endpoint)


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with EndpointClient(f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            with pytest.raises(Unreachable, match="cannot be reached"):
                await client.list_models()


@pytest.mark.parametrize("models", [None, ()])
async def test_without_a_model_list_the_model_must_be_named(models: tuple[str, ...] | None) -> None:
    with ScriptedEndpoint(models=models) as endpoint:
        async with EndpointClient(endpoint.url) as client:
            with pytest.raises((BadStatus, ProtocolError), match="--model"):
                await client.resolve_model()
        async with EndpointClient(endpoint.url, model="named") as client:
            assert await client.resolve_model() == "named"


class ClosingEndpoint:
    """Answers the first request of each connection and promises to keep it, but closes it at the second;
    with `answers=False` it closes at the first."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await self._read_request(reader)
        if self.answers:
            choice = {"index": 0, "delta": {"content": "five"}, "finish_reason": "stop"}
            event = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nKeep-Alive: timeout=5, max=100\r\n"
                b"Content-Length: %d\r\n\r\n" % len(event) + event
            )
            await writer.drain()
            await self._read_request(reader)
        writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)


async def ask_twice(endpoint: ClosingEndpoint) -> tuple[list[str], EndpointClient]:
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    async with server, EndpointClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
        texts = []
        for number in range(2):
            answer = await client.chat(
                [{"role": "user", "content": f"Question {number}"}],
                max_tokens=20, temperature=0.0, top_p=1.0, seed=1,
            )  # fmt: skip
            texts.append(answer.text)
    return texts, client


async def test_a_request_on_a_connection_that_was_closed_meanwhile_is_sent_again() -> None:
    endpoint = ClosingEndpoint()
    texts, client = await ask_twice(endpoint)
    assert texts == ["five", "five"]
    assert (client.sent_again, endpoint.connections) == (1, 2)


async def test_an_endpoint_that_closes_a_new_connection_is_not_asked_again() -> None:
    endpoint = ClosingEndpoint(answers=False)
    with pytest.raises(ConnectionReset, match="before any answer"):
        await ask_twice(endpoint)
    assert endpoint.connections == 1
