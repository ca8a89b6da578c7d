"""CORS: off unless an origin is named."""

from __future__ import annotations

import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.running_app import CHAT, running_app

ORIGIN = "https://app.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
}


async def test_no_other_origin_may_ask_by_default(client: FakeClient) -> None:
    async with running_app(client) as http:
        asked = await http.options("/v1/chat/completions", headers=PREFLIGHT)
        answered = await http.post("/v1/chat/completions", json=CHAT, headers={"Origin": ORIGIN})
    assert asked.status_code == 405
    for response in (asked, answered):
        assert not any(name.startswith("access-control") for name in response.headers)


@pytest.mark.parametrize(("allowed", "shown"), [(ORIGIN, ORIGIN), ("*", "*")])
async def test_a_named_origin_may(client: FakeClient, allowed: str, shown: str) -> None:
    async with running_app(client, cors_origins=(allowed,), api_keys="sk-1") as http:
        asked = await http.options("/v1/chat/completions", headers=PREFLIGHT)
        refused = await http.post("/v1/chat/completions", json=CHAT, headers={"Origin": ORIGIN})
        answered = await http.post(
            "/v1/chat/completions", json=CHAT, headers={"Origin": ORIGIN, "Authorization": "Bearer sk-1"}
        )
    assert asked.status_code == 200
    assert "x-stainless-os" in asked.headers["access-control-allow-headers"]
    assert (refused.status_code, answered.status_code) == (401, 200)
    for response in (asked, refused, answered):
        assert response.headers["access-control-allow-origin"] in (shown, ORIGIN)
    assert "X-Request-Id" in answered.headers["access-control-expose-headers"]


async def test_another_origin_may_not(client: FakeClient) -> None:
    async with running_app(client, cors_origins=(ORIGIN,)) as http:
        asked = await http.options(
            "/v1/chat/completions", headers=PREFLIGHT | {"Origin": "https://evil.example"}
        )
    assert "access-control-allow-origin" not in asked.headers
