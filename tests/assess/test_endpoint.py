"""The endpoint client against an endpoint that behaves, and against ones that do not."""

from __future__ import annotations

import socket
from dataclasses import replace

import orjson
import pytest
from tests.assess.decided import Decided, Request, always, say
from tests.assess.raw_server import END, EVENT, FILTER, RawServer, chunked, compressed, whole

from wending.assess.chat_answer import ChatAnswer
from wending.assess.chat_events import take_event
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
from wending.assess.scripted.reply import Reply, refusal
from wending.assess.scripted.script import Failures

QUESTION = [{"role": "user", "content": "How many hours?"}]


async def ask(
    endpoint: ScriptedServer | RawServer, *, api_key: str | None = None, model: str | None = None
) -> tuple[ChatAnswer, EndpointClient]:
    async with endpoint, EndpointClient(endpoint.base_url, api_key=api_key, model=model) as client:
        await client.resolve_model()
        answer = await client.chat(QUESTION, max_tokens=20, temperature=0.7, top_p=0.9, seed=3)
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
    "url", ["localhost:8000", "ftp://host/v1", "http://", "http://user:key@host/v1", "http://host/v1?key=1",
     "http://host:99999/v1", "http://host:web/v1"],
)  # fmt: skip
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        normalize_base_url(url)


