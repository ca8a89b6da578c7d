"""How long decoding steps take, learned as they are taken, to decide how many guessed tokens pay.

While weights are what a step waits for, a few rows more cost little; with many sequences in a step, every row
costs its full share. Where the border lies depends on the machine, the precision and the shape of the
kernels' tiles, so it is measured. Times decide only what is guessed, never what the model answers.
"""

from __future__ import annotations

from collections.abc import Sequence

LEAST_SMOOTHING = 0.05
SHORTEST_S = 1e-9  # a coarse clock may see no time pass
LEAST_GAIN = 1.03
"""A guess must promise to make a step so many times as good: times are never quite certain."""


class StepCosts:
    """Seconds of decoding steps without prefill, for each number of rows: sequences and guessed tokens."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._seen: dict[int, int] = {}  # steps with so many rows

    def note(self, rows: int, seconds: float) -> None:
        """Learn from a step."""
        seconds = max(seconds, SHORTEST_S)
        before = self._seconds.get(rows, seconds)
        seen = self._seen[rows] = self._seen.get(rows, 0) + 1
        # A mean at first, then one that forgets. What was held up counts for no more than twice as long.
        smoothing = max(1 / seen, LEAST_SMOOTHING)
        self._seconds[rows] = before + smoothing * (min(seconds, 2 * before) - before)

    def worthwhile(self, guesses: Sequence[tuple[int, float]], sequences: int, most: int) -> list[int]:
        """How many tokens of each guess make the most tokens per second. All zero: better none.

        `guesses`: the length of each, and the probability that one of its tokens comes true if those before
        it did. `sequences`: how many are decoding in this step. `most`: guessed tokens in all.
        """
        lengths = [0] * len(guesses)
        if sequences not in self._seconds:
            return lengths  # a step without guesses must be seen first
        # The tokens most likely to be of use first: the k-th of a guess with the k-th power.
        tokens = sorted(
            (-(acceptance**place), index)
            for index, (length, acceptance) in enumerate(guesses)
            for place in range(1, length + 1)
        )[:most]
        expected = float(sequences)
        best, best_count = LEAST_GAIN * expected / self._of(sequences), 0
        for count, (probability, _) in enumerate(tokens, 1):
            expected -= probability
            speed = expected / self._of(sequences + count)
            if speed > best:
                best, best_count = speed, count
        for _, index in tokens[:best_count]:
            lengths[index] += 1
        return lengths

    def _of(self, rows: int) -> float:
        """Seconds of a step with so many rows: measured, or between what was measured. More rows than were
        ever seen are taken to cost nothing more, so that they are tried."""
        if rows in self._seconds:
            return self._seconds[rows]
        lower = max((seen for seen in self._seconds if seen < rows), default=None)
        higher = min((seen for seen in self._seconds if seen > rows), default=None)
        if lower is None or higher is None:
            return self._seconds[higher if lower is None else lower]  # type: ignore[index]
        share = (rows - lower) / (higher - lower)
        return self._seconds[lower] + share * (self._seconds[higher] - self._seconds[lower])
