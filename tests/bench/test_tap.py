"""The tap between a load generator and a server: it notes the truth, and changes nothing."""

import asyncio

import aiohttp
import orjson
import pytest
from bench.generators.tap import Tap

from wending.assess.scripted import Script, ScriptedProcess

SCRIPT = Script(clock=True, ttft_s=0.05, token_s=0.02, tokens=8)


def ask(base_url: str, *, stream: bool) -> bytes:
    async def asked() -> bytes:
        body = {"model": SCRIPT.model, "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{base_url}/chat/completions", json=body) as answer,
        ):
            assert answer.status == 200
            return await answer.read()

    return asyncio.run(asked())


def test_the_times_of_every_token_are_those_of_its_sending():
    async def tapped() -> Tap:
        async with ScriptedProcess(SCRIPT) as server, Tap(server.base_url) as tap:
            await asyncio.to_thread(ask, tap.base_url, stream=True)
            return tap

    (request,) = asyncio.run(tapped()).requests
    sent = [float(token) for token in request.text.split()]
    assert request.tokens == len(sent) == 8
    assert request.arrivals is not None
    # The clock of the server is the same machine's: no token passes before it was sent.
    assert all(before <= passed for before, passed in zip(sent, request.arrivals, strict=True))
    assert request.sent < request.first < request.last


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_gets_what_the_server_said(stream):
    async def both() -> tuple[bytes, int]:
        async with ScriptedProcess(Script(tokens=8)) as server, Tap(server.base_url) as tap:
            return await asyncio.to_thread(ask, tap.base_url, stream=stream), len(tap.requests)

    body, noted = asyncio.run(both())
    if stream:
        assert body.endswith(b"data: [DONE]\n\n")
        assert noted == 1
    else:
        assert orjson.loads(body)["choices"][0]["message"]["content"]
        assert noted == 0, "an answer in one piece has no tokens to time"


def test_refusals_are_passed_on():
    async def refused() -> int:
        async with (
            ScriptedProcess(SCRIPT) as server,
            Tap(server.base_url) as tap,
            aiohttp.ClientSession() as session,
            session.post(f"{tap.base_url}/nothing", json={}) as answer,
        ):
            return answer.status

    assert asyncio.run(refused()) == 404
