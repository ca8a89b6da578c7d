"""One open loop from the command line to its files: what `wending load` runs."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from wending.assess.bilingual import Bilingual, in_language
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.environment import command_line, environment_facts
from wending.assess.load.arrivals import TraceError, read_trace
from wending.assess.load.calibration import Calibration, calibrated
from wending.assess.load.generator import GeneratorError, LoadGenerator, LoadResult, Watcher
from wending.assess.load.objective import Objective
from wending.assess.load.plan import LoadPlan, Open
from wending.assess.load.record import RequestRecord
from wending.assess.open_loop.offered import Offered, drawn, traced
from wending.assess.open_loop.summary import COLUMNS, OpenLoopSummary
from wending.assess.open_loop.table import print_summary
from wending.assess.open_target import open_target
from wending.assess.output import OutputError, cannot_write, kept_in, write_whole
from wending.assess.seeds import derive_seed
from wending.assess.signals import cancel_on_signals, pass_over_signals, signals_as_before
from wending.assess.target import Target, TargetError, parse_target
from wending.assess.wording import Language, language_of_locale, say

DONE = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 128
"""Plus the number of the signal: 130 for Ctrl-C."""
LEAD_S = 0.5
"""From giving out the plan to its first request."""
CALIBRATION_STREAMS = 64
CALIBRATION_S = 1.0


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the command line says: `rate` requests per second for `seconds`, or `trace`, a CSV file, played
    `speed` times as fast and at most `limit` of its requests."""

    rate: float | None = None
    seconds: float = 60.0
    kinds: tuple[str, ...] = ()
    trace: Path | None = None
    speed: float = 1.0
    limit: int | None = None
    seed: int = 1
    model: str | None = None
    api_key: str | None = None
    objective: Objective = field(default_factory=Objective)


