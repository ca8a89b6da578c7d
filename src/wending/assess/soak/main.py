"""One soak from the command line to the report: what `wending soak` runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from wending import demo
from wending.assess.bilingual import Bilingual, chinese, in_language
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.environment import command_line, environment_facts
from wending.assess.foreign_process import foreign_process
from wending.assess.load.generator import GeneratorError
from wending.assess.load.objective import Objective
from wending.assess.open_target import open_target
from wending.assess.output import OutputError, kept_in
from wending.assess.performance import PerformanceMeasurement
from wending.assess.signals import cancel_on_signals, pass_over_signals, signals_as_before
from wending.assess.soak.canary import CanarySet
from wending.assess.soak.folder_lock import folder_lock
from wending.assess.soak.log import NAME, SoakLog
from wending.assess.soak.plan import SoakPlan, canary_interval, concurrency_of
from wending.assess.soak.report import write_report
from wending.assess.soak.session import SoakSession
from wending.assess.soak.summary import NoSoakError, SoakSummary, summarize
from wending.assess.soak.view import SoakView, make_view
from wending.assess.target import OwnServer, Target, TargetError, parse_target
from wending.assess.wording import Language, language_of_locale, say

DONE = 0
BROKEN_OFF = 1
USAGE = 2
INTERRUPTED = 128
"""Plus the number of the signal: 130 for Ctrl-C."""
ESTIMATE_S = 60.0
"""Of the quick estimate of the capacity, where none is given."""


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """What the command line says; `concurrency` before `capacity`, and an estimate where neither is given."""

    duration_s: float
    concurrency: int | None = None
    capacity: int | None = None
    sample_s: float = 5.0
    canary_s: float | None = None
    stall_s: float = 30.0
    seed: int = 1
    model: str | None = None
    api_key: str | None = None
    pid: int | None = None
    """Process of a server that somebody else started on this machine."""


def run_soak(
    target: str | None,
    options: SoakOptions,
    *,
    out: Path | None = None,
    resume: Path | None = None,
    language: Language | None = None,
) -> int:
    """Soaks a target, or goes on with the soak in the folder `resume`, which decides all but `api_key` and
    `pid`; writes the report at every end.

    Status: 0 the time is over (whatever was found: the report says it); 1 the endpoint could not be asked or
    our server could not be started again, or a file could not be written; 2 nothing was begun; 130 Ctrl-C.
    """
    language = language or language_of_locale(os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    console, errors = Console(), Console(stderr=True)
    with contextlib.ExitStack() as held:
        try:
            folder = _new_folder(out) if resume is None else resume
            held.enter_context(folder_lock(folder))
            before = None if resume is None else summarize(resume)
            parsed = parse_target(target if before is None else _given(before))
            process = foreign_process(options.pid, parsed)
        except (TargetError, NoSoakError) as error:
            _say_error(in_language(error.args[0], language), language)
            return USAGE
        if before is not None and before.end == "done":
            console.print(in_language(_complete(folder), language), markup=False, soft_wrap=True)
            return report_soak(folder, language, console)
        view = make_view(errors, language)
        reported = DONE
        held.enter_context(signals_as_before())
        try:
            status = asyncio.run(_Soak(parsed, options, folder, before, view, language, process).run())
        finally:
            pass_over_signals()
            view.close()
            if (folder / NAME).exists():
                reported = report_soak(folder, language, console)
        return status or reported


def report_soak(folder: Path, language: Language | None = None, console: Console | None = None) -> int:
    """Writes the report of the log in a folder, also while its soak runs.

    Status 0; 2 if there is no log, 1 if a file could not be written.
    """
    language = language or language_of_locale(os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    try:
        path = write_report(summarize(folder).to_json(), folder)
    except NoSoakError as error:
        _say_error(in_language(error.args[0], language), language)
        return USAGE
    except OutputError as error:
        message = say(
            "kept", language, message=in_language(error.words, language), folder=folder, kept=kept_in(folder)
        )
        _say_error(message, language)
        return BROKEN_OFF
    (console or Console()).print(say("report", language, path=path), markup=False, soft_wrap=True)
    return DONE


def _say_error(message: str, language: Language) -> None:
    text = say("error", language, message=message)
    Console(stderr=True).print(text, style="red", markup=False, soft_wrap=True)


class _Soak:
    """From the target to the last line of the log."""

    def __init__(
        self,
        target: Target,
        options: SoakOptions,
        folder: Path,
        before: SoakSummary | None,
        view: SoakView,
        language: Language,
        process: psutil.Process | None,
    ) -> None:
        self._target = target
        self._options = options
        self._folder = folder
        self._before = before
        self._view = view
        self._language = language
        self._process = process

    async def run(self) -> int:
        try:
            with SoakLog(self._folder) as log:
                return await self._run(log)
        except OutputError as error:
            self._say_error(error.words)
            return BROKEN_OFF

    async def _run(self, log: SoakLog) -> int:
        ending = cancel_on_signals()
        try:
            opened = open_target(self._target, self._server_log, starting=self._starting)
            async with opened as (base_url, server):
                model = self._options.model
                if self._before is not None:
                    model = self._before.head["target"]["model"]
                key = self._options.api_key
                async with EndpointClient(base_url, api_key=key, model=model) as client:
                    await self._soak(client, server, log)
        except asyncio.CancelledError:
            if ending.signal is None:
                raise
            if log.is_begun:
                log.write("end", {"reason": ending.signal.name})
            return INTERRUPTED + ending.signal
        except (EndpointError, TargetError, GeneratorError) as error:
            self._say_error(error.words)
            if log.is_begun:
                log.write("end", {"reason": str(error.words), "reason_zh": chinese(error.words)})
            return BROKEN_OFF
        log.write("end", {"reason": "done"})
        return DONE

    def _say_error(self, words: str) -> None:
        message = in_language(words, self._language)
        self._view.say(say("error", self._language, message=message))

    async def _soak(self, client: EndpointClient, server: OwnServer | None, log: SoakLog) -> None:
        await client.resolve_model()
        if self._before is None:
            plan = await self._plan(client)
            canaries = CanarySet(client)
            await canaries.learn()
            log.write("start", self._head(client, plan, canaries))
        else:
            plan = self._before.plan
            canaries = CanarySet(client, self._before.baseline)
            log.write("resume", {"command": environment_facts(command_line())["command"]})
        if server is not None:
            log.write("server", {"pid": server.pid})
        if self._process is not None:
            log.write("process", {"pid": self._process.pid})
        self._view.say(
            in_language(
                Bilingual(
                    f"Soaking {client.model} at {client.base_url}: {plan.concurrency} requests at once, "
                    f"{plan.duration_s / 3600:g} h; the log is {self._folder / NAME}",
                    f"正在对 {client.model}（{client.base_url}）做浸泡测试：并发 {plan.concurrency}，"
                    f"{plan.duration_s / 3600:g} 小时；日志：{self._folder / NAME}",
                ),
                self._language,
            )
        )
        soaked_s = 0.0 if self._before is None else self._before.soaked_s
        session = SoakSession(
            client, server, plan, canaries, log, self._view, soaked_before_s=soaked_s, process=self._process
        )
        await session.run()

    def _head(self, client: EndpointClient, plan: SoakPlan, canaries: CanarySet) -> dict[str, Any]:
        return {
            "target": {
                "kind": self._target.kind,
                "given": self._target.given,
                "base_url": client.base_url,
                "model": client.model,
                "demonstration": client.model == demo.NAME,
            },
            "plan": plan.to_json(),
            "environment": environment_facts(command_line()),
            "baseline": canaries.baseline,
        }

    async def _plan(self, client: EndpointClient) -> SoakPlan:
        options = self._options
        concurrency = options.concurrency
        if concurrency is None:
            concurrency = concurrency_of(options.capacity or await self._estimate_capacity(client))
        return SoakPlan(
            duration_s=options.duration_s,
            concurrency=concurrency,
            sample_s=options.sample_s,
            canary_s=options.canary_s or canary_interval(options.duration_s),
            stall_s=options.stall_s,
            seed=options.seed,
        )

    async def _estimate_capacity(self, client: EndpointClient) -> int:
        """The least of the request types' capacities, from a short measurement."""
        words = Bilingual(
            f"Estimating the capacity, about {ESTIMATE_S:.0f} s; --concurrency or --capacity spares it",
            f"正在估计容量，约 {ESTIMATE_S:.0f} 秒；给出 --concurrency 或 --capacity 可省去",
        )
        self._view.say(in_language(words, self._language))
        measurement = PerformanceMeasurement(
            client,
            seconds=ESTIMATE_S,
            seed=self._options.seed,
            temperature=0.7,
            top_p=0.9,
            objective=Objective(),
            progress=lambda *_: None,
        )
        await measurement.run()
        held = [result.capacity.max_concurrency for result in measurement.results if result.capacity]
        return min(held, default=1)

    @property
    def _server_log(self) -> Path:
        session = "" if self._before is None else f"-{self._before.sessions + 1}"
        return self._folder / f"server{session}.log"

    def _starting(self) -> None:
        if self._before is not None and self._before.server_pid is not None:
            _end_left_over_server(self._before.server_pid)
        self._view.say(say("starting_server", self._language))


