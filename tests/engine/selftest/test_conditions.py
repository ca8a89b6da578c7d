"""Each condition finds a fault of its kind: a check that cannot fail shows nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.invariance.engines import load_random_model

from wending.engine import scheduler
from wending.engine.completion import Completion
from wending.engine.load import LoadedEngine
from wending.engine.selftest.conditions import CONDITIONS, Outcome, ReferenceFailed, alone
from wending.engine.selftest.mixed_requests import MixedRequest, mixed_requests
from wending.engine.selftest.record import Records, first_divergence
from wending.engine.selftest.rig import Rig
from wending.model.batch import ForwardBatch
from wending.model.model import Model
from wending.model.threads import threads_in_use

BY_NAME = {condition.english: condition for condition in CONDITIONS}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedEngine:
    return load_random_model(tmp_path_factory.mktemp("random") / "model", "int8")


@pytest.fixture(scope="module")
def requests(loaded: LoadedEngine) -> list[MixedRequest]:
    return mixed_requests(32, 5, loaded.engine.tokenizer.vocab_size, 1024)


@pytest.fixture(scope="module")
def reference(loaded: LoadedEngine, requests: list[MixedRequest]) -> Records:
    return alone(Rig(loaded, requests), requests, lambda: None)


def run(name: str, loaded: LoadedEngine, requests: list[MixedRequest]) -> Outcome:
    return BY_NAME[name].run(Rig(loaded, requests), requests, random.Random(1), lambda: None)


def changed(reference: Records, outcome: Outcome) -> int:
    return sum(first_divergence(key, one, outcome.records[key]) is not None for key, one in reference.items())


@pytest.mark.parametrize("name", BY_NAME)
def test_every_condition_happens_and_changes_nothing(
    name: str, loaded: LoadedEngine, requests: list[MixedRequest], reference: Records
) -> None:
    outcome = run(name, loaded, requests)
    assert outcome.happened > 0
    assert changed(reference, outcome) == 0


def test_a_request_that_fails_even_alone_is_no_reference(
    loaded: LoadedEngine, requests: list[MixedRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Model.forward
    monkeypatch.setattr(Model, "forward", lambda *arguments: forward(*arguments) * np.float32("nan"))
    with pytest.raises(ReferenceFailed, match="request 0 fails even alone: the model produced"):
        alone(Rig(loaded, requests), requests, lambda: None)


def several_sequences(batch: ForwardBatch) -> bool:
    return len(batch.block_tables) > 1


def later_piece_of_a_prompt(batch: ForwardBatch) -> bool:
    return len(batch.token_ids) > 1 and batch.positions[0] > 0


def guessed_tokens(batch: ForwardBatch) -> bool:
    return len(batch.logit_rows) > len(batch.block_tables)


def other_threads(batch: ForwardBatch) -> bool:
    return threads_in_use() != threads_at_start


threads_at_start = threads_in_use()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("everything at once", several_sequences),
        ("in a crowd", several_sequences),
        ("small chunks of prompt", later_piece_of_a_prompt),
        ("prefix cache warm", later_piece_of_a_prompt),
        ("preempted", later_piece_of_a_prompt),
        ("another number of threads", other_threads),
        ("tokens guessed", guessed_tokens),
        ("engine ended, another goes on", several_sequences),
    ],
)
def test_logits_that_depend_on_it_are_found(
    name: str,
    fault: Callable[[ForwardBatch], bool],
    loaded: LoadedEngine,
    requests: list[MixedRequest],
    reference: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    global threads_at_start
    threads_at_start = threads_in_use()
    forward = Model.forward

    def faulty(self: Model, batch: ForwardBatch, cache: Any) -> NDArray[np.float32]:
        logits = forward(self, batch, cache)
        if fault(batch):
            logits[:, 3] += np.float32(2.0**-10)
        return logits

    monkeypatch.setattr(Model, "forward", faulty)
    assert changed(reference, run(name, loaded, requests)) > 0


def test_a_prefix_cache_that_confuses_prompts_is_found(
    loaded: LoadedEngine,
    requests: list[MixedRequest],
    reference: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def same_for_all(hashes: list[bytes], _tokens: Any, _block_size: int, blocks: int) -> None:
        hashes += [bytes([block]) for block in range(len(hashes), blocks)]

    monkeypatch.setattr(scheduler, "extend_block_hashes", same_for_all)
    for name in ("prefix cache warm", "everything at once"):
        assert changed(reference, run(name, loaded, requests)) > 0


def test_tokens_forgotten_between_two_engines_are_found(
    loaded: LoadedEngine,
    requests: list[MixedRequest],
    reference: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replay = Completion.replay
    monkeypatch.setattr(Completion, "replay", lambda self, tokens: replay(self, list(tokens)[:-1]))
    assert changed(reference, run("engine ended, another goes on", loaded, requests)) > 0
