"""Reads one GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) without copying tensors.

The file is mapped into memory and every claim of its header is checked before a tensor is handed out. What
the bytes of a tensor mean is the business of gguf_types.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.model.errors import CheckpointError
from wending.model.gguf_types import TYPE_NAMES, TYPES, GgufType

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
LARGEST_DIMENSIONS = 4
# The metadata's types of values, by number: as struct and numpy write them.
NUMBERS = ("B", "b", "H", "h", "I", "i", "f", "?", None, None, "Q", "q", "d")
STRING, ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """A tensor in a file: its type, its shape with the inputs last, and its bytes."""

    type: GgufType
    shape: tuple[int, ...]
    begin: int
    end: int


class GgufFile:
    """The metadata and the tensors of one file.

    Raises CheckpointError on opening when the file is truncated, contradicts itself, or holds a tensor of a
    type that is not supported.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # mmap refuses an empty file with ValueError
            raise CheckpointError(path, f"cannot be read: {error}") from error
        header = _Header(path, self._bytes)
        tensors, pairs = header.counts()
        self.metadata: Mapping[str, Any] = header.metadata(pairs)
        self.tensors: Mapping[str, GgufTensor] = header.tensors(tensors, self._alignment())

    def raw(self, name: str) -> NDArray[np.uint8]:
        """The bytes of a tensor: uint8 [rows, bytes of a row], a read-only view of the file."""
        tensor = self.tensors[name]
        size, rows = tensor.end - tensor.begin, math.prod(tensor.shape[:-1])
        return np.frombuffer(self._bytes, np.uint8, size, tensor.begin).reshape(rows, size // rows)

    def release(self, name: str) -> None:
        """Gives the memory of a tensor's pages back; they are read again if they are needed again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            tensor = self.tensors[name]
            start = tensor.begin // mmap.PAGESIZE * mmap.PAGESIZE
            if start < tensor.end:
                self._bytes.madvise(mmap.MADV_DONTNEED, start, tensor.end - start)

    def _alignment(self) -> int:
        alignment = self.metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise CheckpointError(self.path, f"general.alignment must be a power of two, is {alignment!r}")
        return alignment


class _Header:
    """Walks over the header, and never past the end of the file."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path, self.data, self.position = path, data, 0

    def counts(self) -> tuple[int, int]:
        """Numbers of tensors and of pairs of metadata."""
        magic = self.take(len(MAGIC), "the magic number")
        if magic != MAGIC:
            raise self.error(f"begins with {magic!r}, a GGUF file begins with {MAGIC!r}")
        version = self.number("I", "the version")
        if version not in VERSIONS:
            kind = "a big-endian file" if version & 0xFFFF == 0 else f"version {version} of GGUF"
            raise self.error(f"is {kind}; supported: versions 2 and 3, little-endian")
        return self.number("Q", "the number of tensors"), self.number("Q", "the number of keys")

    def metadata(self, count: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self.string("a key of the metadata")
            if key in found:
                raise self.error(f"has the key {key} twice")
            found[key] = self.value(self.number("I", key), key)
        return found

    def tensors(self, count: int, alignment: int) -> dict[str, GgufTensor]:
        entries: dict[str, tuple[GgufType, tuple[int, ...], int]] = {}
        for _ in range(count):
            name = self.string("the name of a tensor")
            if name in entries:
                raise self.error(f"has the tensor {name} twice")
            dimensions = self.number("I", name)
            if not 1 <= dimensions <= LARGEST_DIMENSIONS:
                raise self.error(f"tensor {name} has {dimensions} dimensions")
            sizes = struct.unpack(f"<{dimensions}Q", self.take(8 * dimensions, name))
            kind, offset = self.number("I", name), self.number("Q", name)
            if kind not in TYPES:
                supported = ", ".join(each.name for each in TYPES.values())
                type_name = TYPE_NAMES.get(kind, f"number {kind}")
                raise self.error(f"tensor {name} is of type {type_name}; supported: {supported}")
            entries[name] = TYPES[kind], sizes[::-1], offset
        start = -(-self.position // alignment) * alignment
        return {name: self.checked(name, entry, start, alignment) for name, entry in entries.items()}

    def checked(
        self, name: str, entry: tuple[GgufType, tuple[int, ...], int], start: int, alignment: int
    ) -> GgufTensor:
        """The tensor, if its sizes and its place in the file are possible."""
        kind, shape, offset = entry
        if not all(shape) or shape[-1] % kind.block:
            raise self.error(
                f"tensor {name} of {kind.name} has shape {list(shape)}; "
                f"rows must be multiples of {kind.block}"
            )
        size = math.prod(shape) // kind.block * kind.block_bytes
        if offset % alignment:
            raise self.error(f"tensor {name} begins at {offset}, which is not a multiple of {alignment}")
        begin = start + offset
        if begin + size > len(self.data):
            raise self.error(
                f"tensor {name} needs bytes up to {begin + size}, the file has {len(self.data)}; "
                "the file is truncated"
            )
        return GgufTensor(kind, shape, begin, begin + size)

    def value(self, kind: int, key: str) -> Any:
        """A number, a string, or a list of either."""
        if kind == STRING:
            return self.string(key)
        if kind == ARRAY:
            item, count = self.number("I", key), self.number("Q", key)
            if item == ARRAY:
                raise self.error(f"key {key} holds arrays of arrays, which are not supported")
            if item == STRING:
                return [self.string(key) for _ in range(self.plausible(count, key))]
            code = self.code(item, key)
            data = self.take(self.plausible(count, key) * struct.calcsize(code), key)
            return np.frombuffer(data, np.dtype(code).newbyteorder("<")).tolist()
        return self.number(self.code(kind, key), key)

    def code(self, kind: int, key: str) -> str:
        code = NUMBERS[kind] if kind < len(NUMBERS) else None
        if code is None:
            raise self.error(f"key {key} is of the unknown type {kind}")
        return code

    def plausible(self, count: int, key: str) -> int:
        """A number of items, none of which takes less than a byte."""
        if count > len(self.data) - self.position:
            raise self.error(f"key {key} claims {count} items; the file is truncated")
        return count

    def string(self, what: str) -> str:
        data = self.take(self.number("Q", what), what)
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.error(f"{what} is not UTF-8: {error}") from error

    def number(self, code: str, what: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize(code), what))[0]

    def take(self, count: int, what: str) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise self.error(f"ends within {what}, after {len(self.data)} bytes; the file is truncated")
        data = self.data[self.position : end]
        self.position = end
        return data

    def error(self, message: str) -> CheckpointError:
        return CheckpointError(self.path, message)
