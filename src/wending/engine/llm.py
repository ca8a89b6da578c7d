"""A model in a script: prompts in, completions out, in this process and thread.

from wending import LLM, SamplingParams
print(LLM().chat([{"role": "user", "content": "Hello"}])[0].outputs[0].text)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wending.engine.client import CompletionDelta, FinishReason, TokenLogprob
from wending.engine.errors import InvalidRequest
from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams
from wending.model.precision import Quant

Conversation = Sequence[dict[str, Any]]
"""Messages with the keys "role" and "content", and what else the chat template understands."""


@dataclass(slots=True)
class CompletionOutput:
    """One completion, whole. The fields mean what those of CompletionDelta mean."""

    index: int
    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    logprobs: list[TokenLogprob] | None = None
    seed: int | None = None
    error: str | None = None

    def add(self, delta: CompletionDelta) -> None:
        """Append what a step gained."""
        self.text += delta.text
        self.token_ids += delta.token_ids
        if delta.logprobs is not None:
            self.logprobs = (self.logprobs or []) + delta.logprobs
        self.finish_reason, self.error, self.seed = delta.finish_reason, delta.error, delta.seed


@dataclass(slots=True)
class RequestOutput:
    """A prompt and its n completions."""

    prompt_token_ids: list[int]
    outputs: list[CompletionOutput]


class LLM:
    """A loaded model. Not for use from several threads at once."""

    def __init__(
        self,
        model: str | Path | None = None,
        quant: Quant = "auto",
        *,
        memory: int | None = None,
        max_context: int | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Load the checkpoint folder `model`, or the bundled demonstration model. See `load_engine`."""
        loaded = load_engine(
            model, quant=quant, memory=memory, max_context=max_context, threads=threads, progress=progress
        )
        self.info = loaded.info
        self.budget = loaded.budget
        self._prompts = loaded.prompts
        self._engine = loaded.engine
        self._request_ids = itertools.count()

    def generate(
        self, prompts: str | Sequence[str], params: SamplingParams | None = None
    ) -> list[RequestOutput]:
        """Complete plain text: one output for each prompt, in their order.

        Raises InvalidRequest, before anything is computed, if one of them cannot be honoured.
        """
        texts = [prompts] if isinstance(prompts, str) else prompts
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            raise InvalidRequest("prompts", f"must be a string or a list of strings, got {prompts!r}")
        return self._run([self._prompts.encode(text) for text in texts], params or SamplingParams())

    def chat(
        self, conversations: Conversation | Sequence[Conversation], params: SamplingParams | None = None
    ) -> list[RequestOutput]:
        """Answer one conversation, a list of messages, or a list of several: one output for each, in their
        order.

        Raises InvalidRequest, before anything is computed, if one of them cannot be honoured.
        """
        several = _as_conversations(conversations)
        return self._run([self._prompts.encode_chat(one) for one in several], params or SamplingParams())

    def _run(self, prompts: list[list[int]], params: SamplingParams) -> list[RequestOutput]:
        """All prompts through the engine together."""
        results: dict[str, RequestOutput] = {}
        try:
            for prompt in prompts:
                request_id = str(next(self._request_ids))
                self._engine.add_request(request_id, prompt, params)
                outputs = [CompletionOutput(index) for index in range(params.n)]
                results[request_id] = RequestOutput(prompt, outputs)
            while self._engine.has_work:
                for request_id, delta in self._engine.step():
                    results[request_id].outputs[delta.index].add(delta)
        except BaseException:  # also an interrupt from the keyboard: leave nothing behind in the engine
            for request_id in results:
                self._engine.abort_request(request_id)
            raise
        self._engine.check_integrity()
        return list(results.values())


def _as_conversations(conversations: Any) -> Sequence[Conversation]:
    """A list of conversations, of which one alone is a special case."""
    if not isinstance(conversations, list | tuple):
        raise InvalidRequest("messages", f"must be a list of messages, got {type(conversations).__name__}")
    several = [conversations] if all(isinstance(item, dict) for item in conversations) else conversations
    for conversation in several:
        if not isinstance(conversation, list | tuple) or not all(
            isinstance(item, dict) for item in conversation
        ):
            raise InvalidRequest("messages", f"must be a list of messages, got {conversation!r}")
    return several
