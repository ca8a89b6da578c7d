"""Checks token ids that a client sends."""

from __future__ import annotations

from collections.abc import Sequence

from wending.engine.client import ModelInfo
from wending.serve.openai_errors import invalid_value


def check_token_ids(param: str, token_ids: Sequence[int], info: ModelInfo) -> None:
    """Raises APIError 400 with the first id that is none of the model's."""
    for token_id in token_ids:
        if not 0 <= token_id < info.vocab_size:
            raise invalid_value(param, f"token ids are 0 to {info.vocab_size - 1}, got {token_id}")
