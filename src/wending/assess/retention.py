"""Retention: how many conversations still keep their role at each turn that is judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from wending.assess.checks import run_passes
from wending.assess.condition import DEFAULT, ROLE_KEEPING
from wending.assess.rate import rate_over
from wending.assess.run_record import RunRecord, rounded
from wending.assess.scenarios import Scenario
from wending.assess.stats.paired import paired_change

Outcomes = Mapping[str, Sequence[bool]]
"""Of each item whether each of its repeats kept the role at one turn."""


def retention_json(scenario: Scenario, records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """A curve for each condition under which conversations of the scenario were judged at several turns:
    without role keeping, and with it.

    A point is the rate at one turn, over the conversations that are judged there. `change`: from without to
    with role keeping, paired by item. Runs whose request failed say nothing of a role and are left out.
    """
    turns = {item.id: item.judged_turns for item in scenario.items if len(item.judged_turns) > 1}
    runs = [run for run in records if run.scenario == scenario.id and run.item in turns and run.error is None]
    of_condition = {
        condition.name: [run for run in runs if run.condition == condition.name]
        for condition in (DEFAULT, ROLE_KEEPING)
    }
    curves = []
    for condition in (DEFAULT, ROLE_KEEPING):
        found = of_condition[condition.name]
        if not found:
            continue
        points = []
        for turn in sorted({turn for run in found for turn in turns[run.item]}):
            kept = _kept(found, turn)
            without = {} if condition is DEFAULT else _kept(of_condition[DEFAULT.name], turn)
            points.append(
                {
                    "turn": turn,
                    "items": len(kept),
                    "rate": rate_over(kept.values()),
                    "change": _change(without, kept),
                }
            )
        title = {"en": str(condition.title), "zh": condition.title.zh}
        curves.append({"condition": condition.name, "title": title, "points": points})
    return curves


def _kept(runs: Sequence[RunRecord], turn: int) -> Outcomes:
    found: dict[str, list[bool]] = defaultdict(list)
    for run in runs:
        at_turn = [result for result in run.checks if result.turn == turn]
        if at_turn:
            found[run.item].append(run_passes(at_turn))
    return found


def _change(without: Outcomes, kept: Outcomes) -> dict[str, Any] | None:
    change = paired_change(without, kept)
    if change is None:
        return None
    low, high = (None, None) if change.interval is None else map(rounded, change.interval)
    return {"items": change.items, "difference": rounded(change.difference), "low": low, "high": high}
