"""Figures are written with the digits that they carry."""

from __future__ import annotations

import pytest

from wending.assess.report import numbers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0004, "0.4 ms"),
        (0.01234, "12.3 ms"),
        (0.1234, "123 ms"),
        (0.9996, "1.00 s"),
        (12.345, "12.3 s"),
    ],
)
def test_latencies(seconds: float | None, text: str) -> None:
    assert numbers.milliseconds(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (3.14159, "3.1"), (99.96, "100"), (512.4, "512"), (12345.6, "12,346")]
)
def test_speeds(value: float | None, text: str) -> None:
    assert numbers.per_second(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (512, "512 B"), (183500800, "175 MiB"), (16.5 * 2**30, "16.5 GiB")]
)
def test_sizes(value: float | None, text: str) -> None:
    assert numbers.bytes_size(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (7.4, "7 s"), (59.8, "1 min 0 s"), (75.2, "1 min 15 s"), (7320, "2 h 2 min")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_rates() -> None:
    rate = {"k": 83, "n": 100, "low": 0.7445, "high": 0.8906}
    assert numbers.rate_percent(rate) == "83%"
    assert numbers.interval_percent(rate) == "74–89%"
    empty = {"k": 0, "n": 0, "low": None, "high": None}
    assert numbers.rate_percent(empty) == numbers.interval_percent(empty) == "–"


def test_the_ends_of_an_interval_share_their_unit() -> None:
    assert numbers.between([0.0118, 0.0131], numbers.milliseconds) == "11.8–13.1 ms"
    assert numbers.between([0.9, 1.2], numbers.milliseconds) == "900 ms–1.20 s"
    assert numbers.between((0.75, 0.89), numbers.percent) == "75–89%"
    assert numbers.between([45.0, 1234.0], numbers.per_second) == "45.0–1,234"
    assert numbers.between(None, numbers.percent) == ""
