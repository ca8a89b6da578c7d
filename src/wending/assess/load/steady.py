"""Whether a level was in its steady state while it was measured, found out from its requests."""

from __future__ import annotations

from collections.abc import Sequence

from wending.assess.load.record import RequestRecord
from wending.assess.stats.trend import trend

FULL = 0.95
"""So large a part of the streams must have been busy, averaged over the time."""
SURE = 0.01
"""A trend in the times is believed below this probability of seeing it by chance."""


def is_steady(records: Sequence[RequestRecord], streams: int, ended: float | None = None) -> bool:
    """All streams were busy from the first counted request to the end of the last, and neither the wait for
    the first token nor the time per token rose or fell meanwhile (Mann-Kendall; see stats.trend).

    `ended`: when requests that were not over were cut off. False without a counted request.
    """
    counted = sorted((record for record in records if record.counted), key=lambda record: record.answer.sent)
    if not counted:
        return False
    began = counted[0].answer.sent
    ended = max(record.last_s for record in counted) if ended is None else ended
    busy = sum(
        max(min(record.last_s if record.is_over else ended, ended) - max(record.answer.sent, began), 0.0)
        for record in records
    )
    if busy < FULL * streams * (ended - began):
        return False
    return not any(
        _has_trend(
            [(r.answer.sent, value) for r in counted if (value := getattr(r.answer, name)) is not None]
        )
        for name in ("ttft_s", "tpot_s")
    )


def _has_trend(points: Sequence[tuple[float, float]]) -> bool:
    found = trend([sent for sent, _ in points], [value for _, value in points])
    return found is not None and found.p < SURE
