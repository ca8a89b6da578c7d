from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import OTHER_ADDED_TOKENS, SPECIAL_TOKENS, write_test_tokenizer

from wending.model.errors import CheckpointError
from wending.model.tokenizer import Tokenizer

TEXTS = (
    "",
    "hello the world",
    " \n\t  spaces\r\n",
    "稳定的中文，和標點。",
    "français, العربية, 日本語",
    "🙂👩‍👩‍👧‍👦 e\u0301",
    "\x00\x7f\u200b",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_test_tokenizer(folder)
    return Tokenizer.load(folder)


@pytest.fixture(scope="session")
def qwen(qwen_tokenizer_folder: Path) -> Tokenizer:
    return Tokenizer.load(qwen_tokenizer_folder)


def test_ids_and_their_kinds(tiny: Tokenizer) -> None:
    assert tiny.vocab_size == 280
    assert tiny.special_token_ids == frozenset(range(258, 272))
    assert tiny.added_tokens["<|im_end|>"] == 260
    assert tiny.encode("hello the") == [256, 108, 108, 111, 257, 256]


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(tiny: Tokenizer, text: str) -> None:
    composed = text.replace("e\u0301", "é")  # the tokenizer's own normalisation, NFC
    assert tiny.decode(tiny.encode(text)) == composed
    assert b"".join(map(tiny.token_bytes, tiny.encode(text))) == composed.encode()


@pytest.mark.parametrize("token", [*SPECIAL_TOKENS, *OTHER_ADDED_TOKENS])
def test_plain_encoding_never_yields_an_added_token(tiny: Tokenizer, token: str) -> None:
    text = f"a{token}b {token}\n{token}"
    assert not set(tiny.encode(text)) & set(tiny.added_tokens.values())
    assert tiny.decode(tiny.encode(text)) == text
    assert tiny.encode_with_special(text).count(tiny.added_tokens[token]) == 3


def test_special_tokens_are_left_out_of_text_and_others_are_not(tiny: Tokenizer) -> None:
    ids = tiny.encode_with_special("<|im_start|>a<tool_call>b</tool_call><|im_end|>")
    assert tiny.decode(ids) == "a<tool_call>b</tool_call>"
    assert tiny.token_bytes(tiny.added_tokens["<|im_end|>"]) == b""
    assert tiny.token_bytes(tiny.added_tokens["<tool_call>"]) == b"<tool_call>"


def test_half_a_character_is_replaced(tiny: Tokenizer) -> None:
    ids = tiny.encode("好")
    assert len(ids) == 3
    assert tiny.decode(ids[:2]) == "\ufffd"


@pytest.mark.parametrize("token_id", [-1, 280, 319])
def test_an_id_without_a_token_is_refused(tiny: Tokenizer, token_id: int) -> None:
    with pytest.raises(IndexError, match=f"token id {token_id} is outside 0 to 279"):
        tiny.decode([token_id])


def changed(folder: Path, change: Any) -> Path:
    write_test_tokenizer(folder)
    definition = json.loads((folder / "tokenizer.json").read_text())
    change(definition)
    (folder / "tokenizer.json").write_text(json.dumps(definition))
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["model"].update(type="Unigram"), "is not a BPE tokenizer"),
        (lambda d: d["decoder"].update(type="Metaspace"), "decoder is not ByteLevel"),
        (lambda d: d.pop("added_tokens"), "added_tokens is missing"),
        (lambda d: d["added_tokens"][0].pop("special"), "lacks id, content or special"),
        (lambda d: d["added_tokens"][0].update(lstrip=True), r"\['lstrip'\] set, which is not supported"),
        (lambda d: d["added_tokens"][0].update(id=300), "do not have the ids 0 to 279"),
        (lambda d: d["model"]["vocab"].update({"日": 280}), "no byte-level character"),
        (lambda d: d["model"].update(merges=["x y z w"]), "not a tokenizer this version can read"),
    ],
)
def test_another_kind_of_tokenizer_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Tokenizer.load(changed(tmp_path, change))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: cannot be read"):
        Tokenizer.load(tmp_path)


def test_reference_vectors_of_qwen(qwen: Tokenizer, qwen_tokenizer_folder: Path) -> None:
    """47 texts and their ids by an independent implementation of the same tokenizer."""
    reference = qwen_tokenizer_folder / "reference" / "ggml-vocab-qwen2.gguf"
    texts = reference.with_suffix(".gguf.inp").read_text("utf-8").split("\n__ggml_vocab_test__\n")
    lines = reference.with_suffix(".gguf.out").read_text().split("\n")
    pairs = [(text, [int(i) for i in line.split()]) for text, line in zip(texts, lines, strict=False)]
    assert len(pairs) >= 47
    for text, ids in pairs:
        assert qwen.encode(text) == ids


def test_qwen_equals_transformers(qwen: Tokenizer, qwen_tokenizer_folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    reference = transformers.AutoTokenizer.from_pretrained(qwen_tokenizer_folder)
    assert qwen.vocab_size == len(reference) == 151665
    assert qwen.special_token_ids == frozenset(reference.all_special_ids)
    for text in TEXTS:
        assert qwen.encode(text) == reference(text).input_ids
        marked = f"<|im_start|>user\n{text}<|im_end|>\n<tool_call>{text}</tool_call>"
        ids = reference(marked).input_ids
        assert qwen.encode_with_special(marked) == ids
        assert qwen.decode(ids) == reference.decode(ids, skip_special_tokens=True)
