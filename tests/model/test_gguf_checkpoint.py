"""GGUF files as llama.cpp's own package writes them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.model.forward import logits_of
from tests.published_checkpoints import gguf_name, vocabulary, write_gguf
from tests.random_checkpoint import from_bfloat16, write_test_tokenizer

from wending.model.config import RopeScaling
from wending.model.errors import CheckpointError
from wending.model.gguf_file import GgufFile
from wending.model.model import Model
from wending.model.open_checkpoint import open_checkpoint
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

gguf = pytest.importorskip("gguf")


def bf16(_name: str) -> str:
    return "BF16"


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_published(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def written(tmp_path: Path, **changes: Any) -> Path:
    write_gguf(tmp_path / "model.gguf", bf16, **changes)
    return tmp_path / "model.gguf"


def test_metadata_and_tensors_equal_the_reference_reader(tmp_path: Path) -> None:
    path = written(
        tmp_path, changes={"some.numbers": [1, 2, 3], "some.floats": [0.5, 2.0], "some.flag": True}
    )
    file, reference = GgufFile(path), gguf.GGUFReader(path)
    for key, field in reference.fields.items():
        if not key.startswith("GGUF."):
            assert file.metadata[key] == field.contents()
    assert set(file.tensors) == {tensor.name for tensor in reference.tensors}
    for tensor in reference.tensors:
        assert file.tensors[tensor.name].shape == tuple(int(size) for size in tensor.shape[::-1])
        assert np.array_equal(file.raw(tensor.name).ravel(), tensor.data.view(np.uint8).ravel())


def test_every_tensor_of_the_model_is_found(tmp_path: Path) -> None:
    reference = write_gguf(tmp_path / "model.gguf", bf16, tie_word_embeddings=False)
    checkpoint = open_checkpoint(tmp_path / "model.gguf")
    for name, values in reference.items():
        tensor = checkpoint.tensor(name)
        assert np.array_equal(from_bfloat16(tensor) if tensor.dtype == np.uint16 else tensor, values)
        assert checkpoint.tensor_bytes(name) == values.size * (2 if values.ndim == 2 else 4)
    config = checkpoint.config
    assert (config.num_hidden_layers, config.hidden_size, config.intermediate_size) == (2, 256, 512)
    assert (config.num_attention_heads, config.num_key_value_heads, config.head_dim) == (4, 1, 64)
    assert (config.vocab_size, config.max_position_embeddings) == (320, 4096)
    assert (config.rms_norm_eps, config.rope_theta, config.eos_token_ids) == (1e-6, 1e4, (260,))
    assert not config.tie_word_embeddings


def test_yarn(tmp_path: Path) -> None:
    scaling = {
        "qwen2.rope.scaling.type": "yarn",
        "qwen2.rope.scaling.factor": np.float32(4),
        "qwen2.rope.scaling.original_context_length": np.uint32(2048),
    }
    config = open_checkpoint(written(tmp_path, changes=scaling)).config
    assert config.rope_scaling is not None
    assert config.rope_scaling == RopeScaling(4.0, 2048, config.rope_scaling.attention_factor)
    assert config.max_context == 8192


def test_names_of_precision_come_from_the_file_or_its_types(tmp_path: Path) -> None:
    write_gguf(tmp_path / "a.gguf", lambda _: "Q8_0", {"general.file_type": np.uint32(7)})
    write_gguf(
        tmp_path / "b.gguf", lambda name: "Q4_K" if "mlp" in name else "Q8_0", {"general.file_type": None}
    )
    assert open_checkpoint(tmp_path / "a.gguf").published == "GGUF Q8_0"
    assert open_checkpoint(tmp_path / "b.gguf").published == "GGUF Q8_0+Q4_K"


def test_a_file_in_parts(tmp_path: Path) -> None:
    """As published for the larger models: split by the format's own writer."""
    whole, parts = tmp_path / "whole.gguf", tmp_path / "parts.gguf"
    write_gguf(whole, bf16)
    write_gguf(parts, bf16, split_max_tensors=10)
    first = tmp_path / "parts-00001-of-00003.gguf"
    assert np.array_equal(logits_of(Model.load(first), [1, 2, 3]), logits_of(Model.load(whole), [1, 2, 3]))
    assert open_published(first).name == "parts"
    assert "is part 2 of 3; name the first part" in refusal(tmp_path / "parts-00002-of-00003.gguf")
    first.rename(tmp_path / "renamed.gguf")
    assert "is one of 3 parts, so its name must end in -00001-of-00003" in refusal(tmp_path / "renamed.gguf")
    (tmp_path / "renamed.gguf").rename(first)
    (tmp_path / "parts-00003-of-00003.gguf").unlink()
    with pytest.raises(CheckpointError, match=r"parts-00003-of-00003\.gguf: cannot be read"):
        open_checkpoint(first)


