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
    """Scenario figures over the ``items`` that had at least two repeats; a share of no item is None.

    ``tar_answer`` is the share of ``parsed_items``, those with at least one answer that could be parsed.
    ``unparsed`` counts the answers that could not, of all ``items``.
    """

    tar_raw: float | None
    tar_answer: float | None
    items: int
    parsed_items: int
    unparsed: int


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
    """Means over items, each given as (texts of its repeats, parsed answers of its repeats)."""
    several = [(texts, answers) for texts, answers in items if len(texts) > 1]
    raw = [value for texts, _ in several if (value := tar_raw(texts)) is not None]
    parsed = [value for _, answers in several if (value := tar_answer(answers)) is not None]
    unparsed = sum(answer is None for _, answers in several for answer in answers)
    return Agreement(_share(raw), _share(parsed), len(raw), len(parsed), unparsed)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
