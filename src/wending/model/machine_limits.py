"""What this machine can do at most, measured with the kernels themselves: how fast weights are read, how fast
multiplied."""

from __future__ import annotations

import time

import numpy as np

from wending import _kernels
from wending.model.precision import Precision

_INPUTS, _OUTPUTS, _ROWS_AT_ONCE = 4096, 1 << 17, 1 << 12
_REPEATS = 5


def read_bandwidth() -> float:
    """Bytes per second at which a weight of 1 GiB, too large for any cache, is read for one row.

    Takes that much memory for a moment. The best of five.
    """
    weight = _kernels.Weight(_OUTPUTS, _INPUTS, "bfloat16")
    for first in range(0, _OUTPUTS, _ROWS_AT_ONCE):
        weight.fill(first, np.zeros((_ROWS_AT_ONCE, _INPUTS), np.uint16))
    x, out = _kernels.Buffer(_INPUTS), _kernels.Buffer(_OUTPUTS)
    x.resize(1)
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        _kernels.linear(x, weight, None, None, out)
        seconds.append(time.perf_counter() - start)
    return weight.nbytes / min(seconds)


def peak_operations(precision: Precision) -> float:
    """Operations per second on registers alone, in the arithmetic that weights of this precision are
    multiplied in. A multiplication and an addition are two."""
    is_quantised = precision.name.startswith("int")
    return _kernels.peak_operations("int8" if is_quantised else precision.layers.precision)
