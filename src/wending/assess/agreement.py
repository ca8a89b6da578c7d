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
    """How many of the ``items`` that had at least two repeats gave the same text, and the same answer, each
    time."""

    same_text: int
    same_answer: int
    items: int

    def to_json(self) -> dict[str, Any]:
        """TARr and TARa with Wilson's interval, since each item counts once; null when no item had two."""
        found: dict[str, Any] = {"items": self.items}
        for name, count in (("tar_raw", self.same_text), ("tar_answer", self.same_answer)):
            found[name] = count / self.items if self.items else None
            found[f"{name}_interval"] = ends(wilson(count, self.items))
        return found


def tar_raw(texts: Sequence[str]) -> bool | None:
    """True when all repeats of one item gave the same text; None for fewer than two repeats."""
    return None if len(texts) < 2 else len(set(texts)) == 1


def tar_answer(answers: Sequence[str | None]) -> bool | None:
    """True when all repeats of one item gave the same parsed answer; None for fewer than two repeats.

    An answer that could not be parsed (None) agrees with nothing, another such answer included.
    """
    return None if len(answers) < 2 else None not in answers and len(set(answers)) == 1


def scenario_agreement(items: Iterable[tuple[Sequence[str], Sequence[str | None]]]) -> Agreement:
    """Over items, each given as (texts of its repeats, parsed answers of its repeats)."""
    pairs = [(tar_raw(texts), tar_answer(answers)) for texts, answers in items]
    raw = [value for value, _ in pairs if value is not None]
    parsed = [value for _, value in pairs if value is not None]
    return Agreement(sum(raw), sum(parsed), len(raw))
