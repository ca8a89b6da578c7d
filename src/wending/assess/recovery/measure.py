"""Makes one fault after the other, and asks after each whether the endpoint is still what it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint import EndpointClient
from wending.assess.recovery.canary import PATIENCE_S, Canary
from wending.assess.recovery.faults import FAULTS, Fault
from wending.assess.recovery.kills import kill_server, kill_worker
from wending.assess.recovery.row import CANARY_GONE, RecoveryResult, Row
from wending.assess.recovery.wire import Wire
from wending.assess.target import OwnServer

DEFAULT_CAPACITY = 16
"""Where no capacity was measured. A burst is ten times as many requests."""
MAX_CAPACITY = 64
FAULT_S = 120.0
"""A fault that takes longer is broken off, and counts as one that the endpoint did not come through."""

GONE = Bilingual("not made: the endpoint did not come back", "未进行：服务未恢复")


class RecoveryMeasurement:
    """`result` grows as it goes. `progress` hears the share that is done and the fault's id."""

    def __init__(
        self,
        client: EndpointClient,
        *,
        server: OwnServer | None = None,
        capacity: int | None = None,
        patience_s: float = PATIENCE_S,
        fault_s: float = FAULT_S,
        progress: Callable[[float, str], None],
    ) -> None:
        """`server`: where it was started here, its processes are killed too."""
        self.result = RecoveryResult()
        self._client = client
        self._server = server
        self._capacity = min(capacity or DEFAULT_CAPACITY, MAX_CAPACITY)
        self._canary = Canary(client, patience_s)
        self._fault_s = fault_s
        self._progress = progress

    async def run(self) -> None:
        """Raises EndpointError if the endpoint does not answer before any fault."""
        self.result.steady = await self._canary.learn()
        kills = (kill_worker, kill_server)
        steps = len(FAULTS) + len(kills)
        is_gone = False
        client = self._client
        async with Wire(client.base_url, client.model or "", client.headers, client.as_taken) as wire:
            for number, fault in enumerate(FAULTS):
                self._progress(number / steps, fault.id)
                row = _not_made(fault) if is_gone else await self._make(fault, wire)
                self.result.rows.append(row)
                is_gone = is_gone or (row.ok is not None and row.recovered_s is None)
        for number, kill in enumerate(kills, len(FAULTS)):
            self._progress(number / steps, kill.__name__)
            self.result.rows.append(await kill(self._client, self._server, self._canary))

    async def _make(self, fault: Fault, wire: Wire) -> Row:
        try:
            async with asyncio.timeout(self._fault_s):
                happened, as_expected = await fault.make(wire, self._capacity)
        except TimeoutError:
            happened = Bilingual(f"broken off after {self._fault_s:g} s", f"{self._fault_s:g} 秒后中止")
            as_expected = False
        except OSError as error:
            happened, as_expected = Bilingual(f"no connection: {error}", f"无法连接：{error}"), False
        seconds, equal = await self._canary.sing()
        if seconds is None:
            happened = Bilingual(f"{happened}; {CANARY_GONE}", f"{happened.zh}；{CANARY_GONE.zh}")
        ok = as_expected and seconds is not None and equal is not False
        return Row(fault.id, fault.title, fault.expected, happened, ok, seconds, equal)


def _not_made(fault: Fault) -> Row:
    return Row(fault.id, fault.title, fault.expected, GONE, None)
