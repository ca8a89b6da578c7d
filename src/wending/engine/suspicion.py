"""Which request kills the engine? Counts deaths and says who must be computed alone and who is guilty.

A death is *proof* if the engine's own work caused it: an exception, a fault, a step that never ended. It
makes suspects of all requests of that step. A suspect is then computed with no other beside it until it has
made a token, which clears it. So the second proof can only be against the one request that caused it, and
the others lose nothing but time: nobody is convicted for another's deed.

Any other death came from outside (`death.py`) and counts for little: requests go on together after it. Only
one that was there at several such deaths in a row, and made no token in all that time, becomes a suspect, and
is convicted at last, because a request that exhausts the machine's memory would else go on for ever. An
innocent one is convicted only if somebody kills four engines in a row before it has made its next token, the
last two of them while it has the machine for itself. Kills at moments that do not depend on it, on average
further apart than the time to read its prompt, do not come to that: under kills at random moments the chance
is about (time to read the prompt / time between kills) to the power of four.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

PROOFS = 2
"""So many deaths by its own work convict a request."""
DEATHS = 4
"""So many of any kind, in a row and without a token between them."""
DEATHS_OF_A_SUSPECT = 2
"""After so many of any kind it is computed alone."""


@dataclass(slots=True)
class _Tally:
    deaths: int = 0
    proofs: int = 0


class Suspicion:
    """What is known against requests. They have numbers here."""

    def __init__(self) -> None:
        self._tallies: defaultdict[int, _Tally] = defaultdict(_Tally)

    def note_death(self, computing: Collection[int], is_proof: bool) -> int | None:
        """The engine died while it computed these requests. Returns the guilty one, if that is certain."""
        for number in computing:
            tally = self._tallies[number]
            tally.deaths += 1
            tally.proofs += is_proof
        if len(computing) != 1:
            return None
        [number] = computing
        tally = self._tallies[number]
        return number if tally.proofs >= PROOFS or tally.deaths >= DEATHS else None

    def clear(self, number: int) -> None:
        """A request has made a token, or is gone."""
        self._tallies.pop(number, None)

    def is_suspect(self, number: int) -> bool:
        """Whether a request must be computed alone until it is cleared."""
        tally = self._tallies.get(number)
        return tally is not None and (tally.proofs > 0 or tally.deaths >= DEATHS_OF_A_SUSPECT)

    def deaths(self, number: int) -> int:
        """Deaths in a row at which a request was being computed."""
        return self._tallies[number].deaths if number in self._tallies else 0
