"""Asks every item of every scenario several times, a few requests at once, and has each answer judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from wending.assess.chat_answer import ChatAnswer
from wending.assess.checks import run_passes
from wending.assess.condition import ConditionName
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import BadStatus, EndpointError, Unauthorized
from wending.assess.run_record import RunLog, RunRecord
from wending.assess.scenarios import Item, Scenario, judge
from wending.assess.seeds import derive_seed

CONSECUTIVE_ERRORS = 5
"""So many failed runs in a row, with no good one between, mean that the endpoint is gone."""
TOO_MANY_REQUESTS = 429
TURNED_AWAY_S = 120.0
"""Where they fail because the endpoint has too much to do, they must have failed for so long as well."""
PAUSE_WHEN_TURNED_AWAY_S = 1.0
"""An endpoint that has too much to do, and does not say how long, is not stormed."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the scenarios are asked."""

    repeats: int
    seed: int
    concurrency: int
    temperature: float = 0.7
    top_p: float = 0.9
    condition: ConditionName = "default"


@dataclass(slots=True)
class Runner:
    """`records` grows as runs finish, in the order in which they finish.

    Repeats are the outer loop, so that a broken assessment has asked every item about equally often. When
    the endpoint is gone, the failed runs at the end are its fault and not the model's: they are moved from
    `records` to `lost` (runs.jsonl keeps them).
    """

    client: EndpointClient
    scenarios: Sequence[Scenario]
    sampling: Sampling
    log: RunLog
    judges: Executor
    progress: Callable[[float, str], None]
    request_fields: Callable[[Item], Mapping[str, Any]] | None = None
    """What the requests for an item have beside the usual. An error status is then no sign that the endpoint
    is gone: it may be due to that."""
    records: list[RunRecord] = field(default_factory=list)
    lost: list[RunRecord] = field(default_factory=list)
    _failed_in_a_row: list[RunRecord] = field(default_factory=list)
    _failing_since: float = 0.0
    _judging: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def planned(self) -> int:
        return self.sampling.repeats * sum(len(scenario.items) for scenario in self.scenarios)

    async def run(self) -> None:
        """Raises EndpointError when the endpoint refuses the key or fails several runs in a row."""
        work = self._work()
        workers = [asyncio.create_task(self._worker(work)) for _ in range(self.sampling.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await asyncio.gather(*self._judging)  # answers that had come count, whatever ended the rest

    def _work(self) -> Iterator[tuple[Scenario, Item, int]]:
        for repeat in range(1, self.sampling.repeats + 1):
            for scenario in self.scenarios:
                for item in scenario.items:
                    yield scenario, item, repeat

    async def _worker(self, work: Iterator[tuple[Scenario, Item, int]]) -> None:
        for scenario, item, repeat in work:
            self.progress(len(self.records) / self.planned, f"{scenario.id} / {item.id}")
            await self._run_once(scenario, item, repeat)

    async def _run_once(self, scenario: Scenario, item: Item, repeat: int) -> None:
        # At temperature 0 a seed decides nothing, and it must not differ between conditions.
        seed = derive_seed(
            self.sampling.seed, scenario.id, item.id, repeat if self.sampling.temperature else 0
        )
        answers: list[ChatAnswer] = []
        try:
            for turn in range(item.turns):
                answer = await self.client.chat(
                    item.conversation([earlier.text for earlier in answers]),
                    max_tokens=item.max_tokens,
                    temperature=self.sampling.temperature,
                    top_p=self.sampling.top_p,
                    seed=derive_seed(seed, turn) if turn else seed,
                    fields=self.request_fields(item) if self.request_fields else None,
                )
                answers.append(answer)
        except EndpointError as error:
            failed = RunRecord(
                scenario.id,
                item.id,
                repeat,
                seed,
                False,
                answers=tuple(answer.text for answer in answers),
                error=error.words,
                error_type=error.kind,
                condition=self.sampling.condition,
            )
            self._keep(failed)
            if self.request_fields is None or not isinstance(error, BadStatus):
                self._count_error(failed, error)
            if len(self._failed_in_a_row) >= CONSECUTIVE_ERRORS:
                await asyncio.sleep(PAUSE_WHEN_TURNED_AWAY_S)
            return
        self._failed_in_a_row.clear()
        judging = asyncio.create_task(self._judge(scenario, item, repeat, seed, answers))
        self._judging.add(judging)
        judging.add_done_callback(self._judging.discard)
        await asyncio.shield(judging)

    async def _judge(
        self, scenario: Scenario, item: Item, repeat: int, seed: int, answers: Sequence[ChatAnswer]
    ) -> None:
        texts, last = tuple(answer.text for answer in answers), answers[-1]
        checks = await asyncio.get_running_loop().run_in_executor(self.judges, judge, item, texts)
        self._keep(
            RunRecord(
                scenario.id,
                item.id,
                repeat,
                seed,
                run_passes(checks),
                tuple(checks),
                texts,
                last.ttft_s,
                last.tokens,
                last.tokens_per_s,
                last.finish_reason,
                condition=self.sampling.condition,
                cut_turns=tuple(
                    turn for turn, answer in enumerate(answers, 1) if answer.finish_reason == "length"
                ),
            )
        )

    def _keep(self, record: RunRecord) -> None:
        self.records.append(record)
        self.log.append(record)

    def _count_error(self, failed: RunRecord, error: EndpointError) -> None:
        of_living = error if isinstance(error, BadStatus) and self.client.has_answered else None
        if of_living is not None and (failed.answers or of_living.is_refusal):
            # It lives: it refuses this conversation, as too long perhaps, or for its system prompt.
            self._failed_in_a_row.clear()
            return
        now = time.monotonic()
        if not self._failed_in_a_row:
            self._failing_since = now
        self._failed_in_a_row.append(failed)
        is_turned_away = of_living is not None and of_living.status == TOO_MANY_REQUESTS
        if is_turned_away and now - self._failing_since < TURNED_AWAY_S:
            return
        if len(self._failed_in_a_row) < CONSECUTIVE_ERRORS and not isinstance(error, Unauthorized):
            return
        self.lost = self._failed_in_a_row  # good answers that came before may still be with their judges
        self.records = [record for record in self.records if record not in self.lost]
        raise error
