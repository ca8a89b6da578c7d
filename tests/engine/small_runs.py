"""Whole answers of an engine around a model that is made up."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from tests.engine.fakes import MODEL_VOCAB_SIZE, fake_engine

from wending.engine.client import CompletionDelta
from wending.engine.engine import Engine
from wending.engine.sampling_params import SamplingParams


class ScriptedModel:
    """Says given tokens one after another to a single sequence, whatever it is asked."""

    def __init__(self, script: list[int]) -> None:
        self.script = script

    def forward(self, batch: Any, cache: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        logits = np.zeros((len(batch.logit_rows), MODEL_VOCAB_SIZE), dtype=np.float32)
        for row in logits:
            row[self.script.pop(0)] = 9.0
        return logits


class CountingModel:
    """Counts from the last token on, modulo 20: a text that repeats itself."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def forward(self, batch: Any, cache: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        self.rows.append(len(batch.token_ids))
        logits = np.zeros((len(batch.logit_rows), MODEL_VOCAB_SIZE), dtype=np.float32)
        for row, token in zip(logits, batch.token_ids[batch.logit_rows], strict=True):
            row[(token + 1) % 20] = 9.0
        return logits


def run(engine: Engine) -> dict[tuple[str, int], list[CompletionDelta]]:
    """Steps until all is done; the deltas of each completion."""
    deltas: dict[tuple[str, int], list[CompletionDelta]] = defaultdict(list)
    while engine.has_work:
        for request_id, delta in engine.step():
            deltas[request_id, delta.index].append(delta)
    engine.check_integrity()
    assert engine.stats().kv_blocks_used == 0
    return deltas


def say(script: bytes | list[int], params: SamplingParams) -> list[CompletionDelta]:
    """The deltas of one request to a model that says `script`."""
    engine = fake_engine(model=ScriptedModel(list(script)))
    engine.add_request("r", [1, 2, 3], params)
    return run(engine)["r", 0]


def text(deltas: list[CompletionDelta]) -> str:
    return "".join(delta.text for delta in deltas)


def tokens(deltas: list[CompletionDelta]) -> list[int]:
    return [token_id for delta in deltas for token_id in delta.token_ids]
