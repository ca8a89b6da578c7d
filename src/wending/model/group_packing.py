"""What GPTQ and AWQ have in common: codes in words of 32 bits, and the keys that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.errors import CheckpointError


def unpacked(words: NDArray[np.int32], bits: int) -> NDArray[np.uint8]:
    """The codes in each word, the lowest bits first: uint8 [..., words * 32 / bits] of int32 [..., words]."""
    data = np.ascontiguousarray(words.astype("<i4", copy=False)).view(np.uint8)
    if bits == 8:
        return data
    codes = np.empty((*data.shape[:-1], data.shape[-1] * 2), np.uint8)
    np.bitwise_and(data, 15, out=codes[..., 0::2])
    np.right_shift(data, 4, out=codes[..., 1::2])
    return codes


class QuantizationKeys:
    """The object `quantization_config` of a config.json, read with errors that name key and file."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values

    def one_of(self, keys: tuple[str, ...], allowed: tuple[Any, ...], default: Any = None) -> Any:
        """The value under the first of `keys` that is there. Raises CheckpointError for one not `allowed`."""
        key = next((key for key in keys if self.values.get(key) is not None), keys[0])
        value = self.values.get(key, default)
        value = default if value is None else value
        if value not in allowed or isinstance(value, bool) is not isinstance(allowed[0], bool):
            names = ", ".join(str(each) for each in allowed)
            raise self.error(f"{key} {value!r} is not supported; supported: {names}")
        return value

    def group_size(self, keys: tuple[str, ...]) -> int:
        """Inputs in a group; -1: all of them."""
        key = next((key for key in keys if key in self.values), keys[0])
        value = self.values.get(key)
        if type(value) is not int or (value != -1 and (value <= 0 or value % 32)):
            raise self.error(f"{key} must be -1 or a multiple of 32, is {value!r}")
        return value

    def error(self, message: str) -> CheckpointError:
        return CheckpointError(self.path, f"quantization_config: {message}")
