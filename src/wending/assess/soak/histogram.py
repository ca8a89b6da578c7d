"""Counts of positive values in buckets of equal ratio: bounded memory, and histograms can be added up.

Quantiles lie in the value's bucket, so within 5 % of it; where in the bucket is taken from the rank, or a
slow drift would show as a few steps. The idea is that of DDSketch: C. Masson, J. E. Rim and H. K. Lee,
"DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", PVLDB 12 (2019),
2195-2205.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from wending.assess.stats import min_count

_RATIO = 1.05
TRIMMED = 0.1
"""Share of the values that is left out at each end of a mean."""
_LEAST = 1e-6
"""Smaller values are counted as this one; so there are at most some 600 buckets up to 10^7."""


class Histogram:
    """Of seconds, or of tokens per second."""

    def __init__(self, buckets: Mapping[str, int] | None = None) -> None:
        self._buckets: Counter[int] = Counter(
            {int(bucket): count for bucket, count in (buckets or {}).items()}
        )

    def add(self, value: float) -> None:
        self._buckets[math.floor(math.log(max(value, _LEAST)) / math.log(_RATIO))] += 1

    def merge(self, other: Histogram) -> None:
        self._buckets.update(other._buckets)

    @property
    def count(self) -> int:
        return self._buckets.total()

    def quantile(self, probability: float) -> float | None:
        """None where the count cannot carry it (stats.min_count)."""
        if self.count < min_count(probability):
            return None
        rank, seen = probability * (self.count - 1), 0
        for bucket in sorted(self._buckets):
            count = self._buckets[bucket]
            if seen + count > rank:
                return float(_RATIO ** (bucket + min((rank - seen + 0.5) / count, 1.0)))
            seen += count
        return None

    def trimmed_mean(self) -> float | None:
        """Mean of the values without the lowest and the highest tenth; None for no values.

        It follows a shift of all values as the median does, from fewer of them: with normal noise the median
        needs half as many again (J. W. Tukey, "A survey of sampling from contaminated distributions", 1960).
        """
        low, high, seen, total = TRIMMED * self.count, (1 - TRIMMED) * self.count, 0, 0.0
        for bucket in sorted(self._buckets):
            count = self._buckets[bucket]
            first, last = max(low, seen), min(high, seen + count)
            if first < last:
                middle = ((first + last) / 2 - seen) / count
                total += (last - first) * _RATIO ** (bucket + middle)
            seen += count
        return total / (high - low) if seen else None

    def to_json(self) -> dict[str, int]:
        """Bucket -> count; the form that the constructor takes."""
        return {str(bucket): count for bucket, count in sorted(self._buckets.items())}
