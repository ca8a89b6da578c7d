"""What an open loop asks, and when."""

from __future__ import annotations

from wending.assess.load.arrivals import TracedRequest
from wending.assess.open_loop.offered import drawn, traced


def test_poisson_requests_take_the_kinds_in_turn_and_never_repeat_a_prompt() -> None:
    offered = drawn(5.0, 20.0, seed=3)
    assert [one.kind for one in offered[:4]] == ["short", "long", "json", "short"]
    assert len({one.prompt for one in offered}) == len(offered)
    assert [one.arrival_s for one in offered] == sorted(one.arrival_s for one in offered)
    assert {one.kind for one in drawn(5.0, 20.0, 3, ("json",))} == {"json"}
    assert not offered[0].is_valid("  ")


def test_a_trace_gives_prompts_and_answers_their_lengths() -> None:
    short, long = traced([TracedRequest(0.0, 12, 5), TracedRequest(1.5, 1200, 80)], seed=1)
    assert (short.tokens, short.max_tokens, long.arrival_s) == (12, 5, 1.5)
    assert len(short.prompt.split()) == 10
    assert len(long.prompt.split()) == 1000
    assert not long.prompt.startswith(short.prompt)


def test_the_body_is_that_of_a_streamed_chat_completion() -> None:
    [one, *_] = drawn(5.0, 5.0, seed=1)
    body = one.body("m", 7)
    assert (body["model"], body["stream"], body["max_tokens"], body["seed"]) == ("m", True, one.max_tokens, 7)
