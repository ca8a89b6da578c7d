"""A load generator that sends nothing: it works out what a closed loop would see, in no time."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from wending.assess.chat_answer import ChatAnswer
from wending.assess.load.generator import LoadGenerator, LoadResult, Watcher
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import Failure, RequestRecord

TOKENS = 11

Respond = Callable[[int, float], "tuple[float, float] | Failure"]
"""(requests in flight with this one, seconds since the begin) to (TTFT in seconds, tokens per second)."""


class SimulatedGenerator(LoadGenerator):
    """Streams that send one request after the other to an endpoint that answers as `respond` says."""

    def __init__(self, respond: Respond, loop_lag_s: float = 0.0) -> None:
        super().__init__()
        self.plans: list[LoadPlan] = []
        self._respond = respond
        self._loop_lag_s = loop_lag_s

    async def run(self, plan: LoadPlan, watcher: Watcher | None = None) -> LoadResult:
        self.plans.append(plan)
        watcher = watcher or Watcher()
        watcher.stop = self._stop
        result = LoadResult(loop_lags=[self._loop_lag_s])
        self._cut_off, self._drained = False, False
        schedule = plan.schedule
        assert isinstance(schedule, Closed)
        # What happens next: (when, stream, requests that it has sent, the record that ends or None).
        events: list[tuple[float, int, int, RequestRecord | None]] = [
            (start, stream, 0, None) for stream, start in enumerate(schedule.starts)
        ]
        heapq.heapify(events)
        uncounted, number, under_way = len(events), 0, set[int]()
        while events:
            now, stream, sent, record = heapq.heappop(events)
            if record is not None:
                under_way.discard(record.number)
                if self._cut_off:
                    record.answer.finish_reason = None
                    record.answer.content_times = []
                result.records.append(record)
                watcher.on_record(record)
                if sent == schedule.warm + schedule.counted:
                    uncounted -= 1
            is_enough = sent >= schedule.warm + schedule.counted
            if (
                self._cut_off
                or number == len(plan.bodies)
                or (is_enough and not (schedule.fill and uncounted))
            ):
                continue
            under_way.add(number)
            record = self._request(number, plan.start + now, len(under_way), now, schedule, sent)
            number += 1
            ended = record.answer.ended if record.failure is None else record.answer.sent + 0.01
            assert ended is not None
            heapq.heappush(events, (ended - plan.start, stream, sent + 1, record))
        return result

    def _request(
        self, number: int, sent: float, in_flight: int, now: float, schedule: Closed, sent_before: int
    ) -> RequestRecord:
        counted = schedule.warm <= sent_before < schedule.warm + schedule.counted
        found = self._respond(in_flight, now)
        if isinstance(found, Failure):
            return RequestRecord(number, sent, counted, ChatAnswer(sent), found)
        ttft, speed = found
        times = [sent + ttft + token / speed for token in range(TOKENS)]
        return RequestRecord(number, sent, counted, ChatAnswer(sent, "tea", times, times[-1], "stop", TOKENS))

    def _stop(self, cut_off: bool) -> None:
        self._cut_off = self._cut_off or cut_off
