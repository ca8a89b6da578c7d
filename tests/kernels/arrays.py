"""Puts numpy arrays into the kernels' own storage, and measures errors against float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.random_checkpoint import from_bfloat16, to_bfloat16

from wending import _kernels

Floats = NDArray[np.float32]


def normal(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def buffer_of(values: Floats) -> _kernels.Buffer:
    buffer = _kernels.Buffer(values.shape[1])
    buffer.resize(len(values))
    buffer.numpy()[:] = values
    return buffer


def weight_of(values: Floats, precision: str) -> _kernels.Weight:
    weight = _kernels.Weight(*values.shape, precision)
    weight.fill(0, to_bfloat16(values) if precision == "bfloat16" else values)
    return weight


def as_stored(values: Floats, precision: str) -> NDArray[np.float64]:
    """What a BF16 or float32 store keeps of the values, as float64 of the same shape."""
    stored = from_bfloat16(to_bfloat16(values)).reshape(values.shape) if precision == "bfloat16" else values
    return stored.astype(np.float64)


def int32(*values: Any) -> NDArray[np.int32]:
    return np.array(values, np.int32)


def relative_error(found: NDArray[Any], expected: NDArray[np.float64]) -> float:
    """Largest difference, relative to the largest expected value."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())
