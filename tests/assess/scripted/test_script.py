"""Scripts are read strictly, and drawn times have the distribution that was asked for."""

from __future__ import annotations

import statistics
from pathlib import Path
from random import Random

import pytest

from wending.assess.scripted.script import Script, ScriptError, load_script, parse_script
from wending.assess.scripted.times import Exponential, Lognormal, Times, Uniform, draw


def test_a_script_is_read() -> None:
    script = parse_script(
        '{"ttft_s": {"distribution": "lognormal", "median": 0.2, "sigma": 0.5}, "token_s": 0.05, '
        '"failures": {"hang": 0.1}, "capacity": {"streams": 12, "beyond": "slow"}}'
    )
    assert script.ttft_s == Lognormal(0.2, 0.5)
    assert script.token_s == 0.05
    assert script.failures.hang == 0.1
    assert script.capacity is not None
    assert script.capacity.beyond == "slow"
    assert parse_script("{}") == Script()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "truncated"),
        ('{"tokns": 3}', "tokns"),
        ('{"failures": {"hang": 2}}', "hang must lie between 0 and 1, got 2"),
        ('{"failures": {"hang": 0.7, "reset": 0.6}}', "add up to 1.3"),
        ('{"ttft_s": -1}', "ttft_s must not be negative"),
        ('{"token_s": {"distribution": "uniform", "low": -1, "high": 1}}', "token_s must not be negative"),
        ('{"ttft_s": {"distribution": "gamma"}}', "gamma"),
        ('{"capacity": {"streams": 0}}', "capacity.streams must be at least 1, got 0"),
        ('{"answers": [{"pattern": "(", "texts": ["a"]}]}', "pattern '('"),
        ('{"answers": [{"pattern": "a", "texts": []}]}', "no texts"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(ScriptError) as caught:
        load_script(path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("times", "median"),
    [(0.3, 0.3), (Uniform(0.1, 0.3), 0.2), (Lognormal(0.2, 0.5), 0.2), (Exponential(0.1), 0.0693)],
)
def test_times_are_drawn_from_their_distribution(times: Times, median: float) -> None:
    random = Random(1)
    values = [draw(times, random) for _ in range(4000)]
    assert statistics.median(values) == pytest.approx(median, rel=0.05)
