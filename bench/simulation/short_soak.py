"""Soaks of some seconds by the real session, against a scripted endpoint that it starts and watches."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from wending.assess.endpoint import EndpointClient
from wending.assess.scripted import Script
from wending.assess.soak.canary import CanarySet
from wending.assess.soak.findings import findings
from wending.assess.soak.log import SoakLog, read_log
from wending.assess.soak.plan import SoakPlan
from wending.assess.soak.session import SoakSession
from wending.assess.soak.summary import summarize
from wending.assess.soak.view import PlainView
from wending.assess.target import OwnServer

STREAMS = 3
SAMPLE_S = 0.25
CANARY_S = 2.0
STALL_S = 1.0


@dataclass(frozen=True, slots=True)
class Soaked:
    """The report, its findings in English, how often the server was started, and by how much memory should
    have risen in an hour, from the requests that it was sent."""

    report: dict[str, Any]
    found: list[str]
    starts: int
    leak_per_hour: float

    def trend(self, name: str) -> dict[str, Any]:
        return next(row for row in self.report["trends"] if row["name"] == name)


class _ScriptedOwnServer(OwnServer):
    """A server of the assessment's own, as far as its process and its health go; it speaks by a script."""

    def __init__(self, script: Script, log: Path) -> None:
        super().__init__(None, log)
        self._text = msgspec.json.encode(script).decode()
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        self._log_file = self._log_file or self.log.open("wb")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wending.assess.scripted", "--port", str(self.port), "--json", self._text,
            stdin=asyncio.subprocess.DEVNULL, stdout=self._log_file, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


async def soak(script: Script, seconds: float) -> Soaked:
    """A rate of requests bounded by the script's times. Canaries are learnt before a crash may come."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = SoakPlan(seconds, STREAMS, SAMPLE_S, CANARY_S, STALL_S)
        async with _ScriptedOwnServer(script, folder / "server.log") as server:
            await server.wait_until_ready(lambda _: None)
            with SoakLog(folder) as log:
                async with EndpointClient(server.base_url, model=script.model) as client:
                    canaries = CanarySet(client)
                    await canaries.learn()
                    log.write("start", _head(server.base_url, plan, canaries))
                    view = PlainView(Console(quiet=True), "en")
                    await SoakSession(client, server, plan, canaries, log, view).run()
                log.write("end", {"reason": "done"})
        report = summarize(folder).to_json()
        requests = sum(line["requests"] for line in read_log(folder) if line["kind"] == "sample")
    leak = script.leak_bytes * requests / report["soaked_s"] * 3600
    return Soaked(report, [str(words) for words in findings(report)], server.starts, leak)


def _head(base_url: str, plan: SoakPlan, canaries: CanarySet) -> dict[str, Any]:
    target = {"kind": "checkpoint", "given": "-", "base_url": base_url, "model": "-", "demonstration": False}
    return {"target": target, "plan": plan.to_json(), "environment": {}, "baseline": canaries.baseline}
