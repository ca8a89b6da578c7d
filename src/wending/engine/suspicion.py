"""Which request kills the engine? Counts deaths and says who must be computed alone and who is guilty.

A death is *proof* if the engine's own work caused it: an exception, a fault, a step that never ended. It
makes suspects of all requests of that step. A suspect is then computed with no other beside it until it has
made a token, which clears it. So the second proof can only be against the one request that caused it, and
the others lose nothing but time: nobody is convicted for another's deed.

Any other death came from outside (`death.py`) and counts for little: requests go on together after it. Only
one that was there at two such deaths in a row, and made no token in all that time, becomes a suspect; and it
is convicted only when the engine has died four times in a row while it computed nothing else, because a
request that exhausts the machine's memory would otherwise go on for ever. For an innocent one to be convicted
somebody must kill four engines in a row while each reads this one prompt, with the whole machine at its
disposal. Kills at random moments come to that with a chance of about (time to read the prompt / time between
kills) to the power of four, and that only after two deaths at which it was there already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

PROOFS = 2
"""So many deaths by its own work convict a request."""
DEATHS_ALONE = 4
"""So many of any kind do, in a row and without a token between them, if nothing else was computed."""
DEATHS_OF_A_SUSPECT = 2
"""After so many of any kind it is computed alone."""


@dataclass(slots=True)
class _Tally:
    deaths: int = 0
    proofs: int = 0
    alone: int = 0


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
        tally.alone += 1
        return number if tally.proofs >= PROOFS or tally.alone >= DEATHS_ALONE else None

    def note_token(self, number: int) -> None:
        """One of a request's completions has made a token, so deaths that prove nothing no longer count. The
        next death may still be the work of another of its completions."""
        tally = self._tallies.get(number)
        if tally is not None:
            tally.deaths, tally.alone = tally.proofs, 0

    def clear(self, number: int) -> None:
        """All of a request's completions have made a token, or it is gone."""
        self._tallies.pop(number, None)

    def is_suspect(self, number: int) -> bool:
        """Whether a request must be computed alone until it is cleared."""
        tally = self._tallies.get(number)
        return tally is not None and (tally.proofs > 0 or tally.deaths >= DEATHS_OF_A_SUSPECT)

    def deaths(self, number: int) -> int:
        """Deaths in a row at which a request was being computed."""
        return self._tallies[number].deaths if number in self._tallies else 0
