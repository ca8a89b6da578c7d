from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from tests.engine.fakes import EOS, GREEDY, MODEL_VOCAB_SIZE, VOCAB_SIZE, FakeModel, fake_engine, fake_logits

from wending.engine.client import CompletionDelta
from wending.engine.engine import Engine
from wending.engine.errors import InvalidRequest
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


def test_ends_at_max_tokens_with_length() -> None:
    deltas = say(b"abcdef", SamplingParams(temperature=0, max_tokens=3))
    assert text(deltas) == "abc"
    assert [delta.finish_reason for delta in deltas] == [None, None, "length"]


def test_ends_at_the_end_of_the_context_with_length() -> None:
    deltas = say(b"a" * 100, SamplingParams(temperature=0))
    assert len(tokens(deltas)) == 64 - 3
    assert deltas[-1].finish_reason == "length"


def test_end_of_sequence_is_a_token_but_not_text() -> None:
    deltas = say([*b"ab", EOS], SamplingParams(temperature=0))
    assert (text(deltas), tokens(deltas)) == ("ab", [*b"ab", EOS])
    assert deltas[-1].finish_reason == "stop"


def test_end_of_sequence_can_be_ignored() -> None:
    deltas = say([97, EOS, 98], SamplingParams(temperature=0, max_tokens=3, ignore_eos=True))
    assert (text(deltas), deltas[-1].finish_reason) == ("ab", "length")


def test_stop_token_is_not_part_of_the_text() -> None:
    deltas = say(b"abcd", SamplingParams(temperature=0, stop_token_ids=(99,)))
    assert (text(deltas), tokens(deltas), deltas[-1].finish_reason) == ("ab", [*b"abc"], "stop")


def test_stop_string_is_not_part_of_the_text_and_none_of_it_is_shown_before() -> None:
    deltas = say(b"ab\n\ncd", SamplingParams(temperature=0, stop=("\n\n",)))
    assert [delta.text for delta in deltas] == ["a", "b", "", ""]
    assert (tokens(deltas), deltas[-1].finish_reason) == ([*b"ab\n\n"], "stop")


def test_a_held_back_start_of_a_stop_string_is_shown_at_the_end() -> None:
    deltas = say(b"ab\n", SamplingParams(temperature=0, stop=("\n\n",), max_tokens=3))
    assert [delta.text for delta in deltas] == ["a", "b", "\n"]


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


def test_an_aborted_request_frees_its_blocks_and_says_nothing_more() -> None:
    engine = fake_engine()
    engine.add_request("stays", [1, 2, 3], GREEDY)
    engine.add_request("goes", [1] * 20, SamplingParams(n=3))
    engine.step()
    used = engine.stats().kv_blocks_used
    engine.abort_request("goes")
    assert engine.stats().kv_blocks_used < used
    assert set(run(engine)) == {("stays", 0)}
    engine.abort_request("goes")
    engine.abort_request("stays")


def test_a_request_id_is_unique_while_in_flight() -> None:
    engine = fake_engine()
    engine.add_request("r", [1], GREEDY)
    with pytest.raises(InvalidRequest, match="'r' is in use"):
        engine.add_request("r", [1], GREEDY)
    run(engine)
    engine.add_request("r", [1], GREEDY)


def test_a_refused_request_leaves_no_trace() -> None:
    engine = fake_engine()
    with pytest.raises(InvalidRequest):
        engine.add_request("r", [1] * 64, GREEDY)
    assert not engine.has_work
    engine.check_integrity()


def test_stats_count_sequences_blocks_and_tokens() -> None:
    engine = fake_engine(max_running=2)
    assert engine.stats().last_token_monotonic is None
    engine.add_request("r", [1, 2, 3, 4, 5], SamplingParams(n=3, max_tokens=2, ignore_eos=True))
    engine.step()
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.kv_blocks_used, stats.kv_blocks_total) == (2, 1, 4, 64)
    assert stats.tokens_generated_total == 2
    assert stats.last_token_monotonic is not None
    run(engine)
    assert engine.stats().tokens_generated_total == 6


def test_refuses_a_cache_smaller_than_the_context() -> None:
    with pytest.raises(ValueError, match="4 KV blocks of 4 tokens cannot hold a context of 64"):
        fake_engine(num_blocks=4)


def test_a_step_without_work_does_nothing() -> None:
    model = FakeModel()
    assert fake_engine(model=model).step() == []
    assert model.batches == []
