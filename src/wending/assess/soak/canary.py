"""A few small requests at temperature 0 whose answers must stay those of hour 0."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import EndpointError, EndpointTimeout

PROMPTS = {
    "list": "Name three colours and a use of each, in three short lines.",
    "number": "A train goes 240 km in 3 hours. How fast is it? Answer in one sentence.",
    "json": "Give a JSON object with the fields name, age and city of a made-up person. Only the JSON.",
    "chinese": "用两句话介绍一下春天。",
    "code": "Write a Python function add(a, b) that returns the sum.",
}
MAX_TOKENS = 48


@dataclass(frozen=True, slots=True)
class CanaryAnswer:
    """`equal` is None where there was no answer (`error` says why), or nothing to compare with."""

    id: str
    text: str | None
    equal: bool | None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        values: dict[str, Any] = {"id": self.id, "equal": self.equal}
        if self.error is not None:
            values["error"] = self.error
        # The text is evidence when it differs; a text that is equal stands at hour 0 already.
        if self.equal is False:
            values["text"] = self.text
        return values


class CanarySet:
    """`baseline`: id -> text of hour 0; None where the endpoint differed from itself before any load."""

    def __init__(self, client: EndpointClient, baseline: dict[str, str | None] | None = None) -> None:
        self._client = client
        self.baseline: dict[str, str | None] = baseline or {}

    async def learn(self) -> None:
        """Asks each twice, alone. Raises EndpointError if the endpoint cannot be asked."""
        for name, prompt in PROMPTS.items():
            first, second = await self._ask(prompt), await self._ask(prompt)
            self.baseline[name] = first if first == second else None

    async def sing(self, limit_s: float) -> list[CanaryAnswer]:
        """All, one after the other; those that are not answered within `limit_s` seconds in all have timed
        out."""
        end, answers = asyncio.get_running_loop().time() + limit_s, []
        for name, prompt in PROMPTS.items():
            try:
                async with asyncio.timeout_at(end):
                    answers.append(await self._compare(name, prompt))
            except TimeoutError:
                answers.append(CanaryAnswer(name, None, None, EndpointTimeout.kind))
        return answers

    async def _compare(self, name: str, prompt: str) -> CanaryAnswer:
        try:
            text = await self._ask(prompt)
        except EndpointError as error:
            return CanaryAnswer(name, None, None, error.kind)
        before = self.baseline.get(name)
        return CanaryAnswer(name, text, None if before is None else text == before)

    async def _ask(self, prompt: str) -> str:
        messages = [{"role": "user", "content": prompt}]
        answer = await self._client.chat(messages, max_tokens=MAX_TOKENS, temperature=0.0, top_p=1.0, seed=1)
        return answer.text
