"""Turns dialogues into training batches: one document a row, never cut, rows of similar length side by side.

So each document is seen as it is later used: from position 0, with nothing before it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from train.dialogues import Dialogue
from train.tokenizer import ChatRenderer, token_id

IGNORED = -100
LONGEST_ROW = 2048
POOL = 2000
"""Documents that are sorted by length together."""


JSON_DECISION_WEIGHT, JSON_OTHER_WEIGHT = 2.0, 0.5
"""Most of a JSON answer is names and numbers drawn at random, from which nothing can be learned.  What can be
learned, whether another field or record follows and which words the request gave, weighs more, the rest
less."""


@dataclass(frozen=True)
class Document:
    """`ids` of one dialogue and the `weights` of their losses: 0 where the assistant did not write."""

    ids: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """`ids` and `targets`, int64, and `weights`, float32, all (rows, length).

    A target is the next id, or IGNORED.
    """

    ids: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float32]


def mark_answers(ids: Sequence[int], start: int, end: int, header: Sequence[int]) -> NDArray[np.bool_]:
    """True where the assistant wrote: after <|im_start|> and the `header` ids, up to and with <|im_end|>."""
    marks = np.zeros(len(ids), dtype=bool)
    writing = False
    for index, token in enumerate(ids):
        if writing:
            marks[index] = True
            writing = token != end
        elif ids[max(0, index - len(header)) : index + 1] == [start, *header]:
            writing = True
    return marks


def punctuation(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """For every id, whether its text has neither letters nor digits."""
    texts = (
        tokenizer.decode([token], skip_special_tokens=False) for token in range(tokenizer.get_vocab_size())
    )
    return np.array([not any(c.isalnum() or c == "\ufffd" for c in text) for text in texts])


def words(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """For every id a number for its word, the same whatever spaces and quotes stand around it.

    It is 0 without letters.
    """
    numbers: dict[str, int] = {}
    found = []
    for token in range(tokenizer.get_vocab_size()):
        word = "".join(filter(str.isalpha, tokenizer.decode([token])))
        found.append(numbers.setdefault(word, len(numbers) + 1) if word else 0)
    return np.array(found)


def encode(dialogues: Iterable[Dialogue], tokenizer: Tokenizer) -> Iterator[Document]:
    """Documents of at most LONGEST_ROW ids; a longer dialogue is left out."""
    render = ChatRenderer()
    start, end = token_id(tokenizer, "<|im_start|>"), token_id(tokenizer, "<|im_end|>")
    header = tokenizer.encode("assistant\n").ids
    marks, word_of = punctuation(tokenizer), words(tokenizer)
    iterator = iter(dialogues)
    while chunk := list(islice(iterator, 1000)):
        encodings = tokenizer.encode_batch([render(dialogue.messages) for dialogue in chunk])
        for dialogue, encoding in zip(chunk, encodings, strict=True):
            if len(encoding.ids) > LONGEST_ROW:
                continue
            ids = np.array(encoding.ids, dtype=np.int32)
            answered = mark_answers(encoding.ids, start, end, header)
            weights = answered.astype(np.float32)
            if dialogue.kind == "json_output":
                written = word_of[ids]
                from_request = np.isin(written, written[~answered]) & (written > 0)
                decided = marks[ids] | from_request
                weights[answered] = np.where(decided, JSON_DECISION_WEIGHT, JSON_OTHER_WEIGHT)[answered]
            yield Document(ids, weights)


def make_batch(documents: Sequence[Document], padding: int) -> Batch:
    length = max(len(document.ids) for document in documents) - 1
    ids = np.full((len(documents), length), padding, dtype=np.int64)
    targets = np.full((len(documents), length), IGNORED, dtype=np.int64)
    weights = np.zeros((len(documents), length), dtype=np.float32)
    for row, document in enumerate(documents):
        count = len(document.ids) - 1
        ids[row, :count] = document.ids[:-1]
        weights[row, :count] = document.weights[1:]
        targets[row, :count] = np.where(document.weights[1:] > 0, document.ids[1:], IGNORED)
    return Batch(ids, targets, weights)


def batches(documents: Iterable[Document], tokens: int, padding: int, seed: int) -> Iterator[Batch]:
    """Batches of at most `tokens` ids each (padding included), in an order that mixes lengths."""
    rng = random.Random(seed)
    iterator = iter(documents)
    while pool := list(islice(iterator, POOL)):
        pool.sort(key=lambda document: len(document.ids))
        groups: list[list[Document]] = [[]]
        for document in pool:
            if groups[-1] and (len(groups[-1]) + 1) * (len(document.ids) - 1) > tokens:
                groups.append([])
            groups[-1].append(document)
        rng.shuffle(groups)
        for group in groups:
            yield make_batch(group, padding)
