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


def test_the_bisection_comes_near_the_limit_and_lowers_what_is_not_confirmed():
    search = Search(100, 4000)
    for _ in range(8):
        streams = search.middle
        search.add(streams, level(streams, 0.001 if streams <= 900 else 0.1))
    assert 850 <= search.low <= 900
    confirmed = search.low
    search.add(confirmed, level(confirmed, 0.001))
    assert search.held == (2, 2)
    search.add(confirmed, None, "never had so many streams at once")
    assert search.low < confirmed
    assert search.held == (0, 0)
