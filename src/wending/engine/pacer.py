"""How many prompt tokens a step may compute, so that it takes no longer than it should.

Whoever is decoding waits for the whole step: the time it takes is the gap between two of their tokens. How
fast prompts are computed depends on the machine, the model and the length of the context, so it is learned
from the steps themselves. Chunk sizes never change an answer, so times may decide them.
"""

from __future__ import annotations

FEWEST_TOKENS = 16
FIRST_BESIDE_DECODES, FIRST_ALONE = 32, 128


class Pacer:
    """Budgets of prompt tokens for steps with and without decoding sequences."""

    def __init__(self, most: int, gap_s: float | None = None, step_s: float | None = None) -> None:
        """At most `most` tokens. `gap_s`: seconds that a step with decoding sequences should take at most,
        `step_s`: one without; None: as long as it takes."""
        self._most = most
        self._seconds = {True: gap_s, False: step_s}
        self._budget = {
            beside: most if self._seconds[beside] is None else min(first, most)
            for beside, first in ((True, FIRST_BESIDE_DECODES), (False, FIRST_ALONE))
        }

    def budget(self, beside_decodes: bool) -> int:
        """Prompt tokens for the next step."""
        return self._budget[beside_decodes]

    def note(self, beside_decodes: bool, tokens: int, seconds: float) -> None:
        """Learn from a step with prompt tokens. A short one that might have had more of them says nothing."""
        allowed = self._seconds[beside_decodes]
        if allowed is None or (tokens < self._budget[beside_decodes] and seconds <= allowed):
            return
        fitting = int(tokens * allowed / max(seconds, 1e-6))
        self._budget[beside_decodes] = min(max(min(fitting, 2 * tokens), FEWEST_TOKENS), self._most)
