"""Requests through the service's engine, which runs in a process of its own, undisturbed or killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import aclosing

from wending.engine.process_client import ProcessClient
from wending.engine.selftest.conditions import Outcome
from wending.engine.selftest.mixed_requests import MixedRequest
from wending.engine.selftest.record import Key, Record
from wending.engine.selftest.rig import Tick

AT_ONCE = 16
KILLS = 6


class Killer:
    """Kills the engine's process after random numbers of deltas, a given number of times."""

    def __init__(
        self, client: ProcessClient, kills: int, expected_deltas: int, chance: random.Random
    ) -> None:
        self._client = client
        self._moments = sorted(chance.randrange(1, max(expected_deltas, 2)) for _ in range(kills))
        self._deltas = self.kills = 0

    def note_delta(self) -> None:
        """Count what was delivered; kill when the time has come, unless the process is dead already."""
        self._deltas += 1
        if self._moments and self._deltas >= self._moments[0] and not self._client.stats().restarting:
            self._moments.pop(0)
            os.kill(self._client.worker.pid, signal.SIGKILL)
            self.kills += 1


async def streamed(
    client: ProcessClient, requests: Sequence[MixedRequest], kills: int, chance: random.Random, tick: Tick
) -> Outcome:
    """All requests, a number of them at a time, as streams. `kills`: how often the engine is killed."""
    records: dict[Key, Record] = {
        (one.number, index): Record() for one in requests for index in range(one.params.n)
    }
    # At least so many: an answer that ends early has fewer.
    expected = sum(one.params.n * (one.params.max_tokens or 0) for one in requests) // 2
    killer = Killer(client, kills, expected, chance)
    places = asyncio.Semaphore(AT_ONCE)

    async def stream(request: MixedRequest) -> None:
        async with places:
            deltas = client.generate(request.prompt_token_ids, request.params, str(request.number))
            async with aclosing(deltas):
                async for delta in deltas:
                    records[request.number, delta.index].add(delta)
                    killer.note_delta()
            tick()

    await asyncio.gather(*map(stream, requests))
    return Outcome(records, killer.kills if kills else len(requests), logits=False)
