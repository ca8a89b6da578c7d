"""Plans carried out in this process, against an endpoint whose times are planted."""

from __future__ import annotations

import asyncio
import time

from tests.assess.load.plans import plan_for
from tests.assess.raw_server import END, EVENT, RawServer, chunked

from wending.assess.load.drive import Drive
from wending.assess.load.loop_lag import LoopLag
from wending.assess.load.plan import Closed, LoadPlan, Open
from wending.assess.load.record import RequestRecord
from wending.assess.load.run import LoadRun
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.script import Failures


class Recorder:
    def __init__(self, plan: LoadPlan) -> None:
        self.records: list[RequestRecord] = []
        self.overdue: list[int] = []
        self.counted = asyncio.Event()
        self.run = LoadRun(plan, self.records.append, self.overdue.append, self._all_counted)

    def _all_counted(self) -> None:
        self.counted.set()
        self.run.drain()


async def carry_out(plan: LoadPlan) -> Recorder:
    recorder = Recorder(plan)
    await recorder.run.run()
    return recorder


async def test_every_time_of_a_request_is_written_down() -> None:
    script = Script(ttft_s=0.05, token_s=0.01, tokens=9, clock=True)
    async with ScriptedServer(script) as server:
        found = await carry_out(plan_for(server.base_url, Closed((0.0,), 0, 3, False), 3))
    assert [record.number for record in found.records] == [0, 1, 2]
    for record in found.records:
        answer = record.answer
        assert record.failure is None
        assert record.intended <= answer.sent
        assert len(answer.content_times) == answer.tokens == 9
        assert answer.content_times == sorted(answer.content_times)
        # The role chunk with its empty content comes at once and is not the first token.
        assert answer.ttft_s is not None
        assert answer.ttft_s >= 0.045
        # What the endpoint says it sent arrived after that.
        sent = [float(token) for token in answer.text.split()]
        assert all(before < after + 1e-5 for before, after in zip(sent, answer.content_times, strict=True))
        assert answer.ended is not None
        assert answer.ended >= answer.content_times[-1]
    # In a closed loop a request is due when the answer before it is there.
    ends = [record.answer.ended for record in found.records]
    for end, following in zip(ends, found.records[1:], strict=False):
        assert end is not None
        assert following.intended >= end


async def test_streams_keep_the_load_up_around_the_counted_requests() -> None:
    script = Script(token_s=0.01, tokens=5)
    async with ScriptedServer(script) as server:
        schedule = Closed((0.0, 0.01, 0.02), warm=1, counted=2, fill=True)
        found = await carry_out(plan_for(server.base_url, schedule, 60))
    counted = [record for record in found.records if record.counted]
    assert len(counted) == 6
    assert len(found.records) >= 3 + 6
    first, last = min(r.answer.sent for r in counted), max(r.answer.ended or 0.0 for r in counted)
    # All three streams ran from the first counted request to the end of the last.
    assert sum(record.answer.sent < first for record in found.records if not record.counted) >= 2
    assert max(record.answer.ended or 0.0 for record in found.records) >= last


async def test_an_open_loop_waits_for_nobody() -> None:
    """Requests are due every 20 ms and answered after 300 ms: all are sent before the first answer."""
    arrivals = tuple(0.02 * number for number in range(10))
    async with ScriptedServer(Script(ttft_s=0.3, tokens=2)) as server:
        plan = plan_for(server.base_url, Open(arrivals), 10)
        found = await carry_out(plan)
    assert sorted(record.intended for record in found.records) == [plan.start + at for at in arrivals]
    assert max(r.answer.sent for r in found.records) < min(r.answer.ended or 0.0 for r in found.records)


async def test_an_arrival_that_was_late_does_not_move_the_others() -> None:
    """The event loop stands still for 0.3 s: what was due meanwhile is late, the rest is not."""
    arrivals = tuple(0.05 * number for number in range(12))
    async with ScriptedServer(Script(tokens=2)) as server:
        plan = plan_for(server.base_url, Open(arrivals), 12)
        asyncio.get_running_loop().call_at(plan.start + 0.11, time.sleep, 0.3)
        with LoopLag() as lag:
            found = await carry_out(plan)
    by_number = sorted(found.records, key=lambda record: record.number)
    assert [record.intended for record in by_number] == [plan.start + at for at in arrivals]
    assert by_number[4].lag_s > 0.15
    # And so the level says nothing about the endpoint.
    drive = Drive.of([record.lag_s for record in found.records], lag.lags)
    assert drive.send_lag_s > 0.2
    assert drive.loop_lag_s > 0.2
    assert drive.fault(max_ttft_s=2.0) is not None
    assert Drive.of([0.001], [0.002]).fault(max_ttft_s=2.0) is None


async def test_a_late_first_token_is_heard_of_before_it_comes() -> None:
    async with ScriptedServer(Script(failures=Failures(hang=1))) as server:
        schedule = Closed((0.0, 0.0), 0, 1, False)
        recorder = Recorder(plan_for(server.base_url, schedule, 2, patience_s=0.05))
        running = asyncio.create_task(recorder.run.run())
        while len(recorder.overdue) < 2:
            await asyncio.sleep(0.01)
        recorder.run.abort()
        await running
    assert sorted(recorder.overdue) == [0, 1]
    assert [record.is_over for record in recorder.records] == [False, False]


async def test_a_connection_that_the_endpoint_closed_is_no_error_of_its() -> None:
    """It promises to keep connections, and closes each when the second request has come."""
    async with RawServer(chunked(EVENT, END), answers=1) as raw:
        found = await carry_out(plan_for(raw.base_url, Closed((0.0,), 0, 3, False), 3))
    assert [record.failure for record in found.records] == [None] * 3
    assert [record.sent_again for record in found.records] == [False, True, True]
    for record, following in zip(found.records, found.records[1:], strict=False):
        # Sent when the answer before it was there, not when the new connection was.
        assert record.answer.ended is not None
        assert record.answer.ended <= following.answer.sent < following.answer.content_times[0]


async def test_failures_are_recorded_and_the_stream_goes_on() -> None:
    async with ScriptedServer(Script(failures=Failures(http_error=1))) as server:
        found = await carry_out(plan_for(server.base_url, Closed((0.0,), 0, 3, False), 3))
    failures = [record.failure for record in found.records]
    assert [failure.kind for failure in failures if failure is not None] == ["server_error"] * 3
    assert all("HTTP 500" in failure.en for failure in failures if failure is not None)
