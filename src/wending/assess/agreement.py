"""Agreement between repeats of the same item: do all of them say the same?

TARr and TARa are the total agreement rates of B. Atil et al., "Non-determinism of 'deterministic' LLM
settings" (2024): the share of items whose repeats agree *all*, on the raw text (TARr) or on the parsed answer
(TARa).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wending.assess.rate import ends
from wending.assess.stats import wilson


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the ``items`` that had at least two repeats gave the same text each time.

    And how many of ``parsed_items``, those with at least one answer that could be parsed, the same answer.
    ``unparsed`` counts the answers that could not, of all ``items``.
    """

    same_text: int
    same_answer: int
    items: int
    parsed_items: int
    unparsed: int

    def to_json(self) -> dict[str, Any]:
        """TARr and TARa with Wilson's interval, since each item counts once; null where no item counts."""
        found: dict[str, Any] = {"items": self.items}
        for name, count, items in (
            ("tar_raw", self.same_text, self.items),
            ("tar_answer", self.same_answer, self.parsed_items),
        ):
            found[name] = count / items if items else None
            found[f"{name}_interval"] = ends(wilson(count, items))
        found |= {"parsed_items": self.parsed_items, "unparsed": self.unparsed}
        return found


def tar_raw(texts: Sequence[str]) -> bool | None:
    """True when all repeats of one item gave the same text; None for fewer than two repeats."""
    return None if len(texts) < 2 else len(set(texts)) == 1


def tar_answer(answers: Sequence[str | None]) -> bool | None:
    """True when all repeats of one item gave the same parsed answer; None for fewer than two repeats, and
    where no answer could be parsed: there is nothing to compare.

    A single answer that could not be parsed (None) does not agree with the others.
    """
    if len(answers) < 2 or all(answer is None for answer in answers):
        return None
    return len(set(answers)) == 1


def scenario_agreement(items: Iterable[tuple[Sequence[str], Sequence[str | None]]]) -> Agreement:
    """Over items, each given as (texts of its repeats, parsed answers of its repeats)."""
    several = [(texts, answers) for texts, answers in items if len(texts) > 1]
    raw = [value for texts, _ in several if (value := tar_raw(texts)) is not None]
    parsed = [value for _, answers in several if (value := tar_answer(answers)) is not None]
    unparsed = sum(answer is None for _, answers in several for answer in answers)
    return Agreement(sum(raw), sum(parsed), len(raw), len(parsed), unparsed)
