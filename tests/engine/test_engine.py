from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.engine.fakes import EOS, GREEDY, MODEL_VOCAB_SIZE, VOCAB_SIZE, FakeModel, fake_engine, fake_logits

from wending.engine.client import CompletionDelta
from wending.engine.engine import Engine
from wending.engine.errors import InvalidRequest
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import SECONDS_OF_A_PRIORITY, Urgency


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
    engine.add_request("r", [1, 2, 3], SamplingParams(n=3, max_tokens=2, ignore_eos=True))
    engine.step()
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.kv_blocks_used, stats.kv_blocks_total) == (2, 1, 2, 64)
    assert stats.tokens_generated_total == 2
    assert stats.last_token_monotonic is not None
    run(engine)
    assert engine.stats().tokens_generated_total == 6


def test_goes_on_behind_what_an_engine_before_had_said() -> None:
    params = SamplingParams(n=2, seed=3, max_tokens=9, ignore_eos=True, logprobs=1, stop=("zz",))
    whole_engine = fake_engine()
    whole_engine.add_request("r", [5, 6], params)
    whole = run(whole_engine)
    for cut in range(9):
        said = [tokens(whole["r", index])[: cut + index] for index in range(2)]
        engine = fake_engine()
        progress = [Progress(ids, finished=len(ids) == 9) for ids in said]
        engine.add_request("r", [5, 6], params, progress=progress)
        rest = run(engine)
        for index in range(2):
            assert rest["r", index] == whole["r", index][len(said[index]) :]


def test_half_a_character_and_a_held_back_stop_survive_the_engine() -> None:
    params = SamplingParams(temperature=0, max_tokens=7, seed=1, stop=("稳x",))
    script = [*"稳👍".encode()]
    for cut in range(1, 7):
        engine = fake_engine(model=ScriptedModel(script[cut:]))
        engine.add_request("r", [1, 2, 3], params, progress=[Progress(script[:cut])])
        assert say(script, params)[cut:] == run(engine)["r", 0]


def test_a_request_whose_completions_are_all_finished_is_done() -> None:
    engine = fake_engine()
    engine.add_request("r", [1], SamplingParams(max_tokens=1), progress=[Progress([5], finished=True)])
    assert not engine.has_work
    engine.check_integrity()


def test_progress_of_another_number_of_completions_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="progress: is of 1 completions; there are 2"):
        fake_engine().add_request("r", [1], SamplingParams(n=2), progress=[Progress()])


def test_what_is_not_complete_at_its_deadline_ends_with_an_error() -> None:
    now = [0.0]
    engine = fake_engine(clock=lambda: now[0])
    params = SamplingParams(max_tokens=30, ignore_eos=True)
    engine.add_request("late", [1, 2], params, Urgency(deadline_s=5))
    engine.add_request("free", [1, 2], params)
    engine.step()
    now[0] = 5.0
    deltas = run(engine)
    last = deltas["late", 0][-1]
    assert (last.finish_reason, last.error_code) == ("error", "deadline_exceeded")
    assert last.error == "the deadline has passed, after 1 generated tokens"
    assert len(tokens(deltas["free", 0])) == 29


def test_a_deadline_that_is_kept_does_nothing() -> None:
    engine = fake_engine()
    engine.add_request("r", [1, 2], SamplingParams(max_tokens=3, ignore_eos=True), Urgency(deadline_s=60))
    assert run(engine)["r", 0][-1].finish_reason == "length"


def test_priorities_decide_who_waits() -> None:
    engine = fake_engine(max_running=1, clock=lambda: 0.0)
    params = SamplingParams(max_tokens=2, ignore_eos=True)
    for name, priority in (("usual", 0), ("later", 1), ("first", -1)):
        engine.add_request(name, [1, 2], params, Urgency(priority))
    ended = []
    while engine.has_work:
        ended += [name for name, delta in engine.step() if delta.finish_reason is not None]
    assert ended == ["first", "usual", "later"]


def test_how_long_a_request_has_waited_elsewhere_counts() -> None:
    engine = fake_engine(max_running=1, clock=lambda: 100.0)
    params = SamplingParams(max_tokens=1)
    engine.add_request("new", [1, 2], params)
    engine.add_request("old", [1, 2], params, waited_s=5.0)
    assert [name for name, _ in engine.step()] == ["old"]


def test_nobody_starves_while_more_urgent_requests_keep_coming() -> None:
    now = [0.0]
    engine = fake_engine(max_running=1, clock=lambda: now[0])
    params = SamplingParams(max_tokens=2, ignore_eos=True)
    engine.add_request("patient", [1, 2], params, Urgency(priority=3))
    for number in range(1000):
        now[0] += 1.0
        engine.add_request(str(number), [1, 2], params)
        if any(name == "patient" for name, _ in engine.step()):
            break
    assert number < 3 * SECONDS_OF_A_PRIORITY + 100
    run(engine)


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


END_AT_EVEN_TOKENS = SamplingParams(
    temperature=0, max_tokens=40, seed=0, stop_token_ids=tuple(range(0, 256, 2)), min_tokens=10
)


def test_min_tokens_put_off_stop_tokens_and_the_end_of_sequence() -> None:
    engine = fake_engine()
    engine.add_request("r", [1, 2, 3], END_AT_EVEN_TOKENS)
    generated = tokens(run(engine)["r", 0])
    expected: list[int] = []
    while len(expected) < 10 or expected[-1] % 2:
        logits = fake_logits([1, 2, 3, *expected])[:VOCAB_SIZE]
        if len(expected) < 10:
            logits[[*range(0, 256, 2), EOS]] = -np.inf
        expected.append(int(logits.argmax()))
    assert generated == expected


def test_min_tokens_hold_for_what_is_guessed_and_leave_log_probabilities_alone() -> None:
    """The model counts modulo 20; where 5 must not come, the lowest of the other ids does."""
    params = SamplingParams(temperature=0, max_tokens=60, stop_token_ids=(5,), min_tokens=30, logprobs=1)
    engine = fake_engine(model=CountingModel(), max_context=128)
    engine.add_request("r", list(range(20)), params)
    deltas = run(engine)["r", 0]
    generated = tokens(deltas)
    assert generated[:10] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert 5 not in generated[:30]
    assert generated[-1] == 5
    assert deltas[-1].finish_reason == "stop"
    [logprob] = deltas[5].logprobs or []
    assert logprob.top[0].token_id == 5
    assert engine.stats().drafts_accepted_total > 0


def test_min_tokens_make_stop_strings_part_of_the_text() -> None:
    params = SamplingParams(temperature=0, stop=("b",), min_tokens=3)
    assert text(say(b"abcdbefgh", params)) == "abcd"


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
