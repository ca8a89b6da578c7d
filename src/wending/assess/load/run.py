"""One plan carried out in one event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import EndpointError
from wending.assess.load.connection import ChatConnection
from wending.assess.load.dial import Address
from wending.assess.load.plan import Closed, LoadPlan, Open
from wending.assess.load.record import Failure, RequestRecord

PAUSE_AFTER_ERROR_S = 0.05
"""A stream whose request was refused at once does not storm the endpoint."""
IDLE_S = 2.0
"""A connection that rested longer may have been closed by the endpoint without our having heard of it."""


class LoadRun:
    """`on_record` hears of each request when it is over; `on_overdue` of one whose first token is late.

    `on_counted` is called once, when the last counted request is over. A closed loop then goes on until
    `drain`, which lets the requests under way end, or `abort`, which closes their connections.
    """

    def __init__(
        self,
        plan: LoadPlan,
        on_record: Callable[[RequestRecord], None],
        on_overdue: Callable[[int], None],
        on_counted: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._on_record = on_record
        self._on_overdue = on_overdue
        self._on_counted = on_counted
        self._address = Address(plan.base_url, plan.headers)
        self._next_body = 0
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: list[tuple[float, ChatConnection]] = []

    async def run(self) -> None:
        """Until every request is over; those that `abort` cut off are recorded as far as they had come."""
        schedule = self._plan.schedule
        self._ended = asyncio.get_running_loop().create_future()
        try:
            if isinstance(schedule, Closed):
                self._uncounted_streams = len(schedule.starts)
                for start in schedule.starts:
                    self._begin(self._stream(schedule, self._plan.start + start))
            else:
                self._begin(self._send_at_arrivals(schedule))
            await self._ended
        finally:
            self.abort()
            for _, connection in self._idle:
                connection.close()
        if isinstance(schedule, Open):
            self._on_counted()

    def drain(self) -> None:
        self._draining = True

    def abort(self) -> None:
        self._draining = True
        for task in self._tasks:
            task.cancel()

    def _begin(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        mistake = None if task.cancelled() else task.exception()
        if self._ended.done():
            return
        if mistake is not None:
            self._ended.set_exception(mistake)  # one of our own: those of endpoints are in the records
        elif not self._tasks:
            self._ended.set_result(None)

    async def _stream(self, schedule: Closed, intended: float) -> None:
        connection, sent = ChatConnection(self._address), 0
        first, last = schedule.warm, schedule.warm + schedule.counted
        await _sleep_until(intended)
        try:
            while sent < last or (schedule.fill and not self._draining):
                if self._draining or self._next_body >= len(self._plan.bodies):
                    break
                ended = await self._request(connection, intended, counted=first <= sent < last)
                sent += 1
                if sent == last:
                    self._one_stream_is_counted()
                if ended is None:
                    await asyncio.sleep(PAUSE_AFTER_ERROR_S)
                intended = ended or time.monotonic()
        finally:
            connection.close()

    def _one_stream_is_counted(self) -> None:
        self._uncounted_streams -= 1
        if not self._uncounted_streams:
            self._on_counted()

    async def _send_at_arrivals(self, schedule: Open) -> None:
        """Each arrival has its place on the clock, so that one that was late does not move those after it."""
        for arrival in schedule.arrivals:
            intended = self._plan.start + arrival
            await _sleep_until(intended)
            if self._draining or self._next_body >= len(self._plan.bodies):
                break
            self._begin(self._one_request(intended))

    async def _one_request(self, intended: float) -> None:
        rested, connection = self._idle.pop() if self._idle else (0.0, ChatConnection(self._address))
        if time.monotonic() - rested > IDLE_S:
            connection.close()
        try:
            await self._request(connection, intended, counted=True)
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))

    async def _request(self, connection: ChatConnection, intended: float, *, counted: bool) -> float | None:
        """The time at which the answer ended; None when it failed."""
        place, self._next_body = self._next_body, self._next_body + 1
        number = self._plan.numbers[place] if self._plan.numbers else place
        answer = ChatAnswer(sent=time.monotonic())
        record = RequestRecord(number, intended, counted, answer)
        watch = asyncio.get_running_loop().call_later(self._plan.patience_s, self._look, record)
        before = connection.sent_again
        try:
            record.last_byte = await connection.ask(self._address.request(self._plan.bodies[place]), answer)
            return record.last_byte
        except EndpointError as error:
            record.failure = Failure.of(error)
            return None
        finally:
            watch.cancel()
            record.sent_again = connection.sent_again > before
            self._on_record(record)

    def _look(self, record: RequestRecord) -> None:
        if record.counted and not record.answer.content_times:
            self._on_overdue(record.number)


async def _sleep_until(when: float) -> None:
    # Timers fire up to a millisecond early, and no request may be sent before it is due.
    while (left := when - time.monotonic()) > 0:
        await asyncio.sleep(left)
