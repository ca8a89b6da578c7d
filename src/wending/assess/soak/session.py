"""One session of a soak, from the first request to the last: load, samples, canaries and what happens."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import psutil

from wending.assess.bilingual import Bilingual, in_language
from wending.assess.endpoint import EndpointClient
from wending.assess.soak.canary import CanarySet
from wending.assess.soak.events import CRASHES, event_details, event_words
from wending.assess.soak.gpus import Gpus
from wending.assess.soak.load import MixedLoad
from wending.assess.soak.log import SoakLog
from wending.assess.soak.plan import SoakPlan
from wending.assess.soak.processes import ProcessTree, family_of, is_alive, out_of_memory_kills
from wending.assess.soak.server_metrics import ServerMetrics
from wending.assess.soak.stall import StallWatch
from wending.assess.soak.view import SoakView, Status
from wending.assess.target import OwnServer

PAUSE_BEFORE_RESTART_S = 1.0
WATCH_S = 0.2
"""Seconds between two looks at our server's process."""


class SoakSession:
    """Everything goes to the log as it happens; what is kept here does not grow with time."""

    def __init__(
        self,
        client: EndpointClient,
        server: OwnServer | None,
        plan: SoakPlan,
        canaries: CanarySet,
        log: SoakLog,
        view: SoakView,
        *,
        soaked_before_s: float = 0.0,
        process: psutil.Process | None = None,
    ) -> None:
        """`server`: where it was started here, it is sampled, and started again when it ends. `process`: of a
        server that somebody else started on this machine; it is sampled while it lives.
        `soaked_before_s`: of the plan's duration, by earlier sessions."""
        self._client = client
        self._server = server
        self._process = process
        self._plan = plan
        self._canaries = canaries
        self._log = log
        self._view = view
        self._started = self._sampled = time.monotonic()
        self._soaked_before_s = soaked_before_s
        self._load = MixedLoad(client, plan.concurrency, plan.seed + int(soaked_before_s))
        self._status = Status(duration_s=plan.duration_s)
        self._tree = ProcessTree()
        self._gpus = Gpus()
        self._metrics = ServerMetrics(client.base_url, client.headers)
        self._before: dict[str, float] = {}
        """Counters of the sample before, whose steps are events."""

    async def run(self) -> None:
        """Until the plan's duration is over. Raises TargetError if our server cannot be started again."""
        self._stalls = StallWatch(self._plan.stall_s, time.monotonic(), self._event)
        self._client.on_content = self._stalls.heard
        load = asyncio.create_task(self._load.run())
        singing = asyncio.create_task(self._sing_now_and_then())
        tasks = [load, singing]
        if self._server is not None:
            tasks.append(asyncio.create_task(self._keep_alive(self._server)))
        try:
            await self._sample_to_the_end(tasks)
            # A round of canaries that is under way would keep those of the end from being alone.
            for task in (load, singing):
                task.cancel()
            await asyncio.gather(load, singing, return_exceptions=True)
            await self._sing(is_loaded=False)
        finally:
            self._client.on_content = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _sample_to_the_end(self, tasks: list[asyncio.Task[None]]) -> None:
        end = self._started + self._plan.duration_s - self._soaked_before_s
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < end:
                left_s = end - time.monotonic()
                # The last window is a little longer rather than a sliver of its own.
                await asyncio.sleep(self._plan.sample_s if left_s > 1.5 * self._plan.sample_s else left_s)
                for task in tasks:
                    if task.done():
                        task.result()  # raises what ended it; none ends by itself
                await self._sample(session)

    async def _sample(self, session: aiohttp.ClientSession) -> None:
        now = time.monotonic()
        self._stalls.check(now)
        values: dict[str, Any] = {"in_flight": self._load.in_flight}
        values |= await self._metrics.read(session)
        values |= self._of_processes()
        self._steps_to_events(values)
        window = self._load.take_window()
        self._log.write("sample", values | window.to_json(), now)
        status = self._status
        status.elapsed_s = self._soaked_before_s + now - self._started
        status.requests += window.requests
        status.errors += window.errors.total()
        status.in_flight = self._load.in_flight
        status.ttft_s = window.ttft.quantile(0.5)
        status.tokens_per_s = window.tokens / (now - self._sampled)
        self._sampled = now
        status.memory_bytes, status.waiting = values.get("memory_bytes"), values.get("waiting")
        status.is_stalled = self._stalls.is_stalled
        self._view.update(status)

    def _of_processes(self) -> dict[str, Any]:
        """What the processes of the server take; empty where they are not known."""
        if self._process is not None and not is_alive(self._process):
            self._process = None
            self._event("process_ended", {})
        pid = self._server.pid if self._server is not None else self._process and self._process.pid
        if pid is None:
            return {}
        family = family_of(pid)
        values = self._tree.read(family) | self._gpus.read({process.pid for process in family})
        kills = out_of_memory_kills()
        return values if kills is None else values | {"oom_kills": kills}

    def _steps_to_events(self, values: dict[str, Any]) -> None:
        """What the counters of the server and of the machine tell between two samples."""
        restarts, kills = self._step("engine_restarts", values), self._step("oom_kills", values)
        # Our own server's counter begins again with its process: that end is an event already.
        if restarts > 0:
            self._event("engine_restart", {"count": int(restarts)})
        if kills > 0:
            self._event("oom_kill", {"count": int(kills)})
        if self._server is None and self._step("process_started", values) > 0:
            self._event("process_restart", {})

    def _step(self, name: str, values: dict[str, Any]) -> float:
        if name not in values:
            return 0.0
        before, self._before[name] = self._before.get(name, values[name]), values[name]
        return float(values[name] - before)

    def _event(self, event: str, values: dict[str, Any]) -> None:
        self._log.write("event", {"event": event, **values})
        if event == "stall_begin":
            self._status.stalls += 1
        elif event in CRASHES:
            self._status.crashes += values.get("count", 1)
        happened = {"event": event, **values}
        words, details = event_words(happened), event_details(happened)
        said = Bilingual(f"{words}: {details}", f"{words.zh}：{details.zh}") if details else words
        self._view.say(f"{time.strftime('%H:%M:%S')} {in_language(said, self._view.language)}")

    async def _keep_alive(self, server: OwnServer) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            status = server.exit_status
            if status is None:
                continue
            ended = time.monotonic()
            how = server.describe_end(1)
            self._event("server_ended", {"exit_status": status, "words": str(how), "words_zh": how.zh})
            await asyncio.sleep(PAUSE_BEFORE_RESTART_S)
            await server.start()
            self._log.write("server", {"pid": server.pid})
            await server.wait_until_ready(lambda _: None)
            self._event("server_restarted", {"seconds": round(time.monotonic() - ended, 3)})

    async def _sing_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._plan.canary_s)
            await self._sing(is_loaded=True)

    async def _sing(self, *, is_loaded: bool) -> None:
        # A canary that hangs must not keep the soak from its end.
        answers = await self._canaries.sing(self._plan.canary_s)
        self._log.write("canary", {"loaded": is_loaded, "answers": [answer.to_json() for answer in answers]})
        self._status.canaries += sum(answer.equal is not None for answer in answers)
        self._status.canaries_differ += sum(answer.equal is False for answer in answers)
