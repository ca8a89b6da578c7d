"""Checkpoints as they are published, against transformers in float32 with the values that they stand for.

Widened to float32 the logits must equal the reference's, so that what is unpacked is exactly what was packed.
As published, in 4 and 8 bits, activations are rounded to bytes too: that is what the wider limits are for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.model.forward import logits_of
from tests.parity.test_logits import error, prompt, reference_logits
from tests.published_checkpoints import (
    Parameters,
    awq_matrix,
    config_of,
    gptq_matrix,
    write_gguf,
    write_packed,
)
from tests.random_checkpoint import write_random_checkpoint, write_safetensors

from wending.model.model import Model

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("gguf")

ROUNDED = 0.03
Write = Callable[..., Parameters]


def gptq(path: Path, bits: int = 4, group: int = 128, symmetric: bool = True, **overrides: Any) -> Parameters:
    keys = {"quant_method": "gptq", "bits": bits, "group_size": group, "sym": symmetric, "desc_act": False}
    return write_packed(
        path, keys, partial(gptq_matrix, bits=bits, group=group, symmetric=symmetric), **overrides
    )


def sorted_gptq(path: Path, **overrides: Any) -> Parameters:
    keys = {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True, "desc_act": True}
    return write_packed(path, keys, partial(gptq_matrix, sorted_by_activation=True), **overrides)


def awq(path: Path, group: int = 128, **overrides: Any) -> Parameters:
    keys = {"quant_method": "awq", "bits": 4, "group_size": group, "zero_point": True, "version": "gemm"}
    return write_packed(path, keys, partial(awq_matrix, group=group), **overrides)


def mixture(name: str) -> str:
    """Types as in a Q4_K_M file: more bits where it pays, others where rows do not divide by 256."""
    if "embed" in name or name == "lm_head.weight":
        return "Q8_0"
    if "v_proj" in name or "down_proj" in name:
        return "Q6_K" if ".0." in name else "Q5_0"
    return "Q4_K"


def gguf(path: Path, kind: str | None = None, **overrides: Any) -> Parameters:
    path.mkdir()
    return write_gguf(path / "model.gguf", (lambda _: kind) if kind else mixture, **overrides)


# What is written; what "auto" makes of it; and how far its logits may be from the reference's.
CHECKPOINTS: dict[str, tuple[Write, str, float]] = {
    "GPTQ-Int4": (gptq, "int4 (GPTQ, groups of 128)", ROUNDED),
    "GPTQ-Int4 with zeros": (partial(gptq, symmetric=False), "int4 (GPTQ, groups of 128)", ROUNDED),
    "GPTQ-Int4 of 32": (partial(gptq, group=32), "int4 (GPTQ, groups of 32)", ROUNDED),
    "GPTQ-Int4 by row": (partial(gptq, group=-1), "int4 (GPTQ, one group a row)", ROUNDED),
    "GPTQ-Int4 sorted": (sorted_gptq, "int8 (GPTQ, groups of 128)", ROUNDED),
    "GPTQ-Int8": (partial(gptq, bits=8), "int8 (GPTQ, groups of 128)", ROUNDED),
    "GPTQ-Int8 with zeros": (partial(gptq, bits=8, symmetric=False), "int8 (GPTQ, groups of 128)", ROUNDED),
    "AWQ": (awq, "int4 (AWQ, groups of 128)", ROUNDED),
    "AWQ of 64": (partial(awq, group=64), "int4 (AWQ, groups of 64)", ROUNDED),
    "Q4_K_M": (gguf, "int4+int8 (GGUF Q4_K_M)", ROUNDED),
    "F32": (partial(gguf, kind="F32"), "f32", 1e-4),
    "F16": (partial(gguf, kind="F16"), "f32", 1e-4),
    "BF16": (partial(gguf, kind="BF16"), "bf16", 1e-2),
}
CHECKPOINTS |= {
    kind: (partial(gguf, kind=kind), f"{bits} (GGUF Q4_K_M)", ROUNDED)
    for kind, bits in {"Q4_0": "int4", "Q4_1": "int4", "Q4_K": "int4"}.items()
}
CHECKPOINTS |= {
    kind: (partial(gguf, kind=kind), "int8 (GGUF Q4_K_M)", ROUNDED)
    for kind in ("Q5_0", "Q5_1", "Q8_0", "Q5_K", "Q6_K")
}


def write_reference(folder: Path, parameters: Parameters, **overrides: Any) -> Path:
    config = config_of(**overrides)
    write_random_checkpoint(folder, config, dtype="float32")
    shapes = {name: values.shape for name, values in parameters.items()}
    write_safetensors(folder / "model.safetensors", shapes, parameters.items(), "float32")
    return folder


def path_of(folder: Path) -> Path:
    return folder / "model.gguf" if (folder / "model.gguf").exists() else folder


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_logits(tmp_path: Path, kind: str) -> None:
    write, name, limit = CHECKPOINTS[kind]
    parameters = write(tmp_path / "published")
    path = path_of(tmp_path / "published")
    expected = reference_logits(write_reference(tmp_path / "reference", parameters), prompt(60))
    assert error(logits_of(Model.load(path, "f32"), prompt(60)), expected) < 1e-4
    model = Model.load(path)
    assert model.precision.name == name
    assert model.weight_bytes == model.precision.weight_bytes(model.config)
    assert error(logits_of(model, prompt(60)), expected) < limit


@pytest.mark.parametrize("kind", ["GPTQ-Int4", "AWQ", "Q4_K_M"])
def test_untied_heads(tmp_path: Path, kind: str) -> None:
    write = CHECKPOINTS[kind][0]
    parameters = write(tmp_path / "published", tie_word_embeddings=False)
    reference = write_reference(tmp_path / "reference", parameters, tie_word_embeddings=False)
    model = Model.load(path_of(tmp_path / "published"), "f32")
    assert not model.config.tie_word_embeddings
    assert error(logits_of(model, prompt(30)), reference_logits(reference, prompt(30))) < 1e-4


@pytest.mark.parametrize("kind", ["GPTQ-Int4", "GPTQ-Int8", "AWQ", "Q4_K_M", "Q4_0", "Q8_0"])
@pytest.mark.parametrize("quant", ["bf16", "int8", "int4"])
def test_other_precisions_on_request(tmp_path: Path, kind: str, quant: str) -> None:
    parameters = CHECKPOINTS[kind][0](tmp_path / "published")
    expected = reference_logits(write_reference(tmp_path / "reference", parameters), prompt(30))
    model = Model.load(path_of(tmp_path / "published"), quant)  # type: ignore[arg-type]
    assert model.precision.name.startswith(quant)
    limit = {"bf16": 0.01, "int8": 0.03, "int4": 0.25 if kind in ("GPTQ-Int8", "Q8_0") else 0.12}[quant]
    assert error(logits_of(model, prompt(30)), expected) < limit


def test_published_bits_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    """int4 of a 4-bit checkpoint rounds nothing again but embedding and head, which become 8 bits."""
    gptq(tmp_path / "published")
    asked, published = Model.load(tmp_path / "published", "int4"), Model.load(tmp_path / "published")
    assert asked.precision.name == "int4 (GPTQ, groups of 128)"
    layer = "model.layers.0.mlp.down_proj.weight"
    assert asked.precision.of(layer) == published.precision.of(layer)
    assert asked.precision.of("model.embed_tokens.weight").precision == "int8"
    assert asked.weight_bytes < published.weight_bytes
    assert np.abs(logits_of(asked, prompt(20)) - logits_of(published, prompt(20))).max() < 0.2
