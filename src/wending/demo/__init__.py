"""The bundled demonstration checkpoint: a very small model that the project trains itself (see train/)."""

from __future__ import annotations

from pathlib import Path

NAME = "wending-demo"


def folder() -> Path:
    """Folder of the bundled checkpoint (config.json, model.safetensors, tokenizer.json, ...)."""
    return Path(__file__).parent
