"""The tokenizer keeps every text, splits digits, carries Qwen2.5's tokens; the template is ChatML."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from train.dialogues import training_dialogues
from train.tokenizer import PLAIN_TOKENS, SPECIAL_TOKENS, ChatRenderer, tokenizer_config, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(m["content"] for d in islice(training_dialogues(0), 500) for m in d.messages)


@pytest.mark.parametrize(
    "text",
    ["Hello, world", "一个水池", "カップに注ぎます", "ضع الغطاء", "l'œuf", "12,345", "🙂", "a\n\n  b\t"],
)
def test_round_trip(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("2025").tokens == ["2", "0", "2", "5"]


def test_added_tokens_follow_the_learned_ones_in_order(tokenizer: Tokenizer) -> None:
    learned = tokenizer.get_vocab_size(with_added_tokens=False)
    ids = [tokenizer.token_to_id(token) for token in (*SPECIAL_TOKENS, *PLAIN_TOKENS)]
    assert ids == list(range(learned, learned + 22))


def test_template_adds_its_own_system_turn_only_when_there_is_none() -> None:
    render = ChatRenderer()
    user = {"role": "user", "content": "Hi"}
    assert render([user], add_generation_prompt=True) == (
        "<|im_start|>system\nYou are the demonstration model of wending.<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert render([{"role": "system", "content": "S"}, user]) == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    )


def test_transformers_reads_it_alike(tokenizer: Tokenizer, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(tokenizer, 2048)))
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    messages = [{"role": "user", "content": "算一算 12 × 3"}, {"role": "assistant", "content": "12 × 3 = 36"}]
    text = ChatRenderer()(messages)
    assert theirs.apply_chat_template(messages, tokenize=False) == text
    assert theirs(text)["input_ids"] == tokenizer.encode(text).ids
    assert theirs.eos_token == "<|im_end|>"
