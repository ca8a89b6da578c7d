from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.random_checkpoint import (
    parameter_shapes,
    random_parameters,
    small_config,
    to_bfloat16,
    write_random_checkpoint,
    write_safetensors,
)

from wending.model.errors import CheckpointError
from wending.model.open_checkpoint import open_checkpoint


def with_tensors(folder: Path, changes: dict[str, Any], **overrides: Any) -> Path:
    """A checkpoint whose tensors are changed: a value replaces or adds one, None takes one away."""
    config = small_config(**overrides)
    write_random_checkpoint(folder, config, dtype="float32")
    tensors = dict(random_parameters(config, seed=0)) | changes
    tensors = {name: values for name, values in tensors.items() if values is not None}
    shapes = {name: values.shape for name, values in tensors.items()}
    write_safetensors(folder / "model.safetensors", shapes, tensors.items(), "float32")
    return folder


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_reads_one_file_or_many(tmp_path: Path, shards: int, dtype: str) -> None:
    config = small_config()
    checkpoint = open_checkpoint(write_random_checkpoint(tmp_path, config, 7, dtype, shards=shards))
    for name, values in random_parameters(config, seed=7):
        expected = to_bfloat16(values) if dtype == "bfloat16" else values.astype(dtype)
        assert np.array_equal(checkpoint.tensor(name), expected)
        assert checkpoint.tensor(name).dtype == (np.uint16 if dtype == "bfloat16" else np.float32)
        assert checkpoint.tensor_bytes(name) == values.size * (4 if dtype == "float32" else 2)


def test_missing_tensors_are_counted_and_named(tmp_path: Path) -> None:
    names = [name for name in parameter_shapes(small_config()) if name.endswith("bias")]
    with_tensors(tmp_path, dict.fromkeys(names))
    with pytest.raises(CheckpointError, match=r"misses 6 tensors \(model\.layers\.0.*k_proj\.bias.*…\)"):
        open_checkpoint(tmp_path)


def test_extra_tensors_are_named(tmp_path: Path) -> None:
    with_tensors(tmp_path, {"model.layers.0.self_attn.q_norm.weight": np.ones(16, np.float32)})
    with pytest.raises(CheckpointError, match=r"has 1 tensor \(model\.layers\.0\.self_attn\.q_norm"):
        open_checkpoint(tmp_path)


def test_a_wrong_shape_is_named_with_both(tmp_path: Path) -> None:
    with_tensors(tmp_path, {"model.norm.weight": np.ones(63, np.float32)})
    with pytest.raises(CheckpointError, match=r"model\.norm\.weight has shape \[63\].*asks for \[64\]"):
        open_checkpoint(tmp_path)


def test_stored_rotary_frequencies_are_ignored(tmp_path: Path) -> None:
    inverse = {"model.layers.1.self_attn.rotary_emb.inv_freq": np.ones(8, np.float32)}
    open_checkpoint(with_tensors(tmp_path, inverse))


def test_a_head_beside_tied_embeddings_must_be_the_same_matrix(tmp_path: Path) -> None:
    embedding = dict(random_parameters(small_config(), seed=0))["model.embed_tokens.weight"]
    open_checkpoint(with_tensors(tmp_path, {"lm_head.weight": embedding}))
    with_tensors(tmp_path, {"lm_head.weight": embedding + 1})
    with pytest.raises(CheckpointError, match=r"lm_head\.weight differs from model\.embed_tokens\.weight"):
        open_checkpoint(tmp_path)


def test_an_untied_model_needs_its_head(tmp_path: Path) -> None:
    with_tensors(tmp_path, {"lm_head.weight": None}, tie_word_embeddings=False)
    with pytest.raises(CheckpointError, match=r"misses 1 tensor \(lm_head\.weight\)"):
        open_checkpoint(tmp_path)


def test_a_folder_without_weights_says_what_it_looked_for(tmp_path: Path) -> None:
    write_random_checkpoint(tmp_path, small_config())
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"neither model\.safetensors nor model\.safetensors\.index"):
        open_checkpoint(tmp_path)


def test_an_index_that_disagrees_with_its_files_is_refused(tmp_path: Path) -> None:
    write_random_checkpoint(tmp_path, small_config(), shards=2)
    index = tmp_path / "model.safetensors.index.json"
    weight_map = json.loads(index.read_text())["weight_map"]

    def write(**changes: Any) -> None:
        index.write_text(json.dumps({"weight_map": weight_map | changes}))

    write(**{"model.norm.weight": "model-00001-of-00002.safetensors"})
    with pytest.raises(CheckpointError, match=r"disagrees with .*index\.json about 1 tensor"):
        open_checkpoint(tmp_path)
    write(**{"model.norm.weight": "../elsewhere.safetensors"})
    with pytest.raises(CheckpointError, match="outside the folder"):
        open_checkpoint(tmp_path)
    write(**{"model.norm.weight": 3})
    with pytest.raises(CheckpointError, match="weight_map must be an object"):
        open_checkpoint(tmp_path)
    write()
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model-00002-of-00002\.safetensors: cannot be read"):
        open_checkpoint(tmp_path)
