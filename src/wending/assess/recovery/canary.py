"""A small request whose answer must stay what it was."""

from __future__ import annotations

import asyncio
import time

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError

QUESTION = "Name three colours and a use of each, in three short lines."
ATTEMPTS = 3
"""How often it is asked before any fault: an endpoint that differs by itself cannot be held to equality."""
PATIENCE_S = 60.0
"""How long an endpoint may take to come back."""
PAUSE_S = 0.1


class Canary:
    """Asked at temperature 0 with a fixed seed."""

    def __init__(self, client: EndpointClient, patience_s: float = PATIENCE_S) -> None:
        self._client = client
        self._patience_s = patience_s
        self.before: str | None = None
        """What it said each time before; None if it did not agree with itself."""

    async def learn(self) -> bool:
        """Whether it agrees with itself. Raises EndpointError if it cannot be asked."""
        said = {await self._ask(PATIENCE_S) for _ in range(ATTEMPTS)}
        self.before = said.pop() if len(said) == 1 else None
        return self.before is not None

    async def sing(self) -> tuple[float | None, bool | None]:
        """Seconds to the first good answer, None if there was none; and whether it is the one from before."""
        started = time.monotonic()
        while True:
            try:
                said = await asyncio.wait_for(self._ask(0), self._patience_s)
            except (EndpointError, TimeoutError):
                if time.monotonic() - started > self._patience_s:
                    return None, None
                await asyncio.sleep(PAUSE_S)
                continue
            return time.monotonic() - started, None if self.before is None else said == self.before

    async def _ask(self, patience_s: float) -> str:
        messages = [{"role": "user", "content": QUESTION}]
        answer = await self._client.chat(
            messages, max_tokens=48, temperature=0.0, top_p=1.0, seed=1, patience_s=patience_s
        )
        return answer.text
