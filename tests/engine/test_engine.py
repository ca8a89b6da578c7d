"""Tokens, texts and figures of answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.engine.fakes import EOS, GREEDY, VOCAB_SIZE, FakeModel, fake_engine, fake_logits
from tests.engine.small_runs import CountingModel, run, say, text, tokens

from wending.engine.sampling_params import SamplingParams


def test_each_token_is_the_models_own_greedy_choice() -> None:
    engine = fake_engine()
    engine.add_request("r", [1, 2, 3], GREEDY)
    generated = tokens(run(engine)["r", 0])
    expected: list[int] = []
    for _ in range(12):
        expected.append(int(fake_logits([1, 2, 3, *expected])[:VOCAB_SIZE].argmax()))
        if expected[-1] == EOS:
            break
    assert generated == expected


def test_characters_are_never_broken() -> None:
    deltas = say("稳👍".encode(), SamplingParams(temperature=0, max_tokens=6))
    assert [delta.text for delta in deltas] == ["", "", "稳", "", "", ""]


def test_logprobs_come_with_each_token() -> None:
    deltas = say([*"稳".encode(), EOS], SamplingParams(temperature=0, logprobs=2))
    assert all(delta.logprobs is not None and len(delta.logprobs) == len(delta.token_ids) for delta in deltas)
    entries = [entry for delta in deltas for entry in delta.logprobs or ()]
    assert [entry.token_id for entry in entries] == tokens(deltas)
    assert [entry.bytes for entry in entries] == [[0xE7], [0xA8], [0xB3], []]
    assert entries[0].token == "\ufffd"
    assert entries[0].top[0][:3] == (0xE7, "\ufffd", [0xE7])
    expected = 9.0 - np.log(np.exp(9.0) + VOCAB_SIZE - 1)
    assert entries[0].logprob == entries[0].top[0].logprob == pytest.approx(expected, abs=1e-6)


def test_penalties_see_what_was_generated_before() -> None:
    deltas = say(b"aaaa", SamplingParams(temperature=0, max_tokens=4, frequency_penalty=2))
    assert text(deltas) == "aaaa"  # 9 - 2 * 3 is still the largest
    deltas = say(b"a" * 6, SamplingParams(temperature=0, max_tokens=6, frequency_penalty=2))
    assert text(deltas)[:5] == "aaaaa"
    assert text(deltas)[5] != "a"


def test_n_completions_of_one_prompt_differ_and_each_is_reproducible() -> None:
    answers = []
    for n in (3, 2):
        engine = fake_engine()
        engine.add_request("r", [5, 6], SamplingParams(n=n, seed=3, max_tokens=8, ignore_eos=True))
        deltas = run(engine)
        answers.append([tokens(deltas["r", index]) for index in range(n)])
    assert answers[0][:2] == answers[1]
    assert len({tuple(answer) for answer in answers[0]}) == 3


def test_reports_the_seed_it_drew_and_the_seed_repeats_the_answer() -> None:
    engine = fake_engine()
    engine.add_request("r", [5, 6], SamplingParams(max_tokens=8))
    first = run(engine)["r", 0]
    assert first[0].seed is not None
    engine.add_request("r", [5, 6], SamplingParams(max_tokens=8, seed=first[0].seed))
    assert tokens(run(engine)["r", 0]) == tokens(first)


def test_padding_ids_are_never_sampled() -> None:
    engine = fake_engine()
    for number in range(8):
        params = SamplingParams(seed=number, temperature=2.0, max_tokens=20, ignore_eos=True)
        engine.add_request(str(number), [number], params)
    assert max(max(tokens(deltas)) for deltas in run(engine).values()) < VOCAB_SIZE


def test_non_finite_logits_end_that_request_alone() -> None:
    model = FakeModel()
    engine = fake_engine(model=model)
    model.poisoned_token = 200
    engine.add_request("good", [1, 2, 3], GREEDY)
    engine.add_request("bad", [200, 2, 3], GREEDY)
    deltas = run(engine)
    (last,) = deltas["bad", 0]
    assert last.finish_reason == "error"
    assert last.error == f"the model produced 1 non-finite logits of {VOCAB_SIZE}"
    alone = fake_engine()
    alone.add_request("good", [1, 2, 3], GREEDY)
    assert deltas["good", 0] == run(alone)["good", 0]


def test_a_fault_in_one_completion_ends_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = fake_engine()
    engine.add_request("good", [1, 2, 3], GREEDY)
    engine.add_request("bad", [1, 2, 4], GREEDY)

    def broken(*arguments: Any) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(engine._requests["bad"][0].sampler, "observe", broken)
    deltas = run(engine)
    assert deltas["bad", 0][-1].error == "KeyError: 'lost'"
    assert deltas["good", 0][-1].finish_reason in ("stop", "length")


def test_stats_count_sequences_blocks_and_tokens() -> None:
    engine = fake_engine(max_running=2)
    assert engine.stats().last_token_monotonic is None
    engine.add_request("r", [1, 2, 3], SamplingParams(n=3, max_tokens=2, ignore_eos=True))
    engine.step()
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.kv_blocks_used, stats.kv_blocks_total) == (2, 1, 2, 64)
    assert stats.tokens_generated_total == 2
    assert stats.last_token_monotonic is not None
    run(engine)
    assert engine.stats().tokens_generated_total == 6


def test_guesses_that_come_true_save_steps() -> None:
    params = SamplingParams(temperature=0, max_tokens=60)
    spoken = []
    for speculate in (True, False):
        model = CountingModel()
        engine = fake_engine(model=model, max_context=128, num_blocks=64, speculate=speculate)
        engine.add_request("r", list(range(20)), params)
        spoken.append((tokens(run(engine)["r", 0]), len(model.rows)))
    assert spoken[0][0] == spoken[1][0] == [token % 20 for token in range(20, 80)]
    assert spoken[1][1] == 60
    assert spoken[0][1] < 30


def test_stats_count_guesses() -> None:
    engine = fake_engine(model=CountingModel())
    engine.add_request("r", list(range(20)), SamplingParams(temperature=0, max_tokens=30))
    run(engine)
    stats = engine.stats()
    assert stats.tokens_drafted_total == stats.drafts_accepted_total > 10


def test_says_who_is_in_a_step() -> None:
    engine = fake_engine()
    seen: list[list[str]] = []
    engine.on_step = seen.append
    engine.add_request("a", [1, 2, 3], SamplingParams(n=2, max_tokens=1))
    engine.add_request("b", [4], SamplingParams(max_tokens=2, ignore_eos=True))
    run(engine)
    assert seen == [["a", "b"], ["b"]]


def test_refuses_a_cache_smaller_than_the_context() -> None:
    with pytest.raises(ValueError, match="4 KV blocks of 4 tokens cannot hold a context of 64"):
        fake_engine(num_blocks=4)


def test_a_step_without_work_does_nothing() -> None:
    model = FakeModel()
    assert fake_engine(model=model).step() == []
    assert model.batches == []
