"""The verdict on a level, from requests that are made up."""

from __future__ import annotations

import pytest

from wending.assess.bilingual import Bilingual
from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import OutOfSockets
from wending.assess.load.level import Alone, Level, judge_level
from wending.assess.load.objective import Objective
from wending.assess.load.record import Failure, RequestRecord

GONE = Failure("unreachable", "gone", "没了")


def record(
    number: int,
    ttft: float | None = 0.1,
    *,
    speed: float = 50.0,
    sent: float = 0.0,
    failure: Failure | None = None,
    counted: bool = True,
    over: bool = True,
    lag: float = 0.0,
) -> RequestRecord:
    """Eleven tokens at `speed` per second after the first one; no token where `ttft` is None."""
    answer = ChatAnswer(sent)
    if failure is None and ttft is not None:
        answer = ChatAnswer(
            sent, "x", [sent + ttft, sent + ttft + 5 / speed], sent + ttft + 10 / speed, "stop", 11
        )
    elif failure is None and over:
        answer = ChatAnswer(sent, finish_reason="stop", ended=sent + 0.1)
    return RequestRecord(number, sent - lag, counted, answer, failure)


def judge(
    records: list[RequestRecord],
    objective: Objective | None = None,
    *,
    invalid: int = 0,
    alone: Alone | None = None,
    loop_lags: tuple[float, ...] = (),
    cut_at: float | None = None,
    planned: int | None = None,
) -> Level:
    """The first `invalid` answers are no valid ones."""
    return judge_level(
        2,
        sum(one.counted for one in records) if planned is None else planned,
        records,
        loop_lags,
        objective or Objective(),
        is_valid=lambda one: one.number >= invalid,
        alone=alone,
        cut_at=cut_at,
    )


def many(count: int, ttft: float = 0.1, first: int = 0) -> list[RequestRecord]:
    return [record(number, ttft) for number in range(first, first + count)]


def test_a_level_fails_for_each_part_of_the_objective() -> None:
    assert judge(many(2)).held
    late = judge([record(0), record(1, 2.1)])
    assert (late.missed, late.reason) == (("ttft",), "1 of 2 requests TTFT > 2 s (2.10 s)")
    slow = judge([record(0), record(1, speed=9.0)])
    assert (slow.missed, slow.reason) == (("speed",), "1 of 2 requests < 10 tok/s (9.0 tok/s)")
    failed = judge([*many(2), record(2, failure=GONE)])
    assert (failed.missed, failed.reason) == (("errors",), "1 of 3 requests failed (gone)")
    empty = judge([record(0, None)])
    assert (empty.missed, empty.reason) == (("ttft",), "no answer had any content")
    # One request in a hundred may fail, and one in twenty may be late.
    assert judge([*many(99), record(99, failure=GONE)]).held
    assert judge([*many(97), *many(3, 9.0, 97)]).held
    assert not judge([*many(94), *many(6, 9.0, 94)]).held


def test_below_twenty_requests_the_worst_one_counts() -> None:
    few = judge([record(0, 0.1, speed=20.0), record(1, 0.9, speed=20.0)])
    assert (few.ttft_s, few.tokens_per_s, few.worst) == (0.9, pytest.approx(20.0), True)
    assert not judge(many(20)).worst


def test_an_empty_answer_is_no_failure_of_capacity_but_no_valid_answer() -> None:
    found = judge([record(0, None), record(1)], invalid=1)
    assert found.held
    assert (found.requests, found.errors, found.valid) == (2, 0, 1)


def test_a_level_without_sockets_is_invalid_and_not_failed() -> None:
    records = many(20)
    records[3].failure = Failure.of(OutOfSockets(Bilingual("no more connections", "无法再建立连接")))
    level = judge(records)
    assert not level.held
    assert level.invalid is not None
    assert "no more connections" in level.invalid


def test_answers_may_not_get_worse_than_alone() -> None:
    assert judge(many(20), invalid=8, alone=Alone(12, 20)).held
    worse = judge(many(20), invalid=16, alone=Alone(20, 20))
    assert worse.missed == ("answers",)
    assert worse.reason == "4 of 20 answers valid, alone 20 of 20"
    assert judge(many(20), invalid=16).held
    wanted = judge(many(20), Objective(min_valid_share=0.9), invalid=3)
    assert wanted.reason == "17 of 20 answers valid, 90% wanted"


@pytest.mark.parametrize(
    ("answers", "alone", "held"),
    [
        (5, None, True),
        (6, None, False),
        (2, Alone(0, 3), True),
        (3, Alone(0, 3), False),
        (4, Alone(1, 20), True),
        (20, Alone(1, 20), False),
    ],
)
def test_where_no_answer_is_valid_nothing_holds(answers: int, alone: Alone | None, held: bool) -> None:
    found = judge(many(answers), invalid=answers, alone=alone)
    assert (found.held, found.missed) == (held, () if held else ("answers",))
    assert found.reason == ("" if held else f"none of {answers} answers valid")
    assert judge(many(answers), Objective(min_valid_share=0.0), invalid=answers, alone=alone).held


def test_requests_that_were_cut_off_count_with_their_wait() -> None:
    """Two of four had no token when the level was ended 2.5 s after they were sent."""
    records = [*many(2), record(2, None, over=False), record(3, None, over=False)]
    found = judge(records, cut_at=2.5)
    assert (found.requests, found.decided_early, found.ttft_s) == (2, True, 2.5)
    assert found.missed == ("ttft",)


def test_requests_that_only_kept_the_load_up_count_for_the_throughput_alone() -> None:
    """Both requests give 11 tokens, the uncounted one all of them within the time of the counted one."""
    records = [record(0, 9.0, sent=-8.95, counted=False), record(1)]
    found = judge(records)
    assert (found.requests, found.held) == (1, True)
    assert found.seconds == pytest.approx(0.3)
    assert found.total_tokens_per_s == pytest.approx((11 + 11) / 0.3)


@pytest.mark.parametrize(
    ("lag", "loop_lag", "invalid"),
    [
        (0.0, 0.0, ""),
        (0.09, 0.09, ""),
        (0.11, 0.0, "requests were sent 110 ms late, 100 ms are allowed"),
        (0.0, 0.15, "the generator ran 150 ms late, 100 ms are allowed"),
    ],
)
def test_a_level_that_could_not_be_driven_neither_held_nor_failed(
    lag: float, loop_lag: float, invalid: str
) -> None:
    found = judge([record(0, lag=lag), record(1)], loop_lags=(0.0, loop_lag))
    assert found.invalid == invalid
    assert found.held == (not invalid)
    assert found.reason == ""


def test_a_level_without_a_counted_request_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without a counted request"):
        judge([record(0, counted=False)])


def test_a_level_keeps_the_times_that_it_was_judged_by() -> None:
    """That of a failure is none; of a request that was cut off, what it had waited."""
    records = [record(0, 0.2, speed=20.0), record(1, failure=GONE), record(2, None, over=False)]
    found = judge(records, cut_at=2.5)
    assert found.ttfts == (0.2, 2.5)
    assert found.speeds == pytest.approx((20.0,))
