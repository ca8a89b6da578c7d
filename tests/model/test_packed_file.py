"""A file gives back what was put in, bit for bit, or says that it cannot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.kernels.arrays import normal

from wending import _kernels
from wending.model import packed_file
from wending.model.packed_file import PAGE, PREAMBLE, DamagedFile, PackedFile, PackedWriter

FORMATS = [("int8", 64, False), ("int4", 64, True), ("int4", 128, False), ("bfloat16", 64, False)]


def weights() -> dict[str, _kernels.Weight]:
    found = {}
    for number, form in enumerate(FORMATS):
        weight = _kernels.Weight(70 + number, 300, *form)
        weight.fill(0, normal(number, 70 + number, 300))
        found[f"weight {number}"] = weight
    return found


def written(path: Path) -> Path:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    writer = PackedWriter(descriptor)
    for name, weight in weights().items():
        writer.add(name, weight)
    writer.finish({"model": "some"})
    os.close(descriptor)
    return path


def opened(path: Path) -> PackedFile:
    file = PackedFile(path)
    file.verify(lambda: None)
    return file


@pytest.mark.parametrize("piece_bytes", [8192, 12288, 1 << 20])
def test_gives_back_what_was_put_in(
    tmp_path: Path, piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_file, "PIECE_BYTES", piece_bytes)
    file = opened(written(tmp_path / "file"))
    assert file.description == {"model": "some"}
    assert file.nbytes == (tmp_path / "file").stat().st_size
    for name, weight in weights().items():
        found = file.weight(name)
        assert (found.outputs, found.inputs, found.precision, found.group, found.offsets) == (
            weight.outputs,
            weight.inputs,
            weight.precision,
            weight.group,
            weight.offsets,
        )
        assert np.array_equal(found.panels, weight.panels)
        assert found.panels.ctypes.data % PAGE == 0


def test_a_weight_outlives_its_file(tmp_path: Path) -> None:
    path = written(tmp_path / "file")
    weight = opened(path).weight("weight 1")
    path.unlink()
    assert np.array_equal(weight.panels, weights()["weight 1"].panels)


def test_a_mapped_weight_is_not_written_to(tmp_path: Path) -> None:
    weight = opened(written(tmp_path / "file")).weight("weight 0")
    with pytest.raises(ValueError, match="packed before cannot be filled"):
        weight.fill(0, normal(0, 1, 300))
    assert not weight.panels.flags.writeable


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "file")
    size = path.stat().st_size
    for length in (size - 1, size // 2, PAGE, PAGE - 1, 10, 0):
        os.truncate(path, length)
        with pytest.raises(DamagedFile):
            opened(path)


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "file")
    content = path.read_bytes()
    file = opened(path)
    # All of the preamble, and some of every panel and of the header.
    places = [*range(PREAMBLE.size), *range(PAGE, len(content), 509), len(content) - 1]
    used = np.zeros(len(content), bool)
    used[: PREAMBLE.size] = True
    for name in weights():
        position = file._weights[name]["position"]
        used[position : position + file.weight(name).nbytes] = True
    used[PREAMBLE.unpack(content[: PREAMBLE.size])[2] :] = True
    for place in filter(lambda place: used[place], places):
        changed = bytearray(content)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        with pytest.raises(DamagedFile):
            opened(path)


def test_another_layout_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "file")
    monkeypatch.setattr(packed_file, "LAYOUT_VERSION", 3)
    with pytest.raises(DamagedFile, match="is not of layout 3"):
        opened(path)
