"""One file of packed weights: written once, then mapped by every later start.

    first page       what it is, and where the header stands with its digest
    from then on     the panels of each weight as the kernels read them, each from a page border on
    at the end       the header in JSON: each weight's format, place and checksum

The header stands last because checksums are known last. The panels do not depend on the instruction set.
A file is complete before it gets its name and is never changed afterwards (see `weight_cache`); deleting it
is safe while it is mapped, for Linux keeps the content until the last mapping ends.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from wending import _kernels as ops

LAYOUT_VERSION = 2
MAGIC = b"wendingW"
PREAMBLE = struct.Struct("<8sQQQ16s")  # magic, version, position, length and digest of the header
PAGE = 4096
# Written in pieces of this size, from multiples of it on, so that Linux keeps the file in huge pages.
PIECE_BYTES = 16 << 20


class DamagedFile(Exception):  # noqa: N818
    """The file is truncated, altered or of another version; the message says which."""


class PackedWriter:
    """Writes packed weights to a new file, in which `descriptor` is open. Raises OSError as the disk does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._piece = bytearray(PIECE_BYTES)
        self._filled = PAGE  # the first page is written last
        self._pieces_written = 0
        self._weights: dict[str, dict[str, Any]] = {}

    def add(self, name: str, weight: ops.Weight) -> None:
        self._append(bytes(-self._filled % PAGE))
        self._weights[name] = {
            "outputs": weight.outputs,
            "inputs": weight.inputs,
            "precision": weight.precision,
            "group": weight.group,
            "offsets": weight.offsets,
            "gated": weight.gated,
            "position": self._position,
            "checksum": ops.checksum(weight.panels),
        }
        self._append(weight.panels.data)

    def finish(self, description: dict[str, str]) -> None:
        """Writes the header with `description`, and waits until all is on the disk."""
        header = orjson.dumps(description | {"weights": self._weights})
        position = self._position
        self._append(header)
        self._write(memoryview(self._piece)[: self._filled])
        digest = hashlib.blake2b(header, digest_size=16).digest()
        os.pwrite(self._descriptor, PREAMBLE.pack(MAGIC, LAYOUT_VERSION, position, len(header), digest), 0)
        os.fsync(self._descriptor)

    @property
    def _position(self) -> int:
        return self._pieces_written * PIECE_BYTES + self._filled

    def _append(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            taken = rest[: PIECE_BYTES - self._filled]
            self._piece[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rest = rest[len(taken) :]
            if self._filled == PIECE_BYTES:
                self._write(memoryview(self._piece))
                self._pieces_written += 1
                self._filled = 0

    def _write(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


class PackedFile:
    """The weights of one file. Raises DamagedFile or OSError on opening.

    description    what `PackedWriter.finish` was told
    nbytes         size of the file
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.nbytes = os.fstat(file.fileno()).st_size
            preamble = file.read(PREAMBLE.size)
            if len(preamble) < PREAMBLE.size or self.nbytes < PAGE:
                raise DamagedFile(f"has {self.nbytes} bytes only")
            magic, version, position, length, digest = PREAMBLE.unpack(preamble)
            if magic != MAGIC or version != LAYOUT_VERSION:
                raise DamagedFile(f"is not of layout {LAYOUT_VERSION} but {magic!r}, {version}")
            if position + length != self.nbytes:
                raise DamagedFile(f"has {self.nbytes} bytes, should have {position + length}")
            file.seek(position)
            header = file.read(length)
            if hashlib.blake2b(header, digest_size=16).digest() != digest:
                raise DamagedFile("its header does not have the digest that it should have")
            self._mapping = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._mapping.madvise(mmap.MADV_HUGEPAGE)
        self.description: dict[str, Any] = orjson.loads(header)
        self._weights: dict[str, dict[str, Any]] = self.description.pop("weights")

    def verify(self, tick: Callable[[], None]) -> None:
        """Compares every weight with its checksum, and so reads all of it from the disk.

        Raises DamagedFile where one differs. `tick` is called for each weight.
        """
        for name, entry in self._weights.items():
            tick()
            if ops.checksum(self._panels(entry)) != entry["checksum"]:
                raise DamagedFile(f"its weight {name} does not have the checksum that it should have")

    def weight(self, name: str) -> ops.Weight:
        """The weight that was added by this name, over the mapped file. Raises KeyError."""
        entry = self._weights[name]
        return ops.Weight(
            entry["outputs"],
            entry["inputs"],
            entry["precision"],
            entry["group"],
            entry["offsets"],
            entry["gated"],
            self._panels(entry),
        )

    def _panels(self, entry: dict[str, Any]) -> NDArray[np.uint8]:
        size = ops.weight_bytes(
            entry["outputs"],
            entry["inputs"],
            entry["precision"],
            entry["group"],
            entry["offsets"],
            entry["gated"],
        )
        return np.frombuffer(self._mapping, np.uint8, size, entry["position"])
