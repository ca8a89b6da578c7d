"""A valid request to each endpoint."""

from __future__ import annotations

import json
from typing import Any

CHAT_URL, TEXT_URL, EMBEDDING_URL = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RESPONSES_URL = "/v1/responses"
MODEL = "wending-demo"
MAX_BODY = 1 << 20  # of the server that is asked
JSON = {"Content-Type": "application/json"}

VALID: dict[str, dict[str, Any]] = {
    CHAT_URL: {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4},
    TEXT_URL: {"model": MODEL, "prompt": "Hi", "max_tokens": 4},
    EMBEDDING_URL: {"model": MODEL, "input": "Hi"},
    RESPONSES_URL: {"model": MODEL, "input": "Hi", "max_output_tokens": 16},
    "/tokenize": {"prompt": "Hi"},
    "/detokenize": {"tokens": [72]},
}

HELLO = json.dumps(VALID[CHAT_URL]).encode()
