"""A model and a tokenizer that need no weights, made so that every scheduling mistake shows.

The fake model keeps token ids in its cache where a real one keeps keys and values. Its logits are a pure
function of the tokens it finds there by way of the block table: a wrong slot, a stale block, a missing or
doubled chunk, a token of another sequence all change the hash and with it the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.engine.engine import Engine
from wending.engine.sampling_params import SamplingParams
from wending.model.batch import ForwardBatch

EOS = 256
VOCAB_SIZE = 258  # 256 bytes, <|im_end|>, <|im_start|>
MODEL_VOCAB_SIZE = 272  # padded, as published models are
GREEDY = SamplingParams(temperature=0.0, max_tokens=12, seed=0)


class FakeTokenizer:
    """One token for each byte, and two control tokens."""

    vocab_size = VOCAB_SIZE
    special_token_ids = frozenset({256, 257})

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, token_id: int) -> bytes:
        return bytes([token_id]) if token_id < 256 else b""


class FakeCache:
    """For each slot the token and the position that were written there; -1 where nothing was."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.block_size = block_size
        self.tokens = np.full(num_blocks * block_size, -1, dtype=np.int64)
        self.positions = np.full(num_blocks * block_size, -1, dtype=np.int64)


class FakeModel:
    """Logits are a hash of the tokens before. Padding ids get the largest logits, so sampling one would
    show."""

    def __init__(self) -> None:
        self.batches: list[ForwardBatch] = []
        self.failure: Exception | None = None
        self.poisoned_token: int | None = None

    def forward(self, batch: ForwardBatch, cache: FakeCache) -> NDArray[np.float32]:
        self.batches.append(batch)
        if self.failure is not None:
            raise self.failure
        assert len(np.unique(batch.slots)) == len(batch.slots), "two tokens in one slot"
        cache.tokens[batch.slots] = batch.token_ids
        cache.positions[batch.slots] = batch.positions
        logits = np.empty((len(batch.logit_rows), MODEL_VOCAB_SIZE), dtype=np.float32)
        for row, token in enumerate(batch.logit_rows):
            logits[row] = self._logits(batch, cache, int(token))
        self.hidden = logits[:, :4].copy()
        self.last = (batch, cache)
        return logits

    def last_hidden_states(self) -> NDArray[np.float32]:
        return self.hidden

    def hidden_states(self) -> NDArray[np.float32]:
        batch, cache = self.last
        return np.stack([self._logits(batch, cache, token)[:4] for token in range(len(batch.token_ids))])

    def _logits(self, batch: ForwardBatch, cache: FakeCache, token: int) -> NDArray[np.float32]:
        position = int(batch.positions[token])
        places = np.arange(position + 1)
        table = batch.block_tables[batch.sequence_rows[token]]
        slots = table[places // cache.block_size] * cache.block_size + places % cache.block_size
        assert (cache.positions[slots] == places).all(), (
            "a token attends to a slot with another position's keys"
        )
        logits = fake_logits(cache.tokens[slots].tolist())
        if self.poisoned_token is not None and self.poisoned_token in cache.tokens[slots]:
            logits[7] = np.nan
        return logits


def fake_logits(token_ids: Iterable[int]) -> NDArray[np.float32]:
    """What the fake model says after these tokens: float32 [MODEL_VOCAB_SIZE], standard normal times 3."""
    state = 0
    for token_id in token_ids:
        state = hash((state, token_id))  # of integers: the same in every process
    logits = np.random.default_rng(state % 2**64).standard_normal(MODEL_VOCAB_SIZE) * 3
    logits[VOCAB_SIZE:] = 1e4
    return logits.astype(np.float32)


def fake_engine(
    *,
    num_blocks: int = 64,
    block_size: int = 4,
    max_context: int = 64,
    max_tokens_per_step: int = 32,
    max_running: int = 8,
    model: Any = None,
    **further: Any,
) -> Engine:
    """An engine over the fakes; `further` settings are those of Engine."""
    return Engine(
        model or FakeModel(),
        FakeCache(num_blocks, block_size),  # type: ignore[arg-type]
        FakeTokenizer(),  # type: ignore[arg-type]
        eos_token_ids=frozenset({EOS}),
        max_context=max_context,
        num_blocks=num_blocks,
        block_size=block_size,
        max_tokens_per_step=max_tokens_per_step,
        max_running=max_running,
        **further,
    )
