"""How thorough an assessment is: minutes, tens of minutes, or hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    performance_seconds: float
    recovery: bool
    """Whether faults are made."""


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("quick", frozenset([1]), 5, 2, 40.0, recovery=False),
        Profile("standard", frozenset([1, 2, 3]), 5, 3, 180.0, recovery=True),
        Profile("signoff", frozenset([1, 2, 3]), 10, 5, 900.0, recovery=True),
    )
}
