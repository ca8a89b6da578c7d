"""Reads generation_config.json: the sampling defaults a checkpoint asks for. It knows nothing of requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wending.model.errors import CheckpointError
from wending.model.json_file import read_json_object, token_id_tuple


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """Sampling defaults of a checkpoint; a key the file leaves out has the value that changes nothing.

    A file that says `"do_sample": false` asks for greedy decoding, which is temperature 0 here.
    """

    eos_token_ids: tuple[int, ...] = ()
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    @classmethod
    def from_folder(cls, folder: Path) -> GenerationConfig:
        """Reads `folder`/generation_config.json; the defaults where there is no such file.

        Raises CheckpointError when the file is damaged or a value is out of range.
        """
        path = folder / "generation_config.json"
        if not path.exists():
            return cls()
        return cls.from_values(path, read_json_object(path))

    @classmethod
    def from_values(cls, path: Path, values: Mapping[str, Any]) -> GenerationConfig:
        """The defaults out of the keys of a generation_config.json; errors name `path` and the key."""

        def number(key: str, default: float, low: float, high: float) -> float:
            value = values.get(key)
            if value is None:
                return default
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise CheckpointError(path, f"{key} must be a number from {low:g} to {high:g}, is {value!r}")
            return float(value)

        greedy = values.get("do_sample") is False
        return cls(
            eos_token_ids=token_id_tuple(path, "eos_token_id", values.get("eos_token_id")),
            temperature=0.0 if greedy else number("temperature", 1.0, 0.0, 100.0),
            top_p=number("top_p", 1.0, 0.0, 1.0),
            top_k=int(number("top_k", 0, 0, 1e9)),
            min_p=number("min_p", 0.0, 0.0, 1.0),
            repetition_penalty=number("repetition_penalty", 1.0, 1e-3, 100.0),
        )
