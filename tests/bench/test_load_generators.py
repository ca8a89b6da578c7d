"""The parts of the comparison of load generators that compute."""

import pytest
from bench.generators.overhead import Level, full_window, level_of
from bench.generators.processor import Sample
from bench.generators.search import Search
from bench.generators.timed import Outcome, TimedRequest


def request(sent: float, last: float, arrivals: list[float] | None = None, text: str = "") -> TimedRequest:
    return TimedRequest(sent, sent, last, 2, text, arrivals)


def test_the_window_is_the_longest_time_with_enough_requests():
    requests = [request(0, 2), request(1, 5), request(1.5, 6), request(5.5, 6)]
    assert full_window(requests, 2) == (1, 5)
    assert full_window(requests, 3) == (1.5, 2)
    assert full_window(requests, 4) is None


def test_the_overhead_is_the_arrival_minus_the_time_in_the_token():
    sent = [10 + 0.05 * place for place in range(200)]
    arrivals = [when + 0.002 for when in sent]
    one = TimedRequest(9.95, arrivals[0], arrivals[-1], 200, " ".join(map(repr, sent)), arrivals)
    samples = [Sample(10.0, 1.0, 2.0, 5.0), Sample(15.0, 1.5, 3.0, 7.0)]
    level = level_of(Outcome([one], samples, {}), 1, 0.05, 1.0)
    assert level is not None
    assert level.p99_s == pytest.approx(0.002)
    assert level.edges_p99_s is None, "two values carry no 99 % quantile"
    assert level.server_late_p99_s == pytest.approx(0, abs=1e-9)
    assert level.server_share == pytest.approx(0.2)
    assert level.others_share == pytest.approx(0.1)
    assert level.held


def level(streams: int, p99: float) -> Level:
    return Level(streams, 4.0, 1000, 0.001, p99, p99, 0.001, None, None, None)


def carried_out(search: Search, limit: int) -> Search:
    while (streams := search.next) is not None:
        search.add(streams, level(streams, 0.001 if streams <= limit else 0.1))
    return search


@pytest.mark.parametrize("limit", [7, 30, 50, 60, 137, 640, 900, 1500, 2400])
def test_the_search_ends_with_confirmations_of_a_level_near_the_limit(limit: int):
    search = carried_out(Search(50, 2500), limit)
    assert search.sustained is not None
    assert limit / 1.25 <= search.sustained <= limit
    assert search.held_of(search.sustained) == (3, 3)
    assert search.failed_at is None or limit < search.failed_at <= 1.25 * limit + 1


def test_a_level_that_is_not_confirmed_is_lowered_to_one_that_is_tried():
    search = Search(100, 4000)
    while (streams := search.next) is not None and search.held_of(streams)[0] < 2:
        search.add(streams, level(streams, 0.001 if streams <= 900 else 0.1))
    unlucky = search.low
    assert search.next == unlucky
    search.add(unlucky, None, "never had so many streams at once")
    carried_out(search, 900)
    assert search.sustained is not None
    assert 0.8 * unlucky < search.sustained < unlucky
    assert search.held_of(search.sustained) == (3, 3)
    assert search.failed_at == unlucky


def test_a_generator_that_holds_nothing_has_no_level_and_an_end():
    search = carried_out(Search(50, 2500), 0)
    assert search.sustained is None
    assert search.failed_at is not None
    assert search.last_at(search.failed_at)[0] is not None
    fewest = carried_out(Search(2, 4), 0)
    assert (fewest.sustained, fewest.failed_at) == (None, 1)
