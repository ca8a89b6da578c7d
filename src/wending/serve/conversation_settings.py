"""How a server takes care of conversations whose requests do not say it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContextPolicy = Literal["refuse", "drop-oldest"]
"""What happens to a conversation that is too long for the context: it is refused, or loses its oldest
turns."""

MAX_RESTATE_SYSTEM = 1000


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """The options of `wending serve` of the same names."""

    context_policy: ContextPolicy = "refuse"
    restate_system: int = 0
    """The system prompt is shown again at every so many user turns; 0 is never."""