@pytest.mark.parametrize("kept", [0, 3, 4, 20, 30, 200, 5000, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert "truncated" in refusal(path) if kept else "cannot be read" in refusal(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    path.write_bytes(b"GGML" + content[4:])
    assert "begins with b'GGML', a GGUF file begins with b'GGUF'" in refusal(path)
    path.write_bytes(content[:4] + (1).to_bytes(4, "little") + content[8:])
    assert "is version 1 of GGUF; supported: versions 2 and 3, little-endian" in refusal(path)
    path.write_bytes(content[:4] + (3).to_bytes(4, "big") + content[8:])
    assert "is a big-endian file" in refusal(path)
    assert "cannot be read: [Errno 2]" in refusal(tmp_path / "absent.gguf")


def test_a_type_that_is_lacking_is_refused_by_name(tmp_path: Path) -> None:
    blocks = np.zeros((512, 144), np.uint8)
    path = written(tmp_path, tensor_changes={"blk.1.ffn_up.weight": blocks}, type_of_changes="IQ4_NL")
    assert (
        "tensor blk.1.ffn_up.weight is of type IQ4_NL; "
        "supported: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K"
    ) in refusal(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"general.architecture": "llama"},
            "general.architecture 'llama' is not supported; supported: 'qwen2'",
        ),
        (
            {"qwen2.block_count": None, "qwen2.context_length": None},
            "qwen2.block_count, qwen2.context_length",
        ),
        ({"qwen2.attention.head_count": np.uint32(5)}, "not a multiple of"),
        (
            {"qwen2.embedding_length": np.uint32(128)},
            "tensor token_embd.weight has shape [320, 256], the meta",
        ),
        ({"qwen2.block_count": np.uint32(3)}, "misses 12 tensors (blk.2.attn_k.bias"),
        ({"qwen2.block_count": np.uint32(1)}, "has 12 tensors (blk.1.attn_k.bias"),
        ({"qwen2.rope.scaling.type": "linear"}, "type 'linear' is not supported; supported: 'yarn'"),
        (
            {"qwen2.rope.scaling.type": "yarn", "qwen2.rope.scaling.attn_factor": np.float32(2)},
            "qwen2.rope.scaling.attn_factor is not supported",
        ),
        ({"general.alignment": np.uint32(48)}, "general.alignment must be a power of two, is 48"),
        ({"tokenizer.ggml.model": "llama"}, "tokenizer.ggml.model 'llama' with tokenizer.ggml.pre 'qwen2'"),
        (
            {"tokenizer.ggml.pre": None},
            "tokenizer.ggml.pre None is not supported; supported: 'gpt2' with 'qw",
        ),
        ({"tokenizer.ggml.tokens": None}, "tokenizer.ggml.tokens must be a list of str"),
        ({"tokenizer.ggml.token_type": [1] * 9}, "has 320 tokens, but 9 types of tokens"),
        (
            {"tokenizer.ggml.token_type": [2] + [1] * 319},
            "token 0 ('Ā') is of type 2, which is not supported",
        ),
        ({"tokenizer.ggml.merges": ["h x"]}, "is not a tokenizer this version can read"),
        ({"tokenizer.chat_template": None}, "has no tokenizer.chat_template"),
        ({"tokenizer.chat_template": "{% if"}, "the chat template is not valid Jinja"),
        ({"general.sampling.top_p": np.float32(2)}, "top_p must be a number from 0 to 1, is 2.0"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert message in refusal(written(tmp_path, changes=changes))


def test_tensors_that_do_not_belong(tmp_path: Path) -> None:
    ones = np.ones((4,), np.float32)
    assert "has 1 tensor (blk.0.attn_q_norm.weight)" in refusal(
        written(tmp_path, tensor_changes={"blk.0.attn_q_norm.weight": ones})
    )
    assert "misses the tensor token_embd.weight" in refusal(
        written(tmp_path, tensor_changes={"token_embd.weight": None})
    )
    assert "tensor blk.0.attn_q.bias has shape [4], the metadata asks for [256]" in refusal(
        written(tmp_path, tensor_changes={"blk.0.attn_q.bias": ones})
    )


def test_sampling_defaults(tmp_path: Path) -> None:
    found = open_published(written(tmp_path)).generation_config
    assert (found.eos_token_ids, found.temperature, found.top_k) == ((260, 258), 1.0, 0)
    sampling = {"temp": np.float32(0.5), "top_k": np.uint32(20), "penalty_repeat": np.float32(1.25)}
    changes = {f"general.sampling.{key}": value for key, value in sampling.items()}
    found = open_published(written(tmp_path, changes=changes)).generation_config
    assert (found.temperature, found.top_k, found.repetition_penalty) == (0.5, 20, 1.25)


def test_a_small_tokenizer_is_the_same(tmp_path: Path) -> None:
    write_test_tokenizer(tmp_path)
    expected, found = Tokenizer.load(tmp_path), open_published(written(tmp_path)).tokenizer
    assert found.added_tokens == expected.added_tokens
    assert found.special_token_ids == expected.special_token_ids
    assert found.vocab_size == expected.vocab_size == 280


def test_qwens_own_tokenizer_is_the_same(tmp_path: Path, qwen_tokenizer_folder: Path) -> None:
    """Written into a GGUF as llama.cpp's converter does, and read back."""
    definition = json.loads((qwen_tokenizer_folder / "tokenizer.json").read_text(encoding="utf-8"))
    template = (qwen_tokenizer_folder / "chat_template.jinja").read_text(encoding="utf-8")
    path = tmp_path / "model.gguf"
    write_gguf(path, bf16, tokenizer=vocabulary(definition, 151936, template), vocab_size=151936)
    expected, published = Tokenizer.load(qwen_tokenizer_folder), open_published(path)
    found = published.tokenizer
    assert found.added_tokens == expected.added_tokens
    assert found.special_token_ids == expected.special_token_ids
    assert found.vocab_size == expected.vocab_size == 151665
    assert all(found.token_bytes(number) == expected.token_bytes(number) for number in range(151665))
    reference = qwen_tokenizer_folder / "reference" / "ggml-vocab-qwen2.gguf.inp"
    texts = reference.read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    for text in [*texts, "e\u0301 我想在apple工作1314151天～", "<|im_start|>user\n<tool_call>'LL we'Ve"]:
        assert found.encode(text) == expected.encode(text)
        assert found.encode_with_special(text) == expected.encode_with_special(text)
    assert published.chat_template.source == template
    assert published.generation_config.eos_token_ids == (151645, 151643)


def test_names_of_all_tensors() -> None:
    """The names of the test helper, which writes, are those of the format's own table."""
    table = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, 2)
    for name in (
        "model.embed_tokens.weight",
        "model.norm.weight",
        "lm_head.weight",
        "model.layers.1.input_layernorm.weight",
        "model.layers.1.self_attn.q_proj.bias",
        "model.layers.1.self_attn.o_proj.weight",
        "model.layers.1.post_attention_layernorm.weight",
        "model.layers.0.mlp.gate_proj.weight",
        "model.layers.0.mlp.down_proj.weight",
    ):
        assert gguf_name(name) == table.get_name(name, try_suffixes=(".weight", ".bias"))
