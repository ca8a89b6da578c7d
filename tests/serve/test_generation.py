from __future__ import annotations

from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT, running_app


async def test_the_server_s_deadline_holds_for_requests_without_one(client: FakeClient) -> None:
    async with running_app(client, deadline_s=12.5) as http:
        await http.post("/v1/chat/completions", json=CHAT | {"priority": 3})
        await http.post("/v1/chat/completions", json=CHAT | {"deadline_s": 99})
    _warm_up, first, second = client.urgencies
    assert (first.priority, first.deadline_s) == (3, 12.5)
    assert second.deadline_s == 99
