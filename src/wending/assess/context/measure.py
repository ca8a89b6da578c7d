"""Asks for facts in ever longer texts: the lengths double until the endpoint's limit, or the time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from wending.assess.chat_answer import ChatAnswer
from wending.assess.context.effort import DEPTHS, LANGUAGES, ContextEffort
from wending.assess.context.limit import DEFAULT_LIMIT, limit_of_model, limit_of_refusal
from wending.assess.context.result import ContextResult, Probe, StoppedBy
from wending.assess.context.task import ContextTask, make_task
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import BadStatus, CutOff, EndpointTimeout, ProtocolError
from wending.assess.seeds import derive_seed

SHORTEST = 256
ANSWER_TOKENS = 24
TOO_LONG = "0 " * 300_000
"""A prompt beyond the limit of nearly every model: its refusal names the limit."""
REFUSALS = (400, 413, 422)
SHORTENED = 0.7
"""A prompt with fewer tokens than this share of what was expected has been cut by the endpoint."""


async def measure(
    client: EndpointClient,
    effort: ContextEffort,
    *,
    seed: int,
    progress: Callable[[float, str], None],
    result: ContextResult | None = None,
) -> ContextResult:
    """Recall by distance. ``result``: filled as it goes, so that a break keeps what was measured.

    A refused or cut prompt and a slow or failing request end it and are part of the result. Raises
    EndpointError where the endpoint cannot be reached, refuses the key, or answers not even a short prompt.
    """
    measurement = _Measurement(client, effort, seed, progress, result or ContextResult())
    await measurement.run()
    return measurement.result


@dataclass(slots=True)
class _Tokens:
    """Tokens of a prompt before it is sent, learned from the usage of those that were.

    The chat template takes ``overhead`` tokens, the text one for so many characters.
    """

    overhead: int = 0
    characters_per_token: dict[str, float] = field(default_factory=lambda: {"en": 4.2, "zh": 1.5})
    learned: set[str] = field(default_factory=set)

    def characters(self, language: str, tokens: int) -> int:
        return max(int((tokens - self.overhead) * self.characters_per_token[language]), 1)

    def tokens(self, language: str, prompt: str) -> int:
        return self.overhead + round(len(prompt) / self.characters_per_token[language])

    def learn(self, language: str, prompt: str, tokens: int) -> None:
        if tokens > self.overhead:
            self.characters_per_token[language] = len(prompt) / (tokens - self.overhead)
            self.learned.add(language)


class _Measurement:
    def __init__(
        self,
        client: EndpointClient,
        effort: ContextEffort,
        seed: int,
        progress: Callable[[float, str], None],
        result: ContextResult,
    ) -> None:
        self.result = result
        self._client = client
        self._effort = effort
        self._seed = seed
        self._progress = progress
        self._tokens = _Tokens()
        self._deadline = time.monotonic() + effort.total_s

    async def run(self) -> None:
        await self._learn_overhead()
        limit = await self._find_limit()
        steps = lengths_up_to(limit)
        slowest, previous = 0.0, SHORTEST
        for step, length in enumerate(steps):
            if step and self._would_take_too_long(slowest * length / previous):
                self._stop("time", length)
                return
            self._progress(step / len(steps), f"{length:,} tok")
            for number in range(len(DEPTHS) * self._effort.repeats):
                seconds = await self._probe(step, number, length)
                if seconds is None:
                    return
                slowest = max(slowest, seconds)
            previous = length
        self._stop("limit", None)

    def _would_take_too_long(self, seconds_each: float) -> bool:
        probes = len(DEPTHS) * self._effort.repeats
        ends = time.monotonic() + probes * seconds_each
        return seconds_each > self._effort.request_s or ends > self._deadline

    async def _probe(self, step: int, number: int, length: int) -> float | None:
        """Asks once; its seconds, or None where that was the end."""
        repeat, place = divmod(number, len(DEPTHS))
        depth, language = DEPTHS[place], LANGUAGES[(step + place + repeat) % len(LANGUAGES)]
        seed = derive_seed(self._seed, "context", length, number)
        task = make_task(language, self._tokens.characters(language, length), depth, seed)
        expected = self._tokens.tokens(language, task.prompt)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._effort.request_s):
                answer = await self._ask(task.prompt, seed)
        except (TimeoutError, EndpointTimeout):
            self._stop("time", expected)
        except BadStatus as error:
            self._stop("refused" if error.status in REFUSALS else "error", expected, error.message)
        except (ProtocolError, CutOff) as error:
            self._stop("error", expected, error.words)
        else:
            seconds = time.monotonic() - began
            return seconds if self._take(task, language, depth, expected, answer, seconds) else None
        return None

    def _take(
        self,
        task: ContextTask,
        language: str,
        depth: float,
        expected: int,
        answer: ChatAnswer,
        seconds: float,
    ) -> bool:
        """Records the answer; False where the endpoint had cut the prompt, which is the end."""
        tokens = expected if answer.prompt_tokens is None else answer.prompt_tokens
        is_cut = language in self._tokens.learned and tokens < SHORTENED * expected
        if is_cut:
            tokens = expected
        distance = round((tokens - self._tokens.overhead) * task.share_behind)
        self.result.probes.append(
            Probe(language, depth, tokens, distance, task.recalled(answer.text), answer.text[:200], seconds)
        )
        if is_cut:
            self._stop("shortened", expected)
        elif answer.prompt_tokens is None:
            self.result.counted_by_usage = False
        else:
            self._tokens.learn(language, task.prompt, tokens)
        return not is_cut

    async def _learn_overhead(self) -> None:
        """From a prompt of about one token; it shows, too, that the endpoint answers at all."""
        answer = await self._ask("1", self._seed)
        if answer.prompt_tokens is not None:
            self._tokens.overhead = max(answer.prompt_tokens - 1, 0)

    async def _find_limit(self) -> int:
        result = self.result
        result.limit = await self._limit_of_models()
        result.limit_source = "models"
        if result.limit is None:
            result.limit, result.limit_source = await self._limit_by_refusal(), "refusal"
        if result.limit is None:
            result.limit_source = "default"
        return result.limit or DEFAULT_LIMIT

    async def _limit_of_models(self) -> int | None:
        try:
            entries = await self._client.model_entries()
        except (BadStatus, ProtocolError):
            return None
        return next(
            (limit_of_model(entry) for entry in entries if entry.get("id") == self._client.model), None
        )

    async def _limit_by_refusal(self) -> int | None:
        try:
            async with asyncio.timeout(self._effort.request_s):
                await self._ask(TOO_LONG, self._seed)
        except BadStatus as error:
            return limit_of_refusal(error.message)
        except (TimeoutError, EndpointTimeout, ProtocolError, CutOff):
            return None
        return None

    async def _ask(self, prompt: str, seed: int) -> ChatAnswer:
        return await self._client.chat(
            [{"role": "user", "content": prompt}],
            max_tokens=ANSWER_TOKENS,
            temperature=0.0,
            top_p=1.0,
            seed=seed,
        )

    def _stop(self, why: StoppedBy, length: int | None, message: str | None = None) -> None:
        self.result.stopped_by, self.result.stopped_at, self.result.message = why, length, message


def lengths_up_to(limit: int) -> list[int]:
    """256, 512 ... and as the last one what fits beside the answer, less five per cent for the estimate."""
    longest = int(0.95 * limit) - ANSWER_TOKENS
    lengths = []
    length = SHORTEST
    while length * 1.25 < longest:
        lengths.append(length)
        length *= 2
    return [*lengths, max(longest, 1)]
