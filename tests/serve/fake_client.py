"""A small engine for tests of the service: it keeps the contract of EngineClient and computes nothing.

One token is one character. The completion is the configured reply, whatever the prompt.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from wending.engine.client import (
    CompletionDelta,
    EngineClient,
    EngineStats,
    ErrorCode,
    ModelInfo,
    TokenLogprob,
    TopLogprob,
)
from wending.engine.errors import EngineDead, InvalidRequest, Overloaded
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency

VOCAB_SIZE = 0x110000


class FakeClient(EngineClient):
    """Replies with `reply`, one character a delta, `delay_s` apart."""

    def __init__(
        self,
        reply: str = "你好 👋, world!",
        *,
        delay_s: float = 0.0,
        max_context: int = 200,
        name: str = "fake-model",
        is_demo: bool = False,
    ) -> None:
        self.info = ModelInfo(
            name=name,
            max_context=max_context,
            vocab_size=VOCAB_SIZE,
            created=1_700_000_000,
            is_demo=is_demo,
            precision="bf16",
            generation_config=SimpleNamespace(),  # type: ignore[arg-type]
        )
        self.reply = reply
        self.delay_s = delay_s
        self.fail_after: int | None = None  # tokens after which a completion ends with an error
        self.error_code: ErrorCode = "non_finite_logits"  # of that error
        self.die_after: int | None = None  # tokens after which the engine dies
        self.logprob = -0.25
        self.cached_tokens = 0  # of each prompt
        self.restarts = 0
        self.restarts_after: int | None = None  # tokens after which it is restarted
        self.start_gate: asyncio.Event | None = None  # start() waits for it
        self.error: str | None = None
        self.restarting = False
        self.overloaded: str | None = None  # why requests are refused
        self.closed = False
        self.params: list[SamplingParams] = []  # of each request, the warm-up first
        self.urgencies: list[Urgency] = []
        self.conversations: list[list[dict[str, Any]]] = []
        self.continued = False  # whether the newest one was to be continued within its last message
        self.tools: list[list[dict[str, Any]] | None] = []
        self.running: set[str] = set()
        self.finished: list[str] = []
        self.aborted: list[str] = []
        self.tokens = 0
        self.last_token: float | None = None

    async def start(self) -> None:
        if self.start_gate is not None:
            await self.start_gate.wait()

    async def close(self) -> None:
        self.closed = True

    async def generate(
        self,
        prompt_token_ids: list[int],
        params: SamplingParams,
        request_id: str,
        urgency: Urgency | None = None,
    ) -> AsyncGenerator[CompletionDelta, None]:
        self.params.append(params)
        self.urgencies.append(urgency or Urgency())
        if self.overloaded is not None:
            raise Overloaded(self.overloaded)
        if not prompt_token_ids:
            raise InvalidRequest("prompt", "must not be empty")
        room = self.info.max_context - len(prompt_token_ids)
        if room <= 0:
            message = f"has {len(prompt_token_ids)} tokens; the context holds {self.info.max_context}"
            raise InvalidRequest("prompt_token_ids", message, "context_length_exceeded")
        for token_id in params.logit_bias:
            if token_id >= VOCAB_SIZE:
                raise InvalidRequest("logit_bias", f"token id {token_id} is not below {VOCAB_SIZE}")
        limit = min(room, params.max_tokens or room)
        reply = self.reply * (limit // max(1, len(self.reply)) + 1) if params.ignore_eos else self.reply
        self.running.add(request_id)
        try:
            for i, character in enumerate(reply[:limit]):
                if self.delay_s or i % 64 == 0:
                    await asyncio.sleep(self.delay_s)
                self.tokens += params.n
                self.last_token = time.monotonic()
                self.restarts += self.restarts_after == i
                if self.die_after == i:
                    self.error = "killed by the test"
                if self.error is not None:
                    raise EngineDead(self.error)
                is_last = i + 1 == min(len(reply), limit)
                reason = None if not is_last else "length" if limit < len(reply) else "stop"
                for index in range(params.n):
                    if self.fail_after == i:
                        message = "logits are not finite"
                        yield CompletionDelta(index, "", [], None, "error", message, self.error_code)
                    else:
                        logprobs = self._logprobs(character, params)
                        delta = CompletionDelta(index, character, [ord(character)], logprobs, reason)
                        delta.seed = 7 if params.seed is None else params.seed
                        delta.cached_tokens = self.cached_tokens if i == 0 else None
                        if params.hidden_state and i == 0:
                            first = 3 if params.hidden_state == "last" else -3
                            delta.hidden_state = np.float32([first, 4, len(prompt_token_ids)]).tobytes()
                        yield delta
                if self.fail_after == i:
                    break
            self.finished.append(request_id)
        finally:
            self.running.discard(request_id)
            if request_id not in self.finished:
                self.aborted.append(request_id)

    def _logprobs(self, character: str, params: SamplingParams) -> list[TokenLogprob] | None:
        if params.logprobs is None:
            return None
        top = [
            TopLogprob(ord(c), c, list(c.encode()), self.logprob if i == 0 else -math.inf)
            for i, c in enumerate([character, *"abcdefghijklmnopqrstuvwxyz"][: params.logprobs])
        ]
        return [TokenLogprob(ord(character), character, list(character.encode()), self.logprob, top)]

    def encode_chat(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        continue_final_message: bool = False,
    ) -> list[int]:
        self.continued = continue_final_message
        self.conversations.append(list(messages))
        self.tools.append(None if tools is None else list(tools))
        return self.encode("".join(message["content"] for message in messages) or "\n")

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, token_ids: Sequence[int]) -> str:
        return "".join(map(chr, token_ids))

    def stats(self) -> EngineStats:
        return EngineStats(
            running=len(self.running),
            waiting=0,
            kv_blocks_used=len(self.running),
            kv_blocks_total=100,
            tokens_generated_total=self.tokens,
            last_token_monotonic=self.last_token,
            error=self.error,
            restarts_total=self.restarts + self.restarting,
            restarting=self.restarting,
            last_death="killed by SIGKILL" if self.restarting else None,
        )
