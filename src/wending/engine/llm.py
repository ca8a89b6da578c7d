"""A model in a script: prompts in, completions out, in this process and thread.

from wending import LLM, SamplingParams
print(LLM().chat([{"role": "user", "content": "Hello"}])[0].outputs[0].text)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, overload

from wending.engine.client import CompletionDelta, FinishReason, TokenLogprob
from wending.engine.engine import Engine
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.generation_progress import GenerationProgress
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.request import Request
from wending.engine.sampling_params import SamplingParams
from wending.model.kv_cache import KVQuant
from wending.model.precision import Quant

Prompt = str | Sequence[int]
"""Text, or token ids."""

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
    hidden_state: bytes | None = None

    def add(self, delta: CompletionDelta) -> None:
        """Append what a step gained."""
        self.text += delta.text
        self.token_ids += delta.token_ids
        if delta.logprobs is not None:
            self.logprobs = (self.logprobs or []) + delta.logprobs
        if delta.hidden_state is not None:
            self.hidden_state = delta.hidden_state
        self.finish_reason, self.error, self.seed = delta.finish_reason, delta.error, delta.seed


@dataclass(slots=True)
class RequestOutput:
    """A prompt and its n completions."""

    prompt_token_ids: list[int]
    outputs: list[CompletionOutput]


class PromptDelta(NamedTuple):
    """What one step added to one completion of one of the prompts."""

    prompt: int
    """Index of the prompt or conversation in the list that was given."""
    delta: CompletionDelta


Params = SamplingParams | Sequence[SamplingParams] | None
"""For all prompts, for each one its own, or None for the defaults."""


class LLM:
    """A loaded model. Not for use from several threads at once, and for one batch of prompts at a time.

    `generate` and `chat` take any number of prompts; those that do not fit the KV cache together wait for
    their turn. `progress`: a bar on standard error; None shows one where that is a terminal. With `stream`
    the result is an iterator of PromptDelta as tokens come, in order for each completion; closing it early
    ends what is left. What is wrong with a prompt raises InvalidRequest, which names its index, before
    anything is computed.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        quant: Quant = "auto",
        *,
        kv_cache: KVQuant = "auto",
        memory: int | None = None,
        max_context: int | None = None,
        threads: int | None = None,
        cache: bool = True,
        speculate: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Load the checkpoint folder or GGUF file `model`, or the bundled model. See `load_engine`."""
        loaded = load_engine(
            model,
            quant=quant,
            kv_cache=kv_cache,
            memory=memory,
            max_context=max_context,
            threads=threads,
            cache=cache,
            speculate=speculate,
            progress=progress,
        )
        self.info = loaded.info
        self.budget = loaded.budget
        self._loaded: LoadedEngine | None = loaded
        self._request_ids = itertools.count()

    def close(self) -> None:
        """Give the memory back. The LLM cannot be used any more; a second call does nothing."""
        self._loaded = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @overload
    def generate(
        self,
        prompts: Prompt | Sequence[Prompt],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: Literal[False] = False,
    ) -> list[RequestOutput]: ...
    @overload
    def generate(
        self,
        prompts: Prompt | Sequence[Prompt],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: Literal[True],
    ) -> Generator[PromptDelta, None, None]: ...
    def generate(
        self,
        prompts: Prompt | Sequence[Prompt],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: bool = False,
    ) -> list[RequestOutput] | Generator[PromptDelta, None, None]:
        """Complete prompts, each plain text or a list of token ids: one output for each, in their order."""
        several = _as_prompts(prompts)
        encode = self._open().prompts.encode
        encoded = [encode(prompt) if isinstance(prompt, str) else list(prompt) for prompt in several]
        return self._run(encoded, params, progress, stream)

    @overload
    def chat(
        self,
        conversations: Conversation | Sequence[Conversation],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: Literal[False] = False,
    ) -> list[RequestOutput]: ...
    @overload
    def chat(
        self,
        conversations: Conversation | Sequence[Conversation],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: Literal[True],
    ) -> Generator[PromptDelta, None, None]: ...
    def chat(
        self,
        conversations: Conversation | Sequence[Conversation],
        params: Params = None,
        *,
        progress: bool | None = None,
        stream: bool = False,
    ) -> list[RequestOutput] | Generator[PromptDelta, None, None]:
        """Answer one conversation, a list of messages, or a list of several: one output for each, in their
        order."""
        several = _as_conversations(conversations)
        encode = self._open().prompts.encode_chat
        encoded = [_naming(index, encode, one) for index, one in enumerate(several)]
        return self._run(encoded, params, progress, stream)

    def _open(self) -> LoadedEngine:
        if self._loaded is None:
            raise EngineDead("the LLM was closed")
        return self._loaded

    def _run(
        self, prompts: list[list[int]], params: Params, progress: bool | None, stream: bool
    ) -> list[RequestOutput] | Generator[PromptDelta, None, None]:
        engine = self._open().engine
        each = _params_of_each(params, len(prompts))
        for index, (prompt, one) in enumerate(zip(prompts, each, strict=True)):
            _naming(index, _check, engine, prompt, one)
        deltas = self._deltas(engine, prompts, each, progress)
        if stream:
            return deltas
        results = [
            RequestOutput(prompt, [CompletionOutput(index) for index in range(one.n)])
            for prompt, one in zip(prompts, each, strict=True)
        ]
        for index, delta in deltas:
            results[index].outputs[delta.index].add(delta)
        return results

    def _deltas(
        self, engine: Engine, prompts: list[list[int]], each: list[SamplingParams], progress: bool | None
    ) -> Generator[PromptDelta, None, None]:
        """All prompts through the engine together. However it ends, nothing of them stays behind."""
        if engine.has_work:
            raise RuntimeError("an earlier stream of this LLM is not finished: exhaust or close() it first")
        index_of: dict[str, int] = {}
        completions = sum(params.n for params in each)
        try:
            with GenerationProgress(completions, progress) as shown:
                for index, (prompt, params) in enumerate(zip(prompts, each, strict=True)):
                    request_id = str(next(self._request_ids))
                    index_of[request_id] = index
                    engine.add_request(request_id, prompt, params)
                while engine.has_work:
                    for request_id, delta in engine.step():
                        shown.add(delta)
                        yield PromptDelta(index_of[request_id], delta)
        finally:  # also after an interrupt from the keyboard
            for request_id in index_of:
                engine.abort_request(request_id)
        engine.check_integrity()


def _check(engine: Engine, prompt: list[int], params: SamplingParams) -> None:
    """Raises InvalidRequest if the engine would refuse the prompt."""
    Request.admit("", prompt, params, vocab_size=engine.tokenizer.vocab_size, max_context=engine.max_context)


def _naming(index: int, work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of `work`; if it refuses its arguments, the error names the index of the prompt."""
    try:
        return work(*arguments)
    except InvalidRequest as error:
        raise InvalidRequest(f"prompt {index}: {error.field}", error.message, error.code) from error


