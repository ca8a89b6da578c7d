from __future__ import annotations

import httpx
from tests.serve.fake_client import FakeClient


async def test_list(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/v1/models")).json()
    assert answer == {
        "object": "list",
        "data": [
            {
                "id": "fake-model",
                "object": "model",
                "created": 1_700_000_000,
                "owned_by": "wending",
                "max_model_len": 200,
                "wending": {"demo": False, "max_context": 200, "precision": "bf16"},
            }
        ],
    }


async def test_demonstration_model_says_so(http: httpx.AsyncClient, client: FakeClient) -> None:
    client.info.is_demo = True
    [model] = (await http.get("/v1/models")).json()["data"]
    assert model["wending"]["demo"] is True


async def test_retrieve_by_id_and_alias(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/models/fake-model")).json()["id"] == "fake-model"
    assert (await http.get("/v1/models/an/alias")).json()["id"] == "fake-model"


async def test_unknown_model(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/models/gpt-4o")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"