def event(usage: dict[str, object] | None = None, finish: str | None = None, **delta: str | None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if usage is None else []
    return orjson.dumps({"choices": choices, "usage": usage})


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_streamed_reasoning_is_part_of_the_speed_and_not_of_the_text(name: str) -> None:
    """Ninety tokens of reasoning and eleven of the answer, a hundred a second."""
    answer = ChatAnswer(0.0)
    take_event(answer, event(role="assistant", content=""), 0.5)
    for number in range(90):
        take_event(answer, event(content=None, **{name: "hm "}), 1 + number / 100)
    for number in range(90, 100):
        take_event(answer, event(content="x"), 1 + number / 100)
    take_event(answer, event(finish="stop"), 2.0)
    take_event(answer, event({"prompt_tokens": 9, "completion_tokens": 101}), 2.0)
    assert answer.has_reasoning
    assert answer.text == "x" * 10
    assert answer.ttft_s == pytest.approx(1.9)
    assert answer.tokens == 101
    assert answer.tokens_per_s == pytest.approx(100.0)


def test_hidden_reasoning_is_left_out_of_the_speed() -> None:
    answer = ChatAnswer(0.0)
    for number in range(10):
        take_event(answer, event(content="x"), 2 + number / 100)
    take_event(answer, event(finish="stop"), 2.1)
    usage = {"completion_tokens": 511, "completion_tokens_details": {"reasoning_tokens": 500}}
    take_event(answer, event(usage), 2.1)
    assert answer.has_reasoning
    assert answer.tokens_per_s == pytest.approx(100.0)


@pytest.mark.parametrize("reasons", [True, False])
async def test_the_client_notes_that_the_model_reasons(reasons: bool) -> None:
    thought = b'data: {"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":null}]}\n\n'
    events = (thought, EVENT, END) if reasons else (EVENT, END)
    answer, client = await ask(RawServer(chunked(*events)), model="m")
    assert answer.text == "tea"
    assert client.has_reasoning == reasons


async def test_an_answer_carries_text_tokens_and_end() -> None:
    endpoint = Decided(lambda _: replace(say("Ant", "wort：", "5"), usage=(7, 4)))
    answer, client = await ask(endpoint)
    assert answer.text == "Antwort：5"
    assert answer.finish_reason == "stop"
    assert (answer.tokens, answer.prompt_tokens) == (4, 7)
    assert not client.usage_missing
    [sent] = endpoint.requests
    assert (sent["model"], sent["seed"], sent["max_tokens"]) == ("scripted", 3, 20)
    assert (sent["temperature"], sent["top_p"], sent["stream"]) == (0.7, 0.9, True)


async def test_the_first_token_is_the_first_content_and_not_the_role_chunk() -> None:
    answer, _ = await ask(ScriptedServer(Script(ttft_s=0.4, token_s=0.03, tokens=9, clock=True)))
    sent = [float(token) for token in answer.text.split()]
    assert answer.ttft_s is not None
    assert answer.tpot_s is not None
    # Both clocks are the same machine's: the client sees a piece after it was sent; the upper bounds are
    # wide.
    assert answer.ttft_s >= 0.4
    assert 0 <= answer.content_times[0] - sent[0] < 1
    assert len(answer.content_times) == 9
    assert answer.tpot_s == pytest.approx((sent[-1] - sent[0]) / 8, abs=0.1)


async def test_an_answer_of_a_few_tokens_has_no_speed() -> None:
    answer, _ = await ask(ScriptedServer(always("one two")))
    assert answer.ttft_s is not None
    assert answer.tokens_per_s is None


async def test_without_usage_the_events_are_counted() -> None:
    answer, client = await ask(ScriptedServer(always("one two three", usage=False)))
    assert answer.tokens == 3
    assert client.usage_missing


@pytest.mark.parametrize("message", ["Unrecognized field: stream_options", "Extra inputs are not permitted"])
async def test_a_refused_usage_request_is_left_out_from_then_on(message: str) -> None:
    def script(request: Request) -> Reply:
        return refusal(400, message) if "stream_options" in request else say("a", "b", "c")

    async with Decided(script) as endpoint, EndpointClient(endpoint.base_url) as client:
        for seed in range(2):
            answer = await client.chat(QUESTION, max_tokens=5, temperature=0, top_p=1, seed=seed)
            assert answer.tokens == 3
    assert client.refused_fields == {"stream_options": message}
    assert ["stream_options" in request for request in endpoint.requests] == [True, False, False]


async def test_another_refusal_is_not_blamed_on_an_optional_field() -> None:
    with pytest.raises(BadStatus, match="9000") as raised:
        await ask(Decided(lambda _: refusal(400, "prompt of 9000 tokens exceeds 2048")))
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (b'{"error": {"message": "engine is dead"}}', "engine is dead"),
        (b'{"error": "engine is dead"}', "engine is dead"),
        (b'{"detail": "engine is dead"}', "engine is dead"),
        (b"<h1>Bad gateway</h1>", "<h1>Bad gateway</h1>"),
    ],
)
async def test_a_server_error_carries_the_servers_words(error: bytes, message: str) -> None:
    with pytest.raises(BadStatus) as raised:
        await ask(RawServer(whole(b"500 Internal Server Error", error)), model="m")
    assert raised.value.message == message
    assert "HTTP 500" in str(raised.value)


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_a_refused_key_says_what_to_do(key: str | None) -> None:
    with pytest.raises(Unauthorized) as raised:
        await ask(ScriptedServer(Script(api_key="right")), api_key=key)
    assert ("--api-key" in str(raised.value)) == (key is None)
    assert "wrong" not in str(raised.value)


async def test_a_good_key_is_sent() -> None:
    answer, _ = await ask(ScriptedServer(always("Answer: 5", api_key="right")), api_key="right")
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
    with pytest.raises(ProtocolError, match=said):
        await ask(RawServer(chunked(raw)), model="m")


async def test_what_does_not_speak_http_is_told_apart() -> None:
    with pytest.raises(ProtocolError, match="does not speak HTTP"):
        await ask(RawServer(b"220 mail.example ready\r\n", hang_up=True), model="m")


@pytest.mark.parametrize(
    ("raw", "characters"), [(b"<html>welcome</html>", 0), (EVENT, 3), (EVENT + b"data: [DONE]\n\n", 3)]
)
async def test_a_stream_that_ends_without_a_finish_reason_is_cut_off(raw: bytes, characters: int) -> None:
    with pytest.raises(CutOff, match=f"without a finish_reason after {characters} characters"):
        await ask(RawServer(chunked(raw)), model="m")


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
    with pytest.raises(BadStatus) as raised:
        await ask(Decided(lambda _: refusal(status, "no")))
    assert raised.value.kind == kind


