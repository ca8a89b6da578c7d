"""Reads the small JSON files of a checkpoint folder; every fault is a CheckpointError that names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from wending.model.errors import CheckpointError


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror}") from error
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CheckpointError(path, f"is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(path, f"must hold a JSON object, holds {type(value).__name__}")
    return value


def token_id_tuple(path: Path, key: str, value: Any) -> tuple[int, ...]:
    """The value of an `eos_token_id` key, which may be absent, one id or a list of ids."""
    ids = [] if value is None else value if isinstance(value, list) else [value]
    if not all(type(token_id) is int and token_id >= 0 for token_id in ids):
        raise CheckpointError(path, f"{key} must be a token id or a list of token ids, is {value!r}")
    return tuple(ids)
