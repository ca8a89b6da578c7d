"""How long steps take, learned as they are taken, to decide whether guessing tokens pays.

While weights are what a step waits for, a few rows more cost little; with many sequences in a step, every row
costs its full share. Where the border lies depends on the machine and the precision, so it is measured. Times
decide only whether a guess is made, never what the model answers.
"""

from __future__ import annotations

SMOOTHING = 0.2


class StepCosts:
    """Seconds of decoding steps without prefill: for each number of sequences, and for a guessed row more."""

    def __init__(self) -> None:
        self._plain_s: dict[int, float] = {}
        self._row_s = 0.0  # nothing is known: optimistic, so that it is tried

    def note(self, sequences: int, drafted: int, seconds: float) -> None:
        """Learn from a step that decoded so many sequences with so many guessed rows in all."""
        before = self._plain_s.get(sequences)
        if drafted == 0:
            smoothed = seconds if before is None else before + SMOOTHING * (seconds - before)
            self._plain_s[sequences] = smoothed
        elif before is not None:
            row_s = max(seconds - before, 0.0) / drafted
            self._row_s += SMOOTHING * (row_s - self._row_s)

    def worthwhile(self, sequences: int, acceptance: float) -> bool:
        """Whether a guessed row saves more time than it takes, if this share of the guesses come true."""
        plain_s = self._plain_s.get(sequences)
        return plain_s is not None and acceptance * plain_s / sequences > self._row_s
