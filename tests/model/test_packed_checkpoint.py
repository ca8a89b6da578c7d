"""Folders of GPTQ and AWQ: what is asked of config.json and of the tensors, and what is refused."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.model.forward import logits_of
from tests.published_checkpoints import awq_matrix, gptq_matrix, write_packed

from wending.model.errors import CheckpointError
from wending.model.model import Model
from wending.model.open_checkpoint import open_checkpoint

pytest.importorskip("safetensors")

GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True, "desc_act": False}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}
DOWN = "model.layers.0.mlp.down_proj."


def with_quantization(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] |= changes
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def gptq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gptq")
    write_packed(folder, GPTQ, gptq_matrix)
    return folder


@pytest.mark.parametrize(("keys", "matrix"), [(GPTQ, gptq_matrix), (AWQ, awq_matrix)])
def test_every_tensor_stands_for_its_values(tmp_path: Path, keys: dict[str, Any], matrix: Any) -> None:
    reference = write_packed(tmp_path, keys, matrix)
    checkpoint = open_checkpoint(tmp_path)
    for name, values in reference.items():
        assert np.abs(checkpoint.tensor(name) - values).max() < 1e-7
        packed = name.endswith("_proj.weight")
        assert checkpoint.dtype(name) == ("int32" if packed else "float16")
        assert checkpoint.tensor_bytes(name) < values.size if packed else 2 * values.size


@pytest.mark.parametrize(
    ("keys", "changes", "message"),
    [
        (GPTQ, {"bits": 3}, "bits 3 is not supported; supported: 4, 8"),
        (GPTQ, {"bits": None}, "bits None is not supported"),
        (GPTQ, {"group_size": 48}, "group_size must be -1 or a multiple of 32, is 48"),
        (GPTQ, {"sym": "yes"}, "sym 'yes' is not supported; supported: True, False"),
        (
            GPTQ,
            {"checkpoint_format": "marlin"},
            "checkpoint_format 'marlin' is not supported; supported: gptq",
        ),
        (GPTQ, {"is_marlin_format": True}, "is_marlin_format True is not supported"),
        (AWQ, {"bits": 8}, "bits 8 is not supported; supported: 4"),
        (AWQ, {"version": "gemv"}, "version 'gemv' is not supported; supported: gemm"),
        (AWQ, {"zero_point": False}, "zero_point False is not supported; supported: True"),
        (AWQ, {"group_size": None}, "group_size must be -1 or a multiple of 32, is None"),
        (AWQ, {"quant_method": "bitsandbytes"}, r"quantized weights \(bitsandbytes\) are not supported; sup"),
        (AWQ, {"group_size": 64}, r"qweight|qzeros has shape \[2, 32\], config\.json asks for \[4, 32\]"),
    ],
)
def test_keys_that_are_refused(
    tmp_path: Path, keys: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    write_packed(tmp_path, keys, gptq_matrix if keys is GPTQ else awq_matrix)
    with_quantization(tmp_path, **changes)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path)


def test_older_names_of_keys(tmp_path: Path, gptq: Path) -> None:
    write_packed(
        tmp_path / "awq",
        {"quant_method": "awq", "w_bit": 4, "q_group_size": 64},
        partial(awq_matrix, group=64),
    )
    assert open_checkpoint(tmp_path / "awq").published == "AWQ, groups of 64"
    write_packed(tmp_path / "gptq", GPTQ, gptq_matrix)
    config = json.loads((tmp_path / "gptq" / "config.json").read_text())
    quantization = config.pop("quantization_config")
    del quantization["quant_method"]
    (tmp_path / "gptq" / "config.json").write_text(json.dumps(config))
    (tmp_path / "gptq" / "quantize_config.json").write_text(json.dumps(quantization))
    assert open_checkpoint(tmp_path / "gptq").published == "GPTQ, groups of 128"
    assert np.array_equal(
        logits_of(Model.load(tmp_path / "gptq"), [1, 2]), logits_of(Model.load(gptq), [1, 2])
    )


def test_biases_that_packers_add_must_be_zero(tmp_path: Path, gptq: Path) -> None:
    zeros = np.zeros(256, np.float16)
    write_packed(tmp_path, GPTQ, gptq_matrix, {DOWN + "bias": zeros})
    assert np.array_equal(logits_of(Model.load(tmp_path), [1, 2]), logits_of(Model.load(gptq), [1, 2]))
    write_packed(tmp_path, GPTQ, gptq_matrix, {DOWN + "bias": zeros + 1})
    with pytest.raises(CheckpointError, match=r"has 1 tensor \(model\.layers\.0\.mlp\.down_proj\.bias\)"):
        open_checkpoint(tmp_path)


def test_the_order_of_inputs_may_be_left_out(tmp_path: Path, gptq: Path) -> None:
    names = [
        f"model.layers.{layer}.{part}_proj.g_idx" for layer in (0, 1) for part in ("mlp.up", "self_attn.q")
    ]
    write_packed(tmp_path, GPTQ, gptq_matrix, dict.fromkeys(names))
    assert np.array_equal(logits_of(Model.load(tmp_path), [1, 2]), logits_of(Model.load(gptq), [1, 2]))


def test_a_matrix_may_be_left_unquantised(tmp_path: Path) -> None:
    parts = dict.fromkeys(DOWN + part for part in ("qweight", "qzeros", "scales", "g_idx"))
    values = np.random.default_rng(0).normal(size=(256, 512)).astype(np.float16)
    write_packed(tmp_path, GPTQ, gptq_matrix, parts | {DOWN + "weight": values})
    model = Model.load(tmp_path)
    assert model.precision.of(DOWN + "weight").precision == "bfloat16"
    assert model.precision.name == "int4+bfloat16 (GPTQ, groups of 128)"
    assert np.isfinite(logits_of(model, [1, 2])).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({DOWN + "qzeros": None}, r"misses 1 tensor \(model\.layers\.0\.mlp\.down_proj\.qzeros\)"),
        ({DOWN + "weight": np.zeros((256, 512), np.float16)}, r"has 1 tensor \(model\.layers\.0\.mlp\.down"),
        (
            {DOWN + "scales": np.zeros((8, 256), np.float16)},
            r"scales has shape \[8, 256\], config\.json asks for \[4, 256\]",
        ),
        ({DOWN + "qweight": np.zeros((64, 256), np.float32)}, "qweight is of type float32; supported: int32"),
        (
            {DOWN + "scales": np.zeros((4, 256), np.int32)},
            "scales is of type int32; supported: BF16, F16, F32",
        ),
        (
            {"model.norm.weight": np.zeros(256, np.int32)},
            "model.norm.weight is of type int32; supported: BF16",
        ),
    ],
)
def test_tensors_that_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_packed(tmp_path, GPTQ, gptq_matrix, changes)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path)


def test_contents_that_are_refused(tmp_path: Path) -> None:
    """What only the values show is said when they are read, with the tensor's name."""
    write_packed(tmp_path, GPTQ, gptq_matrix, {DOWN + "qzeros": np.full((4, 32), 0x11111111, np.int32)})
    with pytest.raises(
        CheckpointError, match=r"tensor model\.layers\.0\.mlp\.down_proj\.weight: .* says sym, so"
    ):
        Model.load(tmp_path)
    write_packed(tmp_path, GPTQ, gptq_matrix, {DOWN + "scales": np.full((4, 256), np.nan, np.float16)})
    with pytest.raises(
        CheckpointError, match=r"down_proj\.weight, from row 0 on: row \d+ holds a code of more"
    ):
        Model.load(tmp_path)


def test_a_folder_without_a_packing_refuses_packed_tensors(tmp_path: Path) -> None:
    write_packed(tmp_path, GPTQ, gptq_matrix)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["quantization_config"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="misses 14 tensors"):
        open_checkpoint(tmp_path)