def _params_of_each(params: Params, count: int) -> list[SamplingParams]:
    """The sampling parameters of each of `count` prompts."""
    if params is None or isinstance(params, SamplingParams):
        return [params or SamplingParams()] * count
    if not isinstance(params, list | tuple) or not all(isinstance(one, SamplingParams) for one in params):
        raise InvalidRequest("params", f"must be SamplingParams or a list of them, got {params!r}")
    if len(params) != count:
        raise InvalidRequest("params", f"there are {count} prompts and {len(params)} SamplingParams")
    return list(params)


def _is_token_ids(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(item) is int for item in value)


def _as_prompts(prompts: Any) -> Sequence[Prompt]:
    """A list of prompts, of which one alone, text or token ids, is a special case."""
    several = [prompts] if isinstance(prompts, str) or (prompts and _is_token_ids(prompts)) else prompts
    if not isinstance(several, list | tuple):
        raise InvalidRequest("prompts", f"must be text, token ids or a list of such, got {prompts!r}")
    for index, prompt in enumerate(several):
        if not isinstance(prompt, str) and not _is_token_ids(prompt):
            raise InvalidRequest(f"prompt {index}", f"must be text or a list of token ids, got {prompt!r}")
    return several


def _as_conversations(conversations: Any) -> Sequence[Conversation]:
    """A list of conversations, of which one alone is a special case."""
    if not isinstance(conversations, list | tuple):
        raise InvalidRequest("messages", f"must be a list of messages, got {type(conversations).__name__}")
    one = conversations and all(isinstance(item, dict) for item in conversations)
    several = [conversations] if one else conversations
    for conversation in several:
        if not isinstance(conversation, list | tuple) or not all(
            isinstance(item, dict) for item in conversation
        ):
            raise InvalidRequest("messages", f"must be a list of messages, got {conversation!r}")
    return several
