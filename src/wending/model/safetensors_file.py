"""Reads one safetensors file (https://github.com/huggingface/safetensors, "Format") without copying.

The file is mapped into memory and every claim of its header is checked before a tensor is handed out.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from wending.model.errors import CheckpointError

LENGTH_BYTES = 8
LARGEST_HEADER = 100_000_000  # the limit of the format's reference implementation
NUMPY_TYPES: dict[str, np.dtype[Any]] = {
    "BF16": np.dtype("<u2"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "I32": np.dtype("<i4"),
}
DTYPE_NAMES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32", "I32": "int32"}


class SafetensorsFile:
    """The tensors of one file, by name.

    Raises CheckpointError on opening when the file is truncated or its header contradicts itself or the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # mmap refuses an empty file with ValueError
            raise CheckpointError(path, f"cannot be read: {error}") from error
        header, self._data_start = self._read_header()
        self._entries = {name: self._checked(name, entry) for name, entry in header.items()}
        self._check_coverage()

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        return self._entries[name][1]

    def dtype(self, name: str) -> str:
        """ "bfloat16", "float16", "float32" or "int32"."""
        return DTYPE_NAMES[self._entries[name][0]]

    def tensor(self, name: str) -> NDArray[Any]:
        """A read-only view of the tensor in the file; BF16 as uint16."""
        dtype, shape, begin, end = self._entries[name]
        data_type = NUMPY_TYPES[dtype]
        count = (end - begin) // data_type.itemsize
        return np.frombuffer(self._bytes, data_type, count, self._data_start + begin).reshape(shape)

    def release(self, name: str) -> None:
        """Gives the memory of a tensor's pages back; they are read again if they are needed again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            _, _, begin, end = self._entries[name]
            start = (self._data_start + begin) // mmap.PAGESIZE * mmap.PAGESIZE
            stop = self._data_start + end
            if start < stop:
                self._bytes.madvise(mmap.MADV_DONTNEED, start, stop - start)

    def _read_header(self) -> tuple[dict[str, Any], int]:
        size = len(self._bytes)
        if size < LENGTH_BYTES:
            raise self._error(f"has {size} bytes, too few for a header; the file is truncated")
        length = int.from_bytes(self._bytes[:LENGTH_BYTES], "little")
        if length > LARGEST_HEADER:
            raise self._error(f"claims a header of {length} bytes, the limit is {LARGEST_HEADER}")
        data_start = LENGTH_BYTES + length
        if data_start > size:
            raise self._error(f"claims a header of {length} bytes, but has {size}; the file is truncated")
        try:
            header = orjson.loads(self._bytes[LENGTH_BYTES:data_start])
        except orjson.JSONDecodeError as error:
            raise self._error(f"its header is not valid JSON: {error}") from error
        if not isinstance(header, dict):
            raise self._error("its header is not a JSON object")
        header.pop("__metadata__", None)
        return header, data_start

    def _checked(self, name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
        """dtype, shape, begin and end of a tensor, from its entry in the header."""
        if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
            raise self._error(f"tensor {name} lacks dtype, shape or data_offsets")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype not in NUMPY_TYPES:
            raise self._error(f"tensor {name} is of type {dtype}; supported: {', '.join(NUMPY_TYPES)}")
        if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
            raise self._error(f"tensor {name} has shape {shape} and data_offsets {offsets}")
        begin, end = offsets
        needed = int(np.prod(shape, dtype=object)) * NUMPY_TYPES[dtype].itemsize
        if end - begin != needed:
            raise self._error(f"tensor {name} of {dtype} {shape} needs {needed} bytes, has {end - begin}")
        return dtype, tuple(shape), begin, end

    def _check_coverage(self) -> None:
        """The tensors must fill the data part exactly: no gap, no overlap, nothing missing at the end."""
        position = 0
        for name, (_, _, begin, end) in sorted(self._entries.items(), key=lambda item: item[1][2:]):
            if begin != position:
                kind = "overlaps the tensor before it" if begin < position else "leaves a gap before it"
                raise self._error(f"tensor {name} at byte {begin} {kind}, which ends at {position}")
            position = end
        available = len(self._bytes) - self._data_start
        if position > available:
            raise self._error(f"needs {position} bytes of data, has {available}; the file is truncated")
        if position < available:
            raise self._error(f"has {available} bytes of data, {available - position} more than its tensors")

    def _error(self, message: str) -> CheckpointError:
        return CheckpointError(self.path, message)


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