def _end_left_over_server(pid: int) -> None:
    """A soak that was killed could not stop its server: it would take memory and time from the next one."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        command = process.cmdline()
        if command[1:4] == ["-m", "wending", "serve"]:
            family = [process, *process.children(recursive=True)]
            for member in family:
                with contextlib.suppress(psutil.Error):
                    member.terminate()
            _, alive = psutil.wait_procs(family, timeout=10)
            for member in alive:
                member.kill()


def _complete(folder: Path) -> Bilingual:
    return Bilingual(
        f"The soak in {folder} is complete; there is nothing to go on with.",
        f"{folder} 中的浸泡测试已完成，无需继续。",
    )


def _given(before: SoakSummary) -> str | None:
    target = before.head["target"]
    return None if target["kind"] == "bundled" else target["given"]


def _new_folder(out: Path | None) -> Path:
    """Raises NoSoakError when the folder cannot be used or already holds a soak."""
    folder = out or Path(datetime.now().strftime("soak-%Y%m%d-%H%M%S"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise NoSoakError(
            Bilingual(f"cannot write to {folder}: {why}", f"无法写入 {folder}：{why}")
        ) from None
    if (folder / NAME).exists():
        raise NoSoakError(
            Bilingual(
                f"{folder} already holds a soak; go on with --resume, or name another folder with --out",
                f"{folder} 中已有一次浸泡测试；用 --resume 继续，或用 --out 指定其他文件夹",
            )
        )
    return folder
