"""Documents are marked where the assistant writes, and rows hold each document whole."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from tokenizers import Tokenizer
from train.dialogues import training_dialogues
from train.pack import IGNORED, LONGEST_ROW, batches, encode
from train.tokenizer import train_tokenizer

DIALOGUES = list(islice(training_dialogues(0), 300))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(m["content"] for d in DIALOGUES for m in d.messages)


def test_exactly_the_assistants_words_are_marked(tokenizer: Tokenizer) -> None:
    for dialogue, document in zip(DIALOGUES[:100], encode(DIALOGUES[:100], tokenizer), strict=True):
        text = tokenizer.decode(document.ids[document.weights > 0].tolist(), skip_special_tokens=False)
        answers = [m["content"] + "<|im_end|>" for m in dialogue.messages if m["role"] == "assistant"]
        assert text == "".join(answers)


def test_batches_hold_every_document_once_and_whole(tokenizer: Tokenizer) -> None:
    documents = list(encode(DIALOGUES, tokenizer))
    padding = tokenizer.token_to_id("<|endoftext|>")
    rows = []
    for batch in batches(documents, 4096, padding, seed=0):
        assert batch.ids.shape == batch.targets.shape
        assert batch.ids.size <= max(4096, LONGEST_ROW)
        rows += [tuple(row[row != padding]) for row in batch.ids]
    assert sorted(rows) == sorted(tuple(d.ids[:-1]) for d in documents)


def test_targets_are_the_next_ids_that_the_assistant_wrote(tokenizer: Tokenizer) -> None:
    document = next(encode(DIALOGUES[:1], tokenizer))
    batch = next(batches([document], 4096, 0, seed=0))
    wanted = batch.targets[0] != IGNORED
    assert np.array_equal(wanted, document.weights[1:] > 0)
    assert np.array_equal(batch.targets[0][wanted], document.ids[1:][wanted])


def test_decisions_of_a_json_answer_weigh_more_than_its_values(tokenizer: Tokenizer) -> None:
    dialogue = next(d for d in training_dialogues(0) if d.kind == "json_output" and '"salary": ' in d.answer)
    document = next(encode([dialogue], tokenizer))
    heavy = tokenizer.decode(document.ids[document.weights > 1].tolist())
    light = tokenizer.decode(document.ids[document.weights == 1].tolist())
    assert "}" in heavy
    assert "}" not in light
    assert not any(c.isdigit() for c in heavy)


def test_order_depends_on_the_seed_alone(tokenizer: Tokenizer) -> None:
    def first(seed: int) -> list[tuple[int, ...]]:
        return [b.ids.shape for b in batches(encode(DIALOGUES, tokenizer), 2048, 0, seed)]

    assert first(1) == first(1)
    assert first(1) != first(2)
