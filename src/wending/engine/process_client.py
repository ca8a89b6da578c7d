"""An engine in a process of its own that may die, used from asyncio.

Each request is kept here with its tokens so far. When the process dies, another one is started
(`supervisor.py`), and all requests go on in it from where they were, with the bytes that would have followed.
A request that kills the engine is found and ends alone (`suspicion.py`).
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from wending.engine.budget import MemoryBudget
from wending.engine.client import CompletionDelta, EngineClient, EngineStats
from wending.engine.death import Death
from wending.engine.errors import EngineDead, InvalidRequest, Overloaded
from wending.engine.in_flight import InFlight
from wending.engine.load import DEFAULT_GAP_S, checkpoint_path
from wending.engine.messages import Abort, Refused, Step, Taken, load_message
from wending.engine.prompt_encoder import PromptEncoder
from wending.engine.request import Request
from wending.engine.sampling_params import SamplingParams
from wending.engine.supervisor import DEFAULT_HANG_S, Supervisor, Users
from wending.engine.suspicion import Suspicion
from wending.engine.urgency import Urgency
from wending.engine.worker_process import COMMAND, WorkerProcess
from wending.model.kv_cache import KVQuant
from wending.model.precision import Quant
from wending.model.published import open_published

_log = logging.getLogger(__name__)

DEFAULT_MAX_REQUESTS = 2048
DEFAULT_MAX_QUEUED_TOKENS = 1 << 22
"""Of all prompts in flight: more than an hour of work for most processors."""
BYTES_OF_A_REQUEST = 48 << 10
"""What a request takes in both processes while it waits: connection, tasks, streams, parameters."""
BYTES_OF_A_TOKEN = 20
"""Of a prompt that waits: 4 here, 8 in the engine's process, and the text that it was made from."""

_TOTALS = (
    "tokens_generated_total",
    "preemptions_total",
    "cached_tokens_total",
    "cache_queries_total",
    "tokens_drafted_total",
    "drafts_accepted_total",
)
"""The counts that go on over all processes."""


