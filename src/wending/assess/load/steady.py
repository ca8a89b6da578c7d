"""Whether a level was in its steady state while it was measured, and if not why, from its requests."""

from __future__ import annotations

from collections.abc import Sequence

from wending.assess.bilingual import Bilingual
from wending.assess.load.record import RequestRecord
from wending.assess.stats.trend import trend

FULL = 0.95
"""So large a part of the streams must have been busy, averaged over the time."""
SURE = 0.01
"""A trend in the times is believed below this probability of seeing it by chance."""

SHORT = Bilingual("measured briefly, for want of time", "时间不足，仅作短时测量")
"""Why a level is not steady of which there were too few requests to tell."""

_TIMES = {
    "ttft_s": Bilingual("the time to the first token", "首字时延"),
    "tpot_s": Bilingual("the time per token", "每个 token 的时间"),
}


def why_unsteady(records: Sequence[RequestRecord], streams: int, ended: float | None = None) -> str:
    """ "" where all streams were busy from the first counted request to the end of the last, and neither the
    wait for the first token nor the time per token rose or fell meanwhile (Mann-Kendall; see stats.trend).

    `ended`: when requests that were not over were cut off.
    """
    counted = sorted((record for record in records if record.counted), key=lambda record: record.answer.sent)
    if not counted:
        return Bilingual("no request was counted", "没有计入的请求")
    began = counted[0].answer.sent
    ended = max(record.last_s for record in counted) if ended is None else ended
    busy = sum(
        max(min(_freed(record, ended), ended) - max(record.answer.sent, began), 0.0) for record in records
    )
    wanted = streams * (ended - began)
    if busy < FULL * wanted:
        share = busy / wanted
        return Bilingual(f"{share:.0%} of the streams were busy", f"平均只有 {share:.0%} 的并发路处于忙碌")
    for name, words in _TIMES.items():
        points = [(r.answer.sent, value) for r in counted if (value := getattr(r.answer, name)) is not None]
        found = trend([sent for sent, _ in points], [value for _, value in points])
        if found is not None and found.p < SURE:
            english, chinese = ("rose", "上升") if found.slope > 0 else ("fell", "下降")
            return Bilingual(f"{words} {english}", f"{words.zh}{chinese}")
    return ""


def _freed(record: RequestRecord, ended: float) -> float:
    """When its stream could send the next one."""
    return record.last_byte or (record.last_s if record.is_over else ended)
