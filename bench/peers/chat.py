"""Greedy answers of a server with OpenAI's chat protocol."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Sequence
from typing import Any

import aiohttp

ANSWER_SECONDS = 1800.0


class ChatError(Exception):
    """A server did not answer as the protocol says."""


def chat_prompts(count: int, seed: int) -> list[str]:
    """So many texts of 10 to 40 random words, the same for the same seed."""
    numbers = random.Random(seed)

    def word() -> str:
        return "".join(numbers.choices(string.ascii_lowercase, k=numbers.randint(2, 8)))

    return [" ".join(word() for _ in range(numbers.randint(10, 40))) for _ in range(count)]


class Chat:
    """Asks the server at a base URL (with or without "/v1") for the model that it lists first."""

    def __init__(self, url: str, prompts: Sequence[str], tokens: int) -> None:
        """`tokens`: the most of an answer."""
        self._base = url.rstrip("/").removesuffix("/v1") + "/v1"
        self._prompts = prompts
        self._tokens = tokens

    def ask(self, indices: Sequence[int]) -> list[str]:
        """The answers to these of the prompts, asked all at once.

        Raises ChatError, or aiohttp's ClientError where there is no connection.
        """
        return asyncio.run(self._ask(indices))

    async def _ask(self, indices: Sequence[int]) -> list[str]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"{self._base}/models") as response:
                model = (await _json_of(response))["data"][0]["id"]
            return await asyncio.gather(*(self._answer(session, model, index) for index in indices))

    async def _answer(self, session: aiohttp.ClientSession, model: str, index: int) -> str:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": self._prompts[index]}],
            "temperature": 0,
            "max_tokens": self._tokens,
        }
        async with session.post(f"{self._base}/chat/completions", json=body) as response:
            content: str = (await _json_of(response))["choices"][0]["message"]["content"]
            return content


async def _json_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    if response.status != 200:
        raise ChatError(f"{response.url} answered {response.status}: {(await response.text())[:500]}")
    found: dict[str, Any] = await response.json()
    return found
