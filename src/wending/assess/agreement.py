"""Agreement between repeats of the same item: do all of them say the same?

TARr and TARa are the total agreement rates of B. Atil et al., "Non-determinism of 'deterministic' LLM
settings" (2024): the share of items whose repeats agree *all*, on the raw text (TARr) or on the parsed answer
(TARa).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Scenario figures: shares of the ``items`` that had at least two repeats; None when no item had."""

    tar_raw: float | None
    tar_answer: float | None
    items: int


def tar_raw(texts: Sequence[str]) -> bool | None:
    """True when all repeats of one item gave the same text; None for fewer than two repeats."""
    return None if len(texts) < 2 else len(set(texts)) == 1


def tar_answer(answers: Sequence[str | None]) -> bool | None:
    """True when all repeats of one item gave the same parsed answer; None for fewer than two repeats.

    An answer that could not be parsed (None) agrees with nothing, another such answer included.
    """
    return None if len(answers) < 2 else None not in answers and len(set(answers)) == 1


def scenario_agreement(items: Iterable[tuple[Sequence[str], Sequence[str | None]]]) -> Agreement:
    """Means over items, each given as (texts of its repeats, parsed answers of its repeats)."""
    pairs = [(tar_raw(texts), tar_answer(answers)) for texts, answers in items]
    raw = [value for value, _ in pairs if value is not None]
    parsed = [value for _, value in pairs if value is not None]
    return Agreement(_share(raw), _share(parsed), len(raw))


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
