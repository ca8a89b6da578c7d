"""The numbers of the recipe: what is drawn, how large the model is, how long it learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from train.dialogues import BROAD, COPYING, HARD, training_dialogues
from train.model import Qwen2Shape
from train.pack import Batch, batches, encode
from train.tokenizer import token_id, train_tokenizer
from train.train import Schedule

SEED = 20
WORKERS = 2
TOKENIZER_DIALOGUES = 30_000
BATCH_TOKENS = 2048
CONTEXT = 4096
VOCABULARY = 5056
"""5,022 tokens, padded to a multiple of 64 as Qwen2.5 pads its own."""

SHAPE = Qwen2Shape(vocab_size=VOCABULARY, num_hidden_layers=5, max_position_embeddings=CONTEXT)
SCHEDULE = Schedule(knots=((-1, 0.0), (59, 1.0), (1400, 1.0), (2400, 0.5), (3400, 0.0)))
STAGES = ((400, COPYING), (1000, BROAD), (None, HARD))
"""Steps and the shares of the dialogues in them; the last stage has no end."""


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

        first = 0
        for number, (steps, shares) in enumerate(STAGES):
            after = None if steps is None else first + steps * WORKERS
            if after is None or start < after:
                dialogues = encode(training_dialogues(SEED + number, shares), tokenizer)
                stage = batches(dialogues, BATCH_TOKENS, padding, SEED + number)
                yield from islice(stage, max(0, start - first), None if after is None else after - first)
            first = after or first
