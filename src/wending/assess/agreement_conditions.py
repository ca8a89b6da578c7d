"""Agreement of repeats under each condition, and what changes from alone to under load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from wending.assess.agreement import scenario_agreement
from wending.assess.condition import ALONE, DEFAULT, LOADED, Condition
from wending.assess.rate import ends
from wending.assess.run_record import RunRecord, rounded
from wending.assess.scenarios import Scenario
from wending.assess.stats import (
    divergence,
    mean_over_items,
    median,
    pairwise_agreement,
    quantile_bounds,
    wilson,
)

CONDITIONS = (DEFAULT, ALONE, LOADED)

Texts = dict[tuple[str, str], list[str]]
"""The answers to each item, by scenario and item."""


def agreement_json(scenarios: Sequence[Scenario], records: Sequence[RunRecord]) -> dict[str, Any]:
    """Over items of one turn. `conditions`: agreement over those that were asked at least twice. One that was
    not asked is left out. `changed_under_load`: of the items that agree alone, those whose answers under load
    differ. `parted`: what differs at temperature 0, where an answer has one right text."""
    items = {
        (scenario.id, item.id): item for scenario in scenarios for item in scenario.items if item.turns == 1
    }
    asked_once = [run for run in records if (run.scenario, run.item) in items]
    texts = {condition.name: _texts(asked_once, condition) for condition in CONDITIONS}
    conditions = []
    for condition in CONDITIONS:
        asked = {place: found for place, found in texts[condition.name].items() if len(found) > 1}
        if not asked:
            continue
        found = scenario_agreement(
            (several, [items[place].answer_of(text) for text in several]) for place, several in asked.items()
        )
        conditions.append(
            {
                "condition": condition.name,
                "title": {"en": str(condition.title), "zh": condition.title.zh},
                "background": condition.background,
                **found.to_json(),
                **_pairwise(asked),
                **_diverge_at(asked),
            }
        )
    return {
        "conditions": conditions,
        "changed_under_load": _changed(texts[ALONE.name], texts[LOADED.name]),
        "parted": _parted(texts[ALONE.name], texts[LOADED.name]),
    }


def _parted(alone: Texts, loaded: Texts) -> list[dict[str, Any]]:
    """Items whose answers at temperature 0 differ, alone or under load, with their different texts and the
    count of characters that these have in common at the beginning."""
    found = []
    for scenario, item in sorted({*alone, *loaded}):
        both = [alone.get((scenario, item), []), loaded.get((scenario, item), [])]
        parting = divergence([*both[0], *both[1]])
        if parting is not None:
            different = [list(dict.fromkeys(texts)) for texts in both]
            found.append(
                {
                    "scenario": scenario,
                    "item": item,
                    "characters": parting.characters,
                    "alone": different[0],
                    "loaded": different[1],
                }
            )
    return found


def _pairwise(asked: Texts) -> dict[str, Any]:
    """The share of pairs of repeats with the same text, on average over items."""
    shares = [pairwise_agreement(texts) or 0.0 for texts in asked.values()]
    found = mean_over_items(shares, trials=sum(map(len, asked.values())) / 2)
    if found is None:
        return {"pairwise": None, "pairwise_interval": None}
    return {"pairwise": rounded(found.mean), "pairwise_interval": ends(found.interval)}


def _diverge_at(asked: Texts) -> dict[str, Any]:
    """After how many characters repeats part, as the median over the items whose repeats do."""
    parted = [found.characters for texts in asked.values() if (found := divergence(texts)) is not None]
    return {
        "diverge_at": median(parted),
        "diverge_at_bounds": ends(quantile_bounds(parted, 0.5)),
        "diverge_at_items": len(parted),
    }


def _texts(records: Sequence[RunRecord], condition: Condition) -> Texts:
    found: Texts = defaultdict(list)
    for run in records:
        if run.condition == condition.name and run.error is None:
            found[run.scenario, run.item].append(run.text)
    return found


def _changed(alone: Texts, loaded: Texts) -> dict[str, Any] | None:
    """A rate over items; None if none was asked under both conditions and agreed alone."""
    steady = [place for place, texts in alone.items() if len(set(texts)) == 1 and len(texts) > 1]
    compared = [place for place in steady if loaded.get(place)]
    changed = [place for place in compared if set(loaded[place]) != set(alone[place])]
    interval = wilson(len(changed), len(compared))
    if interval is None:
        return None
    return {
        "k": len(changed),
        "n": len(compared),
        "low": round(interval.low, 5),
        "high": round(interval.high, 5),
        "items": [f"{scenario}/{item}" for scenario, item in changed],
    }