def run_load(
    target: str | None, options: LoadOptions, *, out: Path | None = None, language: Language | None = None
) -> int:
    """Sends the load, prints what became of it, writes load.json and requests.csv.

    Status: 0 done, whatever was found; 1 the endpoint or the generator failed, or a file could not be
    written; 2 nothing was begun; 130 Ctrl-C, with the files of what was over by then.
    """
    language = language or language_of_locale(os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    console, errors = Console(), Console(stderr=True)
    folder = out or Path(datetime.now().strftime("load-%Y%m%d-%H%M%S"))
    try:
        offered = _offered(options)
        parsed = parse_target(target)
        if (folder / "load.json").exists():
            raise TargetError(
                Bilingual(
                    f"{folder} already holds a load; name another folder with --out",
                    f"{folder} 中已有一次负载测试；请用 --out 指定其他文件夹",
                )
            )
        _make(folder)
    except (TraceError, TargetError, OutputError) as error:
        message = in_language(error.args[0], language)
        errors.print(say("error", language, message=message), style="red", markup=False, soft_wrap=True)
        return USAGE
    loop = _OpenLoop(parsed, options, offered, folder, errors, language)
    status = FAILED
    with signals_as_before():
        try:
            status = asyncio.run(loop.run())
            pass_over_signals()
            if loop.seen.records:
                report = loop.write()
                print_summary(console, report, language)
                console.print(
                    say("report", language, path=folder / "load.json"), markup=False, soft_wrap=True
                )
        except OutputError as error:
            words = in_language(error.words, language)
            message = say("kept", language, message=words, folder=folder, kept=kept_in(folder))
            errors.print(say("error", language, message=message), style="red", markup=False, soft_wrap=True)
            return status or FAILED
    return status


def _make(folder: Path) -> None:
    """Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _offered(options: LoadOptions) -> list[Offered]:
    if options.trace is not None:
        return traced(read_trace(options.trace, speed=options.speed, limit=options.limit), options.seed)
    offered = drawn(options.rate or 1.0, options.seconds, options.seed, options.kinds)
    if not offered:
        raise TargetError(
            Bilingual(
                f"no request falls into {options.seconds:g} s at {options.rate:g} per second",
                f"{options.seconds:g} 秒内每秒 {options.rate:g} 个请求，没有请求落入",
            )
        )
    return offered


class _Seen(Watcher):
    """Keeps the requests that are over, so that a break loses none."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    def on_record(self, record: RequestRecord) -> None:
        self.records.append(record)


class _OpenLoop:
    """From the target to the last answer."""

    def __init__(
        self,
        target: Target,
        options: LoadOptions,
        offered: Sequence[Offered],
        folder: Path,
        errors: Console,
        language: Language,
    ) -> None:
        self.seen = _Seen()
        self._target, self._options, self._offered = target, options, offered
        self._folder, self._errors, self._language = folder, errors, language
        self._result: LoadResult | None = None
        self._calibration: Calibration | None = None
        self._start = 0.0
        self._endpoint: dict[str, Any] = {}

    async def run(self) -> int:
        """The exit status; however it ends, `seen` holds the requests that were over by then."""
        ending = cancel_on_signals()
        try:
            await self._load()
        except asyncio.CancelledError:
            if ending.signal is None:
                raise
            return INTERRUPTED + ending.signal
        except (EndpointError, TargetError, GeneratorError) as error:
            message = say("error", self._language, message=in_language(error.words, self._language))
            self._errors.print(message, style="red", markup=False, soft_wrap=True)
            return FAILED
        return DONE

    async def _load(self) -> None:
        """Raises EndpointError, TargetError and GeneratorError."""

        def starting() -> None:
            self._errors.print(say("starting_server", self._language), markup=False)

        async with open_target(self._target, self._folder / "server.log", starting=starting) as (base_url, _):
            options = self._options
            async with EndpointClient(base_url, api_key=options.api_key, model=options.model) as client:
                model = await client.resolve_model()
                # Alone, and to find out which fields the endpoint refuses.
                message = [{"role": "user", "content": "Hello"}]
                await client.chat(message, max_tokens=8, temperature=0.0, top_p=1.0, seed=1)
                self._endpoint = {"base_url": client.base_url, "model": model}
                bodies = tuple(
                    orjson.dumps(client.as_taken(one.body(model, derive_seed(options.seed, "open", n))))
                    for n, one in enumerate(self._offered)
                )
                self._calibration = await calibrated(CALIBRATION_STREAMS, CALIBRATION_S)
                self._say_plan(model)
                async with LoadGenerator(self._calibration.processes) as generator:
                    self._start = time.monotonic() + LEAD_S
                    schedule = Open(tuple(one.arrival_s for one in self._offered))
                    patience = options.objective.max_ttft_s
                    plan = LoadPlan(client.base_url, client.headers, bodies, schedule, self._start, patience)
                    self._result = await generator.run(plan, self.seen)

    def write(self) -> dict[str, Any]:
        """load.json and requests.csv; returns the former's content. Raises OutputError."""
        options = self._options
        result = self._result or LoadResult(self.seen.records)
        summary = OpenLoopSummary(self._offered, result, options.objective, self._start)
        report = {
            "target": {"given": self._target.given} | self._endpoint,
            "plan": {
                "rate": options.rate,
                "seconds": None if options.trace else options.seconds,
                "trace": None if options.trace is None else options.trace.name,
                "speed": options.speed,
                "seed": options.seed,
                "requests": len(self._offered),
            },
            "complete": self._result is not None,
            "objective": {
                "max_ttft_s": options.objective.max_ttft_s,
                "min_tokens_per_s": options.objective.min_tokens_per_s,
            },
            "calibration": None if self._calibration is None else self._calibration.to_json(),
            "environment": environment_facts(command_line()),
            **summary.to_json(),
        }
        write_whole(self._folder / "load.json", orjson.dumps(report, option=orjson.OPT_INDENT_2))
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        writer.writerows(summary.rows())
        write_whole(self._folder / "requests.csv", table.getvalue().encode())
        return report

    def _say_plan(self, model: str) -> None:
        count, seconds = len(self._offered), self._offered[-1].arrival_s
        words = Bilingual(
            f"{count} requests to {model} within {seconds:.0f} s, whatever becomes of the ones before",
            f"{seconds:.0f} 秒内向 {model} 发送 {count} 个请求，不等待此前的请求",
        )
        self._errors.print(in_language(words, self._language), markup=False, soft_wrap=True)
