from __future__ import annotations

import numpy as np
import pytest

from wending import _kernels

LENGTHS = (0, 1, 7, 8, 63, 64, 65, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000)


def some_bytes(length: int) -> np.ndarray:
    return np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8)


@pytest.mark.parametrize("length", LENGTHS)
def test_tells_changes_lengths_and_order(length: int) -> None:
    data = some_bytes(length)
    found = {_kernels.checksum(data), _kernels.checksum(np.append(data, np.uint8(0)))}
    expected = 2
    for place in {0, length // 3, length - 1} if length else ():
        for change in (1, 128):
            changed = data.copy()
            changed[place] ^= change
            found.add(_kernels.checksum(changed))
            expected += 1
    assert len(found) == expected
    if length >= 1 << 20:
        assert _kernels.checksum(np.roll(data, 1 << 19)) not in found


def test_does_not_depend_on_place_or_threads() -> None:
    data = some_bytes(3_500_000)
    before, found = _kernels.threads(), _kernels.checksum(data)
    shifted = np.append(np.uint8(0), data)[1:]
    try:
        for threads in (1, 2, 3):
            _kernels.set_threads(threads)
            assert _kernels.checksum(data) == _kernels.checksum(shifted) == found
    finally:
        _kernels.set_threads(before)
