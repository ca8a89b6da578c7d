"""Engines over the weights under test, and how requests go through them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.engine.engine import Engine
from wending.engine.load import LoadedEngine
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.selftest.mixed_requests import MixedRequest
from wending.engine.selftest.record import Key, Record
from wending.engine.urgency import Urgency
from wending.model.kv_cache import KVCache
from wending.model.logits_digest import logits_digest

MAX_RUNNING = 16
LARGEST_CHUNK = 512
PASSER_BY = "passer-by"

Tick = Callable[[], None]


class Rig:
    """Makes engines with settings of their own over one model. Their caches are made for these requests."""

    def __init__(self, loaded: LoadedEngine, requests: Sequence[MixedRequest]) -> None:
        engine = loaded.engine
        self.model, self.tokenizer, self.dtype = engine.model, engine.tokenizer, engine.cache.dtype
        self.block_size = engine.scheduler.block_manager.block_size
        self._eos_token_ids = engine.eos_token_ids
        self.max_context = min(max(one.num_tokens for one in requests) + 1, engine.max_context)
        self.blocks_of_one = -(-self.max_context // self.block_size)
        self._caches: dict[int, KVCache] = {}

    def engine(
        self,
        *,
        num_blocks: int | None = None,
        max_tokens_per_step: int = LARGEST_CHUNK,
        max_running: int = MAX_RUNNING,
        speculate: bool = True,
    ) -> Engine:
        """An engine that has computed nothing yet. The cache's memory is that of an earlier one."""
        blocks = MAX_RUNNING * self.blocks_of_one if num_blocks is None else num_blocks
        if blocks not in self._caches:
            self._caches[blocks] = KVCache(self.model.config, blocks, self.block_size, self.dtype)
        return Engine(
            self.model,
            self._caches[blocks],
            self.tokenizer,
            eos_token_ids=self._eos_token_ids,
            max_context=self.max_context,
            num_blocks=blocks,
            block_size=self.block_size,
            max_tokens_per_step=max_tokens_per_step,
            max_running=min(max_running, max_tokens_per_step),
            speculate=speculate,
        )


class Run:
    """Requests going through engines, and the records of what came out."""

    def __init__(self, requests: Sequence[MixedRequest], tick: Tick) -> None:
        """`tick` is called when a request is complete."""
        self.requests = {one.number: one for one in requests}
        self.records: dict[Key, Record] = {
            (one.number, index): Record() for one in requests for index in range(one.params.n)
        }
        self.shared_steps = 0
        """Steps that computed several requests."""
        self._tick = tick
        self._unfinished = {one.number: one.params.n for one in requests}

    def add(self, engine: Engine, number: int, priority: int = 0, only: int | None = None) -> None:
        """Give a request to an engine; it goes on from what is on record. `only`: just this completion."""
        request = self.requests[number]
        reached = [self.records[number, index] for index in range(request.params.n)]
        progress = [
            Progress(one.token_ids, one.finish_reason is not None or only not in (None, index))
            for index, one in enumerate(reached)
        ]
        engine.on_logits = self._note_logits
        engine.on_step = self._note_step
        engine.add_request(str(number), request.prompt_token_ids, request.params, Urgency(priority), progress)

    def step(self, engine: Engine) -> None:
        """One step, on record."""
        for name, delta in engine.step():
            if not name.startswith(PASSER_BY):
                number = int(name)
                self.records[number, delta.index].add(delta)
                if delta.finish_reason is not None:
                    self._unfinished[number] -= 1
                    if self._unfinished[number] == 0:
                        self._tick()

    def all_through(self, engine: Engine, numbers: Sequence[int] | None = None) -> None:
        """All requests, or these, at once and to their end."""
        for number in self.requests if numbers is None else numbers:
            self.add(engine, number)
        while engine.has_work:
            self.step(engine)
        engine.check_integrity()

    def through_disturbance(self, engine: Engine, chance: random.Random) -> None:
        """All requests in any order, at any step, with any priority, among others that come and hang up."""
        to_come = list(self.requests)
        chance.shuffle(to_come)
        guests: list[str] = []
        steps = 0
        while to_come or engine.has_work:
            while to_come and (not engine.has_work or chance.random() < 0.4):
                self.add(engine, to_come.pop(), chance.randrange(-2, 3))
            if chance.random() < 0.1:
                guests.append(f"{PASSER_BY} {steps}")
                prompt = self.requests[chance.choice(list(self.requests))].prompt_token_ids
                engine.add_request(guests[-1], prompt, SamplingParams(max_tokens=8))
            if guests and chance.random() < 0.15:
                engine.abort_request(guests.pop(chance.randrange(len(guests))))
            self.step(engine)
            steps += 1
        engine.check_integrity()

    def _note_step(self, names: list[str]) -> None:
        self.shared_steps += len(names) > 1

    def _note_logits(self, name: str, index: int, position: int, row: NDArray[np.float32]) -> None:
        if not name.startswith(PASSER_BY):
            record: Any = self.records[int(name), index]
            record.logits[position] = logits_digest(row)
