"""The options of objectives: their values, their limits, and what they come to."""

from __future__ import annotations

import argparse

import pytest

from wending.assess.load import CAP, Objective
from wending.cli.objective import add_objective, objective_of


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_objective(parser, lambda english, chinese: english)
    return parser.parse_args(arguments)


def test_without_options_they_are_those_of_the_measurement() -> None:
    options = parsed()
    assert objective_of(options) == Objective()
    assert options.concurrency_cap == CAP


def test_every_option_has_its_place() -> None:
    options = parsed(
        "--max-ttft", "0.5", "--min-speed", "25", "--max-errors", "0", "--min-valid", "1",
        "--concurrency-cap", "8",
    )  # fmt: skip
    assert objective_of(options) == Objective(0.5, 25.0, 0.0, 1.0)
    assert options.concurrency_cap == 8


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--max-ttft", "0", "0 is out of range"),
        ("--max-ttft", "soon", "'soon' is not a number of seconds"),
        ("--min-speed", "-1", "-1 is out of range"),
        ("--max-errors", "1.5", "1.5 is out of range: 0 to 1"),
        ("--max-errors", "few", "'few' is not a number"),
        ("--min-valid", "nan", "nan is out of range: 0 to 1"),
        ("--concurrency-cap", "0", "0 is too small"),
    ],
)
def test_what_makes_no_sense_is_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(f"{option}={value}")
    assert said in capsys.readouterr().err
