"""How far a completion had come when the engine that made it died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What was delivered of one completion. The rest follows from it, the request and the weights."""

    token_ids: Sequence[int] = ()
    """All tokens generated so far, in order."""
    finished: bool = False
    """Whether the last of them ended the completion."""
