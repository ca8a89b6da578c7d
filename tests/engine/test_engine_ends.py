"""Where an answer ends: lengths, the end of sequence, stop tokens and strings, and no sooner than asked."""

from __future__ import annotations

import numpy as np
from tests.engine.fakes import EOS, VOCAB_SIZE, fake_engine, fake_logits
from tests.engine.small_runs import CountingModel, run, say, text, tokens

from wending.engine.sampling_params import SamplingParams


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
