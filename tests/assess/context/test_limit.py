"""Limits as endpoints name them."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.context.limit import limit_of_model, limit_of_refusal


@pytest.mark.parametrize(
    ("entry", "limit"),
    [
        ({"id": "a", "max_model_len": 32768}, 32768),
        ({"id": "a", "max_context_length": 4096}, 4096),
        ({"id": "a", "context_length": 131072}, 131072),
        ({"id": "a", "context_window": 8192}, 8192),
        ({"id": "a", "meta": {"n_ctx": 2048, "n_ctx_train": 32768}}, 2048),
        ({"id": "a", "meta": {"n_ctx_train": 32768}}, None),
        ({"id": "a", "meta": None, "max_model_len": None}, None),
        ({"id": "a", "max_model_len": True}, None),
        ({"id": "a", "max_model_len": 0}, None),
        ({"id": "a"}, None),
    ],
)
def test_limit_of_model(entry: dict[str, Any], limit: int | None) -> None:
    assert limit_of_model(entry) == limit


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 300048 tokens.", 8192),
        ("the request exceeds the available context size (4096 tokens), try increasing it", 4096),
        ("`inputs` must have less than 1024 tokens. Given: 300000", 1024),
        ("Range of input length should be [1, 30720]", 30720),
        ("prompt has 300,010 tokens, at most 32,768 fit", 32768),
        ("maximum context length is exceeded: 'messages' has 4098 tokens; the context holds 4096", 4096),
        ("Request Entity Too Large", None),
        ("", None),
    ],
)
def test_limit_of_refusal(message: str, limit: int | None) -> None:
    assert limit_of_refusal(message) == limit
