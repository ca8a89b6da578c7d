"""The load of a soak: a closed loop of mixed requests."""

from __future__ import annotations

import asyncio
import itertools

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError
from wending.assess.performance_requests import REQUEST_TYPES
from wending.assess.seeds import derive_seed
from wending.assess.soak.window import Window

PAUSE_AFTER_ERROR_S = 0.5
"""An endpoint that refuses is not stormed."""


class MixedLoad:
    """So many streams, each with one request after the other: short, long and JSON in turn."""

    def __init__(self, client: EndpointClient, streams: int, seed: int) -> None:
        self._client = client
        self._streams = streams
        self._seed = seed
        self._numbers = itertools.count()
        self.in_flight = 0
        self.window = Window()

    def take_window(self) -> Window:
        """What has happened since it was last taken."""
        taken, self.window = self.window, Window()
        return taken

    async def run(self) -> None:
        """Until it is cancelled. Raises what ended the first stream that ended."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._streams):
                    group.create_task(self._stream())
        except ExceptionGroup as ended:
            raise ended.exceptions[0] from None

    async def _stream(self) -> None:
        while True:
            number = next(self._numbers)
            request = REQUEST_TYPES[number % len(REQUEST_TYPES)]
            self.in_flight += 1
            try:
                answer = await self._client.chat(
                    [{"role": "user", "content": request.prompt(number)}],
                    max_tokens=request.max_tokens,
                    temperature=0.7,
                    top_p=0.9,
                    seed=derive_seed(self._seed, "soak", number),
                    patience_s=0,
                )
                self.window.add_answer(answer)
            except EndpointError as error:
                self.window.add_error(error)
                await asyncio.sleep(PAUSE_AFTER_ERROR_S)
            finally:
                self.in_flight -= 1
