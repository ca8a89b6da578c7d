"""Drawn arrivals have their rate, and traces are replayed as they were."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from wending.assess.load.arrivals import TracedRequest, TraceError, poisson_arrivals, read_trace


def test_poisson_arrivals_have_their_rate_and_no_memory() -> None:
    arrivals = poisson_arrivals(50.0, 200.0, seed=1)
    assert len(arrivals) == pytest.approx(10_000, rel=0.05)
    gaps = [after - before for before, after in pairwise(arrivals)]
    mean = sum(gaps) / len(gaps)
    # An exponential distribution's standard deviation is its mean.
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.05)
    assert 0 < arrivals[0] <= arrivals[-1] < 200.0


def test_the_same_seed_draws_the_same_arrivals() -> None:
    assert poisson_arrivals(5.0, 10.0, seed=1) == poisson_arrivals(5.0, 10.0, seed=1)
    assert poisson_arrivals(5.0, 10.0, seed=1) != poisson_arrivals(5.0, 10.0, seed=2)
    with pytest.raises(ValueError, match="positive"):
        poisson_arrivals(0.0, 10.0, seed=1)


@pytest.mark.parametrize(
    "rows",
    [
        "2023-11-16 18:32:50.3420690,1074,377\n2023-11-16 18:32:51.3420690,209,181\n",
        "10.5,1074,377\n\n11.5,209,181\n",
        "11.5,209,181\n10.5,1074,377\n",
    ],
)
def test_a_trace_is_read(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows)
    first = TracedRequest(0.0, 1074, 377)
    assert read_trace(path) == [first, TracedRequest(pytest.approx(1.0), 209, 181)]
    assert read_trace(path, speed=2.0)[1].arrival_s == pytest.approx(0.5)
    assert len(read_trace(path, limit=1)) == 1


@pytest.mark.parametrize("row", ["10.5,1074", "soon,1,2", "1,two,3", "1,0,3"])
def test_a_row_that_is_none_is_named(row: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(f"arrival,input,output\n1,2,3\n{row}\n")
    with pytest.raises(TraceError) as caught:
        read_trace(path)
    assert f"{path}:3" in str(caught.value)


def test_an_empty_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("arrival,input,output\n")
    with pytest.raises(TraceError, match="no requests"):
        read_trace(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        read_trace(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"a,b,c\n\xff,1,1\n")
    with pytest.raises(TraceError, match=r"latin\.csv"):
        read_trace(tmp_path / "latin.csv")
    (tmp_path / "nan.csv").write_text("a,b,c\nnan,1,1\n")
    with pytest.raises(TraceError, match="no time"):
        read_trace(tmp_path / "nan.csv")
