"""How many tokens an endpoint says it takes: in its list of models, or when it refuses a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DEFAULT_LIMIT = 8192
"""Tokens, where the endpoint names no limit and refuses nothing."""

# vLLM and SGLang; LM Studio; OpenRouter and others; Groq; llama.cpp.
_FIELDS = ("max_model_len", "max_context_length", "context_length", "context_window", "n_ctx")
# Such as: "maximum context length is 8192 tokens", "available context size (4096 tokens)", "inputs must have
# less than 1024 tokens", "Range of input length should be [1, 30720]".
_REFUSALS = (
    re.compile(r"context (?:length|size|window)(?: of| is|:|=|[ (])*(\d[\d,]*)", re.IGNORECASE),
    re.compile(r"context holds (\d[\d,]*)", re.IGNORECASE),
    re.compile(r"length should be \[\d+, ?(\d+)\]", re.IGNORECASE),
    re.compile(r"(?:less than|at most|must be <=?|limit of) (\d[\d,]*)(?: tokens)?", re.IGNORECASE),
)


def limit_of_model(entry: Mapping[str, Any]) -> int | None:
    """The limit in one entry of GET /models, in tokens; None if it names none."""
    meta = entry.get("meta")
    for place in (entry, meta if isinstance(meta, Mapping) else {}):
        for field in _FIELDS:
            value = place.get(field)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                return value
    return None


def limit_of_refusal(message: str) -> int | None:
    """The limit in what an endpoint said when it refused a prompt, in tokens; None if it names none."""
    for pattern in _REFUSALS:
        if match := pattern.search(message):
            return int(match[1].replace(",", "")) or None
    return None
