"""1,280 requests at once: the bounds hold, /health answers throughout, and whoever was let in is answered."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter

import aiohttp
import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server, wait_until
from tests.serve.running_app import CHAT, keys

from wending.serve.operations import Operations

REQUESTS = 1280
MOST, MOST_OF_A_KEY = 256, 160


@pytest.fixture(autouse=True)
def _enough_files() -> None:
    """Both ends of all connections are files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 3 * REQUESTS:
        pytest.skip(f"this process may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * REQUESTS), hard))


def test_a_crowd_at_once() -> None:
    client = FakeClient("Hello there.", max_context=100_000)
    operations = Operations(max_requests=MOST, max_requests_per_key=MOST_OF_A_KEY, drain_s=0.2)
    with live_server(client, operations, keys("alice sk-0, bob sk-1")) as server:
        client.delay_s = 0.3
        most = 0

        async def ask(session: aiohttp.ClientSession, number: int) -> tuple[int, str | None]:
            headers = {"Authorization": f"Bearer sk-{number % 2}"}
            body = CHAT | {"stream": number % 4 < 2}
            async with session.post("/v1/chat/completions", json=body, headers=headers) as response:
                text = await response.text()
                if response.status == 200 and number % 4 < 2:
                    assert text.endswith("data: [DONE]\n\n")
                if response.status == 429:
                    assert int(response.headers["Retry-After"]) > 0
                    return 429, (await response.json())["error"]["code"]
                return response.status, None

        async def watch(session: aiohttp.ClientSession, crowd: asyncio.Future[object]) -> int:
            """How often /health said that all is well while the crowd was there."""
            nonlocal most
            looks = 0
            while not crowd.done():
                async with session.get("/health", headers={"Authorization": "Bearer sk-0"}) as response:
                    assert response.status == 200
                    most = max(most, (await response.json())["running"])
                looks += 1
                await asyncio.sleep(0.02)
            return looks

        async def crowd() -> tuple[list[tuple[int, str | None]], int]:
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(server.url, connector=connector) as session:
                all_of_them = asyncio.gather(*(ask(session, number) for number in range(REQUESTS)))
                looks = await watch(session, all_of_them)
                return await all_of_them, looks

        outcomes, looks = asyncio.run(crowd())
        counts = Counter(status for status, _ in outcomes)
        assert counts[200] + counts[429] == REQUESTS
        assert counts[200] >= MOST
        assert {code for status, code in outcomes if status == 429} <= {"overloaded", "rate_limit_exceeded"}
        assert 0 < most <= MOST
        assert looks > 5
        wait_until(lambda: server.service.requests.total == 0)
        assert client.running == set()
        assert client.aborted == []
