"""The numbers of the recipe: what is drawn, how large the model is, how long it learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from train.dialogues import BROAD, HARD, training_dialogues
from train.model import Qwen2Shape
from train.pack import Batch, batches, encode
from train.tokenizer import token_id, train_tokenizer
from train.train import Schedule

SEED = 20
WORKERS = 2
TOKENIZER_DIALOGUES = 30_000
BATCH_TOKENS = 4096
CONTEXT = 4096
VOCABULARY = 5056
"""5,022 tokens, padded to a multiple of 64 as Qwen2.5 pads its own."""

SHAPE = Qwen2Shape(vocab_size=VOCABULARY, num_hidden_layers=5, max_position_embeddings=CONTEXT)
SCHEDULE = Schedule(
    knots=(
        (-1, 0.0),
        (39, 1.0),
        (500, 1.0),
        (800, 0.6),
        (1000, 0.43),
        (1200, 0.43),
        (1201, 0.32),
        (1400, 0.3),
        (1600, 0.3),
        (1601, 0.5),
        (1950, 0.5),
        (2260, 0.0),
    )
)
BROAD_BATCHES = 1000 * WORKERS
"""Batches of the broad mixture; the hard one follows."""


def make_tokenizer() -> Tokenizer:
    def texts() -> Iterator[str]:
        for dialogue in islice(training_dialogues(SEED), TOKENIZER_DIALOGUES):
            for message in dialogue.messages:
                yield message["content"]
                yield message["role"] + "\n"

    return train_tokenizer(texts())


@dataclass(frozen=True)
class TrainingData:
    """The stream of batches from number `start` on; picklable, so that each worker makes its own."""

    tokenizer_path: Path

    def __call__(self, start: int) -> Iterator[Batch]:
        tokenizer = Tokenizer.from_file(str(self.tokenizer_path))
        padding = token_id(tokenizer, "<|endoftext|>")

        def stream(seed: int, shares: dict[str, float]) -> Iterator[Batch]:
            return batches(encode(training_dialogues(seed, shares), tokenizer), BATCH_TOKENS, padding, seed)

        if start < BROAD_BATCHES:
            yield from islice(stream(SEED, BROAD), start, BROAD_BATCHES)
            start = BROAD_BATCHES
        yield from islice(stream(SEED + 1, HARD), start - BROAD_BATCHES, None)
