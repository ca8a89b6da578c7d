from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.random_checkpoint import write_safetensors

from wending.model.errors import CheckpointError
from wending.model.safetensors_file import SafetensorsFile


def write(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(encoded) if length is None else length).to_bytes(8, "little") + encoded + data)
    return path


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_reads_what_the_reference_implementation_writes(tmp_path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    tensors = {name: torch.randn(shape) for name, shape in {"a": (3, 5), "b": (7,), "c": (0, 4)}.items()}
    save_file({name: tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}, tmp_path / "x")
    file = SafetensorsFile(tmp_path / "x")
    assert sorted(file.names) == ["a", "b", "c"]
    for name, tensor in tensors.items():
        stored = tensor.to(getattr(torch, dtype))
        expected = stored.view(torch.uint16) if dtype == "bfloat16" else stored
        assert file.dtype(name) == dtype
        assert file.shape(name) == tuple(tensor.shape)
        assert np.array_equal(file.tensor(name), expected.numpy())


def test_tensors_are_read_only_views(tmp_path: Path) -> None:
    values = np.ones((2, 3), np.float32)
    write_safetensors(tmp_path / "x", {"a": (2, 3)}, [("a", values)], "float32")
    tensor = SafetensorsFile(tmp_path / "x").tensor("a")
    assert not tensor.flags.writeable
    assert not tensor.flags.owndata


@pytest.mark.parametrize("kept", [0, 5, 8, 40, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "x"
    write_safetensors(path, {"a": (8, 8)}, [("a", np.ones((8, 8), np.float32))], "float32")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"truncated|cannot be read|not valid JSON"):
        SafetensorsFile(path)


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (b"not json", b"", "header is not valid JSON"),
        ([], b"", "header is not a JSON object"),
        ({"a": {"dtype": "F32"}}, b"", "tensor a lacks dtype, shape or data_offsets"),
        ({"a": entry("I64", [1], 0, 8)}, b"x" * 8, "tensor a is of type I64; supported: BF16, F16, F32"),
        ({"a": entry("F32", [-1], 0, 4)}, b"x" * 4, r"tensor a has shape \[-1\]"),
        ({"a": entry("F32", [2], 0, 4)}, b"x" * 4, r"tensor a of F32 \[2\] needs 8 bytes, has 4"),
        ({"a": entry("F32", [1], 4, 8)}, b"x" * 8, "tensor a at byte 4 leaves a gap"),
        (
            {"a": entry("F32", [2], 0, 8), "b": entry("F32", [1], 4, 8)},
            b"x" * 8,
            "tensor b at byte 4 overlaps the tensor before it, which ends at 8",
        ),
        ({"a": entry("F32", [2], 0, 8)}, b"x" * 7, "needs 8 bytes of data, has 7; the file is truncated"),
        ({"a": entry("F32", [1], 0, 4)}, b"x" * 6, "has 6 bytes of data, 2 more than its tensors"),
    ],
)
def test_a_header_that_contradicts_itself_or_the_file_is_refused(
    tmp_path: Path, header: Any, data: bytes, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        SafetensorsFile(write(tmp_path / "x", header, data))
    assert caught.value.path == tmp_path / "x"


def test_an_absurd_header_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"claims a header of \d+ bytes, the limit is"):
        SafetensorsFile(write(tmp_path / "x", {}, length=1 << 60))
    with pytest.raises(CheckpointError, match="claims a header of 1000 bytes, but has"):
        SafetensorsFile(write(tmp_path / "x", {}, length=1000))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read"):
        SafetensorsFile(tmp_path / "absent")
