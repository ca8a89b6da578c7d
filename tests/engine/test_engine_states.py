"""What is kept of prompts: the prefix cache, hidden states, and their mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tests.engine.fakes import GREEDY, FakeModel, fake_engine, fake_logits
from tests.engine.small_runs import run, tokens

from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams


def test_unsound_keys_and_values_leave_the_prefix_cache() -> None:
    model = FakeModel()
    engine = fake_engine(model=model)
    model.poisoned_token = 200
    prompt = [200, *range(20)]
    engine.add_request("bad", prompt, GREEDY)
    (last,) = run(engine)["bad", 0]
    assert last.error_code == "non_finite_logits"
    assert engine.stats().kv_blocks_cached == 0
    model.poisoned_token = None
    engine.add_request("good", prompt, GREEDY)
    healthy = run(engine)["good", 0]
    other = fake_engine()
    other.add_request("good", prompt, GREEDY)
    assert healthy == run(other)["good", 0]


def test_a_prompt_that_was_computed_before_is_not_computed_again() -> None:
    model = FakeModel()
    engine = fake_engine(model=model)
    answers = []
    for name in ("cold", "warm"):
        engine.add_request(name, list(range(30)), GREEDY)
        answers.append(run(engine)[name, 0])
    assert [deltas[0].cached_tokens for deltas in answers] == [0, 28]
    assert {delta.cached_tokens for deltas in answers for delta in deltas[1:]} == {None}
    assert tokens(answers[0]) == tokens(answers[1])
    assert engine.stats().cached_tokens_total == 28
    assert engine.stats().cache_queries_total == 60


def test_what_was_cached_is_said_once_though_another_engine_goes_on() -> None:
    engine = fake_engine()
    engine.add_request("r", list(range(30)), GREEDY, progress=[Progress([7])])
    assert {delta.cached_tokens for delta in run(engine)["r", 0]} == {None}


def test_hidden_states_come_with_the_first_token_of_who_asks_for_them() -> None:
    """The fake model's hidden state is the beginning of its logits."""
    engine = fake_engine(max_tokens_per_step=8)
    params = SamplingParams(temperature=0, max_tokens=3, ignore_eos=True, hidden_state="last", n=2)
    prompts = {"a": list(range(20)), "b": [5], "c": list(range(20))}
    for name, prompt in prompts.items():
        engine.add_request(name, prompt, params)
    engine.add_request("d", [5], GREEDY)
    deltas = run(engine)
    for (name, _), own in deltas.items():
        if name == "d":
            assert own[0].hidden_state is None
        else:
            assert own[0].hidden_state == fake_logits(prompts[name])[:4].tobytes()
        assert {delta.hidden_state for delta in own[1:]} == {None}


def mean_of_fake_states(prompt: list[int]) -> bytes:
    states = [fake_logits(prompt[:end])[:4].astype(np.float64) for end in range(1, len(prompt) + 1)]
    return (sum(states, np.zeros(4)) / len(prompt)).astype(np.float32).tobytes()


def test_a_mean_counts_every_token_though_the_cache_has_them() -> None:
    engine = fake_engine(max_tokens_per_step=8)
    prompt = list(range(30))
    for name, pooling in (("cold", None), ("warm", "mean"), ("again", "mean"), ("after", None)):
        engine.add_request(name, prompt, replace(GREEDY, hidden_state=pooling, max_tokens=3, n=1))
        deltas = run(engine)[name, 0]
        assert deltas[0].hidden_state == (None if pooling is None else mean_of_fake_states(prompt))
        assert deltas[0].cached_tokens == (28 if name == "after" else 0)
        assert {delta.hidden_state for delta in deltas[1:]} == {None}
    assert engine.stats().cache_queries_total == 60


def test_others_may_use_what_was_computed_for_a_mean() -> None:
    engine = fake_engine()
    engine.add_request("mean", list(range(30)), replace(GREEDY, hidden_state="mean"))
    engine.add_request("other", list(range(30)), GREEDY)
    deltas = run(engine)
    assert deltas["other", 0][0].cached_tokens == 28
    assert tokens(deltas["mean", 0]) == tokens(deltas["other", 0])


def test_a_mean_beside_decoding_sequences_guesses_and_prompts_of_one_token() -> None:
    engine = fake_engine(max_tokens_per_step=6, max_running=6)
    engine.add_request("decoding", [7, 8, 7, 8, 7, 8, 7], replace(GREEDY, max_tokens=40))
    prompts = {"one": [3], "long": list(range(40)), "two": [4, 9]}
    for name, prompt in prompts.items():
        engine.add_request(name, prompt, replace(GREEDY, hidden_state="mean"))
    deltas = run(engine)
    for name, prompt in prompts.items():
        assert deltas[name, 0][0].hidden_state == mean_of_fake_states(prompt)


def test_a_mean_that_is_not_finite_ends_its_completion_alone() -> None:
    """The last token's state is sound, one before it is not."""

    class Overflowing(FakeModel):
        def hidden_states(self) -> Any:
            states = super().hidden_states()
            states[self.last[0].token_ids == 99] = np.inf
            return states

    engine = fake_engine(model=Overflowing())
    engine.add_request("bad", [1, 99, 2, 3, 4, 5, 6, 7], replace(GREEDY, hidden_state="mean"))
    engine.add_request("good", [1, 2], replace(GREEDY, hidden_state="mean"))
    deltas = run(engine)
    assert [deltas["bad", 0][-1].error_code, deltas["bad", 0][-1].hidden_state] == ["non_finite_logits", None]
    assert deltas["good", 0][0].hidden_state == mean_of_fake_states([1, 2])