class ProcessClient(EngineClient, Users):
    """EngineClient over a supervised process."""

    def __init__(
        self,
        supervisor: Supervisor,
        prompts: PromptEncoder,
        *,
        max_requests: int = DEFAULT_MAX_REQUESTS,
        max_queued_tokens: int = DEFAULT_MAX_QUEUED_TOKENS,
    ) -> None:
        """`supervisor` has loaded its first worker. At most `max_requests` requests are taken at once, and
        prompts of `max_queued_tokens` tokens in all."""
        self.info = supervisor.info
        self._supervisor = supervisor
        self._prompts = prompts
        self._max_requests = max_requests
        self._max_queued_tokens = max_queued_tokens
        self._queued_tokens = self._unfinished = 0  # of the requests in flight: prompt tokens, completions
        self._numbers = itertools.count()
        self._in_flight: dict[int, InFlight] = {}  # in order of arrival
        self._by_key: dict[str, InFlight] = {}  # those in the engine's process
        self._suspicion = Suspicion()
        self._on_trial: InFlight | None = None
        self._stats = EngineStats(0, 0, 0, 0, 0, None)  # of the present process, as it said last
        self._earlier = dict.fromkeys(_TOTALS, 0)  # of the processes before it
        self._death: str | None = None

    @property
    def worker(self) -> WorkerProcess:
        """The engine's present process."""
        return self._supervisor.worker

    async def start(self) -> None:
        """See EngineClient.start."""
        await self._supervisor.start(self)

    async def close(self) -> None:
        """See EngineClient.close. Takes a second at most."""
        await self._supervisor.close()
        self.dead("the engine was closed")

    async def generate(
        self,
        prompt_token_ids: list[int],
        params: SamplingParams,
        request_id: str,
        urgency: Urgency | None = None,
    ) -> AsyncGenerator[CompletionDelta, None]:
        """See EngineClient.generate."""
        if self._death is not None:
            raise EngineDead(self._death)
        request = self._take(prompt_token_ids, params, request_id, urgency)
        try:
            while (delta := await request.stream.get()) is not None:
                yield delta
        finally:
            if request.number in self._in_flight:
                self._abort(request)

    def encode_chat(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        continue_final_message: bool = False,
    ) -> list[int]:
        """See EngineClient.encode_chat."""
        return self._prompts.encode_chat(messages, tools, continue_final_message=continue_final_message)

    def encode(self, text: str) -> list[int]:
        """See EngineClient.encode."""
        return self._prompts.encode(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        """See EngineClient.decode."""
        return self._prompts.decode(token_ids)

    def stats(self) -> EngineStats:
        """See EngineClient.stats. As of the last step; `waiting` counts also what waits for a restart."""
        return msgspec.structs.replace(
            self._stats,
            waiting=max(self._unfinished - self._stats.running, 0),
            error=self._death,
            restarts_total=self._supervisor.restarts_total,
            restarting=not self._supervisor.is_up,
            last_death=self._supervisor.last_death,
            **{name: getattr(self._stats, name) + count for name, count in self._earlier.items()},
        )

    # What the supervisor says.

    def receive(self, report: Step | Taken | Refused) -> None:
        """See Users.receive."""
        match report:
            case Step():
                self._stats = report.stats
                self._deliver(report.outputs)
            case Taken() if report.key in self._by_key:
                self._by_key[report.key].say_taken()
            case Refused() if report.key in self._by_key:
                request = self._by_key[report.key]
                self._forget(request)
                request.stream.fail(report.error())
        if self._on_trial is not None and (self._on_trial.is_proven or self._on_trial.key is None):
            self._next_trial()

    def expects_more(self) -> bool:
        """See Users.expects_more."""
        return bool(self._by_key)

    def up(self) -> None:
        """See Users.up."""
        self._next_trial()

    def down(self, death: Death) -> None:
        """See Users.down."""
        computing = [self._by_key[key].number for key in death.computing if key in self._by_key]
        self._by_key.clear()
        self._on_trial = None
        for request in self._in_flight.values():
            request.key = None
        for name in _TOTALS:
            self._earlier[name] += getattr(self._stats, name)
        newest = self._stats.last_token_monotonic
        self._stats = EngineStats(0, 0, 0, self._stats.kv_blocks_total, 0, newest)
        guilty = self._suspicion.note_death(computing, death.is_proof)
        if guilty is not None:
            self._convict(self._in_flight[guilty], death)

    def dead(self, reason: str) -> None:
        """See Users.dead."""
        if self._death is None:
            self._death = reason
        for request in list(self._in_flight.values()):
            self._forget(request)
            request.stream.fail(EngineDead(self._death))

    # Requests.

    def _deliver(self, outputs: list[tuple[str, CompletionDelta]]) -> None:
        for key, delta in outputs:
            request = self._by_key.get(key)
            if request is None:  # its consumer has left and the abort is on its way
                continue
            request.deliver(delta)
            self._unfinished -= delta.finish_reason is not None
            if request.is_proven:
                self._suspicion.clear(request.number)
            elif delta.token_ids:
                self._suspicion.note_token(request.number)
            if request.stream.complete:
                self._forget(request)

    def _take(
        self,
        prompt_token_ids: list[int],
        params: SamplingParams,
        request_id: str,
        urgency: Urgency | None,
    ) -> InFlight:
        """Check a request, keep it, and send it. Raises InvalidRequest and Overloaded."""
        self._check_load()
        try:
            admitted = Request.admit(
                request_id,
                prompt_token_ids,
                params,
                vocab_size=self.info.vocab_size,
                max_context=self.info.max_context,
            )
        except InvalidRequest:
            raise
        except Exception as error:
            _log.exception("request %s could not be added", request_id)
            raise InvalidRequest("request", f"could not be added: {type(error).__name__}: {error}") from error
        request = InFlight(
            next(self._numbers), admitted.prompt_token_ids, replace(params, seed=admitted.seed), urgency
        )
        self._in_flight[request.number] = request
        self._queued_tokens += len(request.prompt_token_ids)
        self._unfinished += params.n
        if self._supervisor.is_up and self._on_trial is None:
            self._add(request)
        return request

    def _check_load(self) -> None:
        if len(self._in_flight) >= self._max_requests:
            raise Overloaded(
                f"{len(self._in_flight)} requests are in flight, the most that are taken at once"
            )
        if self._queued_tokens >= self._max_queued_tokens:
            raise Overloaded(
                f"the prompts in flight have {self._queued_tokens} tokens; "
                f"no more are taken from {self._max_queued_tokens} on"
            )

    def _add(self, request: InFlight) -> None:
        message = request.message()
        self._by_key[message.key] = request
        self._supervisor.send(message)

    def _withdraw(self, request: InFlight) -> None:
        """Take a request out of the engine's process, if it is there."""
        if request.key is not None:
            del self._by_key[request.key]
            self._supervisor.send(Abort(request.key))
            request.key = None

    def _abort(self, request: InFlight) -> None:
        self._withdraw(request)
        self._forget(request)
        if self._on_trial is request:
            self._next_trial()

    def _forget(self, request: InFlight) -> None:
        """Nothing more is to come for a request."""
        del self._in_flight[request.number]
        self._queued_tokens -= len(request.prompt_token_ids)
        self._unfinished -= request.num_unfinished
        self._suspicion.clear(request.number)
        if request.key is not None:
            del self._by_key[request.key]
            request.key = None

    # Trials: see suspicion.py.

    def _next_trial(self) -> None:
        """Have the next suspect computed alone, the shortest first; when there is none, add all requests."""
        suspects = [one for one in self._in_flight.values() if self._suspicion.is_suspect(one.number)]
        if suspects:
            if self._on_trial is not None:
                self._withdraw(self._on_trial)  # its prompt is found in the prefix cache when it comes back
            self._on_trial = min(suspects, key=lambda one: one.num_tokens)
            self._add(self._on_trial)
            return
        self._on_trial = None
        for request in self._in_flight.values():
            if request.key is None:
                self._add(request)

    def _convict(self, request: InFlight, death: Death) -> None:
        _log.error("request %d has killed the engine for the last time and is ended", request.number)
        message = (
            "the engine's process died each time it computed this request, "
            f"{self._suspicion.deaths(request.number)} times in a row; at last: {death.cause}"
        )
        self._forget(request)
        request.fail(message)


def load_client(
    model: str | Path | None = None,
    *,
    quant: Quant = "auto",
    kv_cache: KVQuant = "auto",
    memory: int | None = None,
    max_context: int | None = None,
    threads: int | None = None,
    cache: bool = True,
    speculate: bool = True,
    gap_s: float | None = DEFAULT_GAP_S,
    progress: Callable[[int, int], None] | None = None,
    on_budget: Callable[[MemoryBudget], None] | None = None,
    command: Sequence[str] = COMMAND,
    hang_s: float = DEFAULT_HANG_S,
    max_requests: int = DEFAULT_MAX_REQUESTS,
    max_queued_tokens: int = DEFAULT_MAX_QUEUED_TOKENS,
) -> ProcessClient:
    """What `load_engine` loads, in a process of its own, as a client that is yet to be started.

    May run in any thread. Raises what `load_engine` raises, and EngineDead if the process dies. `command`
    starts the process. `hang_s`: a step that takes longer is ended, by killing the process. The last two are
    those of ProcessClient.
    """
    settings = load_message(
        model,
        quant=quant,
        kv_cache=kv_cache,
        memory=memory,
        max_context=max_context,
        threads=threads,
        cache=cache,
        speculate=speculate,
        gap_s=gap_s,
        request_bytes=max_requests * BYTES_OF_A_REQUEST + max_queued_tokens * BYTES_OF_A_TOKEN,
    )
    path = checkpoint_path(model)
    supervisor = Supervisor(settings, path, command=command, hang_s=hang_s)
    try:
        published = open_published(path)  # while the worker loads
    except BaseException:
        supervisor.kill()
        raise
    supervisor.load(progress, on_budget)
    return ProcessClient(
        supervisor,
        PromptEncoder(published.tokenizer, published.chat_template),
        max_requests=max_requests,
        max_queued_tokens=max_queued_tokens,
    )
