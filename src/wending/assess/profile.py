"""How thorough an assessment is: minutes, tens of minutes, or hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wending.assess.context import ContextEffort

ProfileName = Literal["quick", "standard", "signoff"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What is asked for where the command line does not say it itself."""

    name: ProfileName
    levels: frozenset[int]
    """Which items are asked, by their difficulty."""
    repeats: int
    """How often each item is asked as a client would ask it."""
    agreement_repeats: int
    """How often it is asked at temperature 0 alone, and again under load."""
    response_format_repeats: int
    """How often JSON items are asked with their schema in the request."""
    performance_seconds: float
    recovery: bool
    """Whether faults are made."""
    context: ContextEffort | None
    """How far recall by distance is measured; None leaves it out."""


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("quick", frozenset([1]), 5, 2, 2, 40.0, False, ContextEffort(1, 5.0, 15.0)),
        Profile("standard", frozenset([1, 2, 3]), 5, 3, 5, 180.0, True, ContextEffort(2, 20.0, 90.0)),
        Profile("signoff", frozenset([1, 2, 3]), 10, 5, 10, 900.0, True, ContextEffort(6, 120.0, 1200.0)),
    )
}
