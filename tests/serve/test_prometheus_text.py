from __future__ import annotations

import math

import pytest

from wending.serve.prometheus_text import Histogram, Metric, render


def test_counter_and_gauge() -> None:
    counter = Metric("a_total", "counter", "Counts.")
    counter.add(3, {"x": "1", "y": "2"})
    gauge = Metric("b", "gauge", "A level.")
    gauge.add(0.5, {})
    assert render([counter, gauge]) == (
        "# HELP a_total Counts.\n# TYPE a_total counter\n"
        'a_total{x="1",y="2"} 3\n'
        "# HELP b A level.\n# TYPE b gauge\nb 0.5\n"
    )


def test_what_would_end_a_label_is_escaped() -> None:
    metric = Metric("a", "gauge", "")
    metric.add(1, {"x": 'C:\\"\n'})
    assert metric.lines == ['a{x="C:\\\\\\"\\n"} 1']


def test_histogram_counts_upwards() -> None:
    histogram = Histogram([1.0, 5.0])
    for value in (0.5, 1.0, 3.0, 7.0):
        histogram.observe(value)
    metric = Metric("t_seconds", "histogram", "")
    metric.add_histogram(histogram, {"m": "x"})
    assert metric.lines == [
        't_seconds_bucket{m="x",le="1.0"} 2',
        't_seconds_bucket{m="x",le="5.0"} 3',
        't_seconds_bucket{m="x",le="+Inf"} 4',
        't_seconds_sum{m="x"} 11.5',
        't_seconds_count{m="x"} 4',
    ]


@pytest.mark.parametrize(("value", "text"), [(math.inf, "+Inf"), (1e-9, "1e-09"), (10**20, str(10**20))])
def test_numbers(value: float, text: str) -> None:
    metric = Metric("a", "gauge", "")
    metric.add(value, {})
    assert metric.lines == [f"a {text}"]
