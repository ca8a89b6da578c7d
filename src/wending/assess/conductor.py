"""The course of an assessment: start the server, ask, measure, stop the server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil

from wending import demo
from wending.assess.background_load import background_load
from wending.assess.bilingual import Bilingual
from wending.assess.condition import ALONE, LOADED, ROLE_KEEPING, Condition
from wending.assess.context import ContextEffort, ContextResult
from wending.assess.context import measure as measure_context
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.estimate import estimate_s
from wending.assess.load import GeneratorError
from wending.assess.open_target import open_target
from wending.assess.output import OutputError
from wending.assess.performance import PerformanceMeasurement
from wending.assess.progress import ProgressDisplay
from wending.assess.recovery import RecoveryMeasurement
from wending.assess.resources import NOT_OUR_SERVER, Resources, ResourceSampler
from wending.assess.response_format import ResponseFormatResult, with_schema
from wending.assess.response_format import measure as measure_response_format
from wending.assess.results import Assessment
from wending.assess.role_keeping import refusal
from wending.assess.run_record import RunLog
from wending.assess.runner import Runner
from wending.assess.sandbox import active_layers
from wending.assess.signals import cancel_on_signals
from wending.assess.target import OwnServer, Target, TargetError
from wending.assess.wording import Language, say, say_duration

DONE = 0
BROKEN_OFF = 1
"""The endpoint could not be assessed, or not to the end."""
INTERRUPTED = 128
"""Plus the number of the signal: 130 for Ctrl-C."""

REASONS = {
    signal.SIGINT: Bilingual("interrupted with Ctrl-C", "被 Ctrl-C 中断"),
    signal.SIGTERM: Bilingual("ended by SIGTERM", "被 SIGTERM 终止"),
    signal.SIGHUP: Bilingual("the terminal was closed", "终端已关闭"),
}


class Conductor:
    """Takes an assessment from its target to the last measurement.

    Each part leaves what it measured in the assessment, however it ends.
    """

    def __init__(
        self,
        assessment: Assessment,
        target: Target,
        folder: Path,
        progress: ProgressDisplay,
        language: Language,
        api_key: str | None,
        model: str | None,
        process: psutil.Process | None = None,
    ) -> None:
        """`process`: of an endpoint that runs on this machine; it is sampled."""
        self._assessment = assessment
        self._target = target
        self._folder = folder
        self._progress = progress
        self._language = language
        self._api_key = api_key
        self._model = model
        self._process = process
        self._sampler: ResourceSampler | None = None

    def _begin(self, stage: str, *, known_length: bool = True) -> None:
        self._progress.begin(say(stage, self._language), known_length=known_length)

    async def run(self) -> int:
        ending = cancel_on_signals()
        if self._target.base_url is not None:
            self._assessment.target["base_url"] = self._target.base_url
            self._assessment.resources = Resources(reason=NOT_OUR_SERVER)
        try:
            async with (
                open_target(
                    self._target,
                    self._folder / "server.log",
                    starting=lambda: self._begin("starting_server", known_length=False),
                    waiting=lambda seconds: self._progress.update(0, f"{seconds:.0f} s"),
                    beside=self._sampled_server,
                ) as (base_url, server),
                self._sampled(self._process),
                EndpointClient(base_url, api_key=self._api_key, model=self._model) as client,
            ):
                await self._assess(client, server)
        except asyncio.CancelledError:
            if ending.signal is None:
                raise
            self._assessment.incomplete_reason = REASONS[ending.signal]
            return INTERRUPTED + ending.signal
        except (EndpointError, TargetError, GeneratorError, OutputError) as error:
            self._assessment.incomplete_reason = error.words
            return BROKEN_OFF
        return DONE

    def _sampled_server(self, server: OwnServer) -> contextlib.AbstractAsyncContextManager[None]:
        self._assessment.target["base_url"] = server.base_url
        return self._sampled(psutil.Process(server.pid))

    @contextlib.asynccontextmanager
    async def _sampled(self, process: psutil.Process | None) -> AsyncIterator[None]:
        """What the server takes of the machine is measured during the block, if it is not stopped before."""
        if process is None:
            yield
            return
        self._sampler = ResourceSampler(process)
        self._sampler.start()
        try:
            yield
        finally:
            await self._stop_sampling()

    async def _stop_sampling(self) -> None:
        if self._sampler is not None:
            self._assessment.resources = await self._sampler.stop()
            self._sampler = None

    async def _assess(self, client: EndpointClient, server: OwnServer | None) -> None:
        assessment, language = self._assessment, self._language
        self._begin("connecting", known_length=False)
        model = await client.resolve_model()
        assessment.target.update(model=model, demonstration=model == demo.NAME)
        self._progress.say(say("assessing", language, name=model, url=client.base_url))
        if model == demo.NAME:
            self._progress.say(say("demonstration", language))
        await self._say_estimate(client)
        try:
            await self._ask_scenarios(client)
            if assessment.performance_seconds > 0:
                await self._measure_performance(client)
            if assessment.profile.context is not None:
                await self._measure_context(client, assessment.profile.context)
            if assessment.profile.recovery:
                await self._measure_recovery(client, server)
        finally:
            assessment.refused_fields = dict(client.refused_fields)
            assessment.usage_missing = client.usage_missing
            assessment.has_reasoning = client.has_reasoning
            assessment.sent_again += client.sent_again
            assessment.turned_away = client.turned_away

    async def _say_estimate(self, client: EndpointClient) -> None:
        """From one request. If it fails there is none: what follows finds out why."""
        messages = [{"role": "user", "content": "Write three sentences about tea."}]
        try:
            trial = await client.chat(messages, max_tokens=48, temperature=0.0, top_p=1.0, seed=0)
        except EndpointError:
            return
        assessment = self._assessment
        seconds = estimate_s(
            assessment.scenarios,
            assessment.sampling,
            assessment.profile,
            assessment.performance_seconds,
            trial,
            role_keeping=bool(assessment.role_keeping),
        )
        words = say("estimate", self._language, time=say_duration(seconds, self._language))
        self._progress.say(words)

    async def _ask_scenarios(self, client: EndpointClient) -> None:
        assessment = self._assessment
        judges = ThreadPoolExecutor(max_workers=2, thread_name_prefix="judge")
        loop = asyncio.get_running_loop()
        try:
            assessment.sandbox_layers = await loop.run_in_executor(judges, active_layers)
            with RunLog(self._folder / "runs.jsonl") as log:
                runner = Runner(
                    client, assessment.scenarios, assessment.sampling, log, judges, self._progress.update
                )
                self._say_plan(runner.planned)
                self._begin("scenarios")
                try:
                    await runner.run()
                finally:
                    assessment.records, assessment.lost_runs = runner.records, len(runner.lost)
                if assessment.role_keeping:
                    await self._ask_with_role_keeping(client, log, judges)
                await self._ask_with_schema(client, log, judges)
                for condition in (ALONE, LOADED) if assessment.profile.agreement_repeats else ():
                    await self._ask_again(client, condition, log, judges)
        finally:
            judges.shutdown(wait=False, cancel_futures=True)

    async def _ask_with_role_keeping(
        self, client: EndpointClient, log: RunLog, judges: ThreadPoolExecutor
    ) -> None:
        """The same conversations with the same seeds, once more."""
        assessment = self._assessment
        fields = dict(assessment.role_keeping)
        assessment.role_keeping_refusal = await refusal(client, fields)
        if assessment.role_keeping_refusal is not None:
            return
        sampling = replace(assessment.sampling, condition=ROLE_KEEPING.name)
        scenarios = assessment.scenarios_of_retention()
        runner = Runner(
            client, scenarios, sampling, log, judges, self._progress.update, request_fields=lambda _: fields
        )
        self._begin(ROLE_KEEPING.name)
        try:
            await runner.run()
        finally:
            assessment.role_keeping_records = runner.records

    def _say_plan(self, runs: int) -> None:
        assessment = self._assessment
        items = sum(len(scenario.items) for scenario in assessment.scenarios)
        words = say(
            "plan",
            self._language,
            profile=assessment.profile.name,
            items=items,
            repeats=assessment.sampling.repeats,
            runs=runs,
            out=self._folder,
        )
        self._progress.say(words)

    async def _ask_with_schema(self, client: EndpointClient, log: RunLog, judges: ThreadPoolExecutor) -> None:
        assessment = self._assessment
        repeats, scenarios = assessment.profile.response_format_repeats, with_schema(assessment.scenarios)
        if not repeats or not scenarios:
            return
        self._begin("response_format")
        assessment.response_format = ResponseFormatResult()
        sampling = replace(assessment.sampling, repeats=repeats)
        await measure_response_format(
            client, scenarios, sampling, log, judges, self._progress.update, assessment.response_format
        )

    async def _ask_again(
        self, client: EndpointClient, condition: Condition, log: RunLog, judges: ThreadPoolExecutor
    ) -> None:
        """Items of one turn under a condition of agreement: one at a time, so that they differ in nothing
        else."""
        assessment = self._assessment
        sampling = replace(
            assessment.sampling,
            repeats=assessment.profile.agreement_repeats,
            concurrency=1,
            temperature=0.0,
            top_p=1.0,
            condition=condition.name,
        )
        runner = Runner(
            client, assessment.scenarios_of_one_turn(), sampling, log, judges, self._progress.update
        )
        if not runner.planned:
            return
        self._begin(condition.name)
        async with background_load(client, condition.background, assessment.sampling.seed):
            try:
                await runner.run()
            finally:
                assessment.agreement_records += runner.records

    async def _measure_performance(self, client: EndpointClient) -> None:
        assessment = self._assessment
        measurement = PerformanceMeasurement(
            client,
            seconds=assessment.performance_seconds,
            seed=assessment.sampling.seed,
            temperature=assessment.sampling.temperature,
            top_p=assessment.sampling.top_p,
            objective=assessment.objective,
            cap=assessment.concurrency_cap,
            progress=lambda kind, step, number, share: self._progress.update(
                share, f"{say(kind, self._language)} / {say(step, self._language, n=number)}"
            ),
        )
        assessment.performance = measurement.results
        self._begin("performance")
        try:
            await measurement.run()
        finally:
            assessment.calibration = measurement.calibration
            assessment.sent_again += measurement.sent_again

    async def _measure_context(self, client: EndpointClient, effort: ContextEffort) -> None:
        self._begin("context")
        self._assessment.context = ContextResult()
        await measure_context(
            client,
            effort,
            seed=self._assessment.sampling.seed,
            progress=self._progress.update,
            result=self._assessment.context,
        )

    async def _measure_recovery(self, client: EndpointClient, server: OwnServer | None) -> None:
        """The last part: what it does to the server is meant to disturb, and is not what serving takes."""
        await self._stop_sampling()
        held = [result.capacity.max_concurrency for result in self._assessment.performance if result.capacity]
        measurement = RecoveryMeasurement(
            client, server=server, capacity=min(held, default=None), progress=self._progress.update
        )
        self._assessment.recovery = measurement.result
        self._begin("recovery")
        await measurement.run()