async def test_an_endpoint_that_goes_silent_in_mid_answer_has_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wending.assess.endpoint.SILENCE_TIMEOUT", 0.2)
    with pytest.raises(EndpointTimeout, match="went silent after 11 characters of an answer"):
        await ask(ScriptedServer(Script(failures=Failures(stall=1), tokens=4)))


async def test_an_error_inside_the_stream_is_an_error() -> None:
    raw = b'data: {"error": {"message": "NaN in logits"}}\n\n'
    with pytest.raises(BadStatus, match="NaN in logits") as raised:
        await ask(RawServer(chunked(raw)), model="m")
    assert raised.value.kind == "server_error"


async def test_a_connection_lost_in_mid_answer_is_not_an_answer() -> None:
    with pytest.raises(CutOff, match="in the middle of an answer, after 11 characters"):
        await ask(ScriptedServer(Script(failures=Failures(cut_off=1), tokens=4)))


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with EndpointClient(f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            with pytest.raises(Unreachable, match="cannot be reached"):
                await client.list_models()


@pytest.mark.parametrize(
    "endpoint", [ScriptedServer(Script(model=None)), RawServer(whole(b"200 OK", b'{"data": []}'))]
)
async def test_without_a_model_list_the_model_must_be_named(endpoint: ScriptedServer | RawServer) -> None:
    async with endpoint:
        async with EndpointClient(endpoint.base_url) as client:
            with pytest.raises((BadStatus, ProtocolError), match="--model"):
                await client.resolve_model()
        async with EndpointClient(endpoint.base_url, model="named") as client:
            assert await client.resolve_model() == "named"


async def ask_twice(endpoint: RawServer) -> tuple[list[str], EndpointClient]:
    async with endpoint, EndpointClient(endpoint.base_url) as client:
        answers = [
            await client.chat(QUESTION, max_tokens=20, temperature=0, top_p=1, seed=seed) for seed in range(2)
        ]
    return [answer.text for answer in answers], client


async def test_a_request_on_a_connection_that_was_closed_meanwhile_is_sent_again() -> None:
    endpoint = RawServer(chunked(EVENT, END), answers=1)
    texts, client = await ask_twice(endpoint)
    assert texts == ["tea", "tea"]
    assert (client.sent_again, endpoint.connections) == (1, 2)


async def test_an_endpoint_that_closes_a_new_connection_is_not_asked_again() -> None:
    endpoint = RawServer(answers=0)
    with pytest.raises(ConnectionReset, match="before any answer"):
        await ask_twice(endpoint)
    assert endpoint.connections == 1


@pytest.mark.parametrize("named", [True, False])
async def test_fields_are_left_out_one_after_the_other(named: bool) -> None:
    def decide(request: Request) -> Reply:
        wrong = [name for name in ("stream_options", "seed") if name in request]
        return refusal(422, f"unknown field{' ' + wrong[0] if named else ''}") if wrong else say("tea")

    endpoint = Decided(decide)
    async with endpoint, EndpointClient(endpoint.base_url, model="m") as client:
        for _ in range(2):
            answer = await client.chat(QUESTION, max_tokens=20, temperature=0.7, top_p=0.9, seed=3)
            assert answer.text == "tea"
    assert list(client.refused_fields) == ["stream_options", "seed"]
    assert len(endpoint.requests) == 4
    assert client.as_taken({"seed": 1, "stream": True}) == {"stream": True}


async def test_max_tokens_is_sent_by_its_newer_name_where_only_that_is_known() -> None:
    def decide(request: Request) -> Reply:
        wrong = "Unsupported parameter: 'max_tokens' is not supported with this model. Use '{}' instead."
        return refusal(400, wrong.format("max_completion_tokens")) if "max_tokens" in request else say("tea")

    endpoint = Decided(decide)
    answer, client = await ask(endpoint)
    assert answer.text == "tea"
    assert endpoint.requests[-1]["max_completion_tokens"] == 20
    assert "seed" in endpoint.requests[-1]
    assert list(client.refused_fields) == ["max_tokens"]


async def test_too_many_tokens_are_not_taken_for_an_unknown_field() -> None:
    def decide(request: Request) -> Reply:
        limit = request.get("max_tokens") or request["max_completion_tokens"]
        return refusal(400, f"max_tokens or max_completion_tokens {limit} > 9") if limit > 9 else say("tea")

    endpoint = Decided(decide)
    async with endpoint, EndpointClient(endpoint.base_url, model="m") as client:
        await client.chat(QUESTION, max_tokens=5, temperature=0, top_p=1, seed=3)
        with pytest.raises(BadStatus, match="20 > 9"):
            await client.chat(QUESTION, max_tokens=20, temperature=0, top_p=1, seed=3)
    assert client.refused_fields == {}
    assert len(endpoint.requests) == 2


async def test_a_request_that_is_turned_away_for_now_is_sent_again_when_the_endpoint_says() -> None:
    busy = whole(b"429 Too Many Requests\r\nRetry-After: 0", b'{"error": "busy"}')
    endpoint = RawServer(busy, busy, chunked(EVENT, END))
    answer, client = await ask(endpoint, model="m")
    assert (answer.text, client.turned_away, len(endpoint.requests)) == ("tea", 2, 3)


@pytest.mark.parametrize(
    ("header", "patience_s"), [(b"", 9), (b"\r\nRetry-After: 0", 0), (b"\r\nRetry-After: 600", 9)]
)
async def test_without_a_time_or_patience_it_is_not_sent_again(header: bytes, patience_s: float) -> None:
    endpoint = RawServer(whole(b"429 Too Many Requests" + header, b'{"error": "busy"}'))
    async with endpoint, EndpointClient(endpoint.base_url, model="m") as client:
        with pytest.raises(BadStatus, match="busy"):
            await client.chat(QUESTION, max_tokens=5, temperature=0, top_p=1, seed=3, patience_s=patience_s)
    assert len(endpoint.requests) == 1


async def test_events_without_choices_and_odd_counts_are_taken() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":"20","completion_tokens":1}}\n\n'
    answer, _ = await ask(RawServer(chunked(FILTER, EVENT, END, usage)), model="m")
    assert (answer.text, answer.tokens, answer.prompt_tokens) == ("tea", 1, None)


async def test_a_stream_that_is_compressed_unasked_is_read() -> None:
    endpoint = RawServer(compressed(EVENT, EVENT, END))
    answer, _ = await ask(endpoint, model="m")
    assert answer.text == "teatea"
    assert b"\r\naccept-encoding: identity\r\n" in endpoint.requests[0].lower()


async def test_half_a_character_is_a_character_that_cannot_be_read() -> None:
    half = EVENT.replace(b"tea", "茶".encode()[:2])
    answer, _ = await ask(RawServer(chunked(EVENT, half, END)), model="m")
    assert answer.text == "tea\ufffd"


async def test_an_address_without_anything_there_is_named() -> None:
    with pytest.raises(BadStatus, match=r"HTTP 404 \(http://127\.0\.0\.1:\d+/v1/chat/completions\)"):
        await ask(RawServer(whole(b"404 Not Found", b'{"detail": "Not Found"}')), model="m")
    with pytest.raises(BadStatus, match=r"HTTP 404 \(http://127\.0\.0\.1:\d+/v1/models\).*--model"):
        await ask(RawServer(whole(b"404 Not Found", b'{"detail": "Not Found"}')))


async def test_why_there_is_no_connection_is_said_in_the_systems_words() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with EndpointClient(f"http://127.0.0.1:{unused.getsockname()[1]}") as client:
            with pytest.raises(Unreachable, match=r"Connection refused$"):
                await client.list_models()
