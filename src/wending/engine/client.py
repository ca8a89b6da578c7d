"""The one interface through which a service uses an engine, wherever that engine runs.

The shapes here carry everything that crosses the border. Those that come with every step of the engine are
structs, which a message between processes holds as they are (`messages.py`). Knows nothing of HTTP or JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency
from wending.model.generation_config import GenerationConfig

FinishReason = Literal["stop", "length", "error"]
"""stop: an end-of-sequence token, a stop token or a stop string. length: max_tokens or the context is used
up. error: this completion failed and no other was touched; `CompletionDelta.error` says why."""

ErrorCode = Literal[
    "deadline_exceeded",
    "grammar_too_complex",
    "internal_error",
    "non_finite_logits",
    "nothing_allowed",
    "worker_crashed",
]
"""Why a completion failed, for programs."""


class TopLogprob(NamedTuple):
    """One of the most likely tokens at a position."""

    token_id: int
    token: str
    """Its bytes as text, with U+FFFD where they are not whole characters."""
    bytes: list[int]
    """Its bytes; empty for control tokens."""
    logprob: float
    """Natural logarithm of its probability."""


class TokenLogprob(msgspec.Struct, array_like=True):
    """The log-probability of a generated token, and of the most likely tokens at its position.

    Computed from the model's raw logits over the real vocabulary, before penalties, bias, temperature and
    filters.
    """

    token_id: int
    token: str
    bytes: list[int]
    logprob: float
    top: list[TopLogprob]
    """The `SamplingParams.logprobs` most likely tokens, most likely first, on a tie the lower id first."""


class CompletionDelta(msgspec.Struct, array_like=True):
    """What one step added to one completion of a request."""

    index: int
    """Which of the request's `n` completions, from 0."""
    text: str
    """New visible text: whole characters only, without control tokens and stop strings. It may be empty while
    the start of a character or of a possible stop string is held back; the last delta brings all due."""
    token_ids: list[int]
    """The new tokens. The one that ended the completion (end of sequence, stop token) is among them."""
    logprobs: list[TokenLogprob] | None = None
    """One entry for each of `token_ids` if the request asked for log-probabilities, else None."""
    finish_reason: FinishReason | None = None
    """Set on the last delta of this completion."""
    error: str | None = None
    """What went wrong, if and only if `finish_reason` is "error"."""
    error_code: ErrorCode | None = None
    """The kind of `error`."""
    seed: int | None = None
    """The seed of this request's random numbers: the one it asked for, or the one drawn for it."""
    cached_tokens: int | None = None
    """With the first token of a completion: how many tokens of the prompt were found in the prefix cache."""
    hidden_state: bytes | None = None
    """With the first token of a completion, if the request asked for it: the model's final hidden state at
    the prompt's last token, as its output head takes it, or the mean over all its tokens: float32
    [hidden_size]."""


class EngineStats(msgspec.Struct, array_like=True):
    """A snapshot of the engine. Sequences are counted, so a request with n = 3 counts three times."""

    running: int
    """Sequences that hold KV blocks."""
    waiting: int
    """Sequences that wait for KV blocks or for their turn."""
    kv_blocks_used: int
    kv_blocks_total: int
    tokens_generated_total: int
    last_token_monotonic: float | None
    """time.monotonic() when the newest token was made; None before the first."""
    preemptions_total: int = 0
    """How many times a sequence gave up its blocks and was computed again later."""
    kv_blocks_cached: int = 0
    """KV blocks whose content the prefix cache can find again, in use or not."""
    cached_tokens_total: int = 0
    """Tokens of prompts whose keys and values were found in the prefix cache."""
    tokens_drafted_total: int = 0
    """Tokens that were guessed and computed along."""
    drafts_accepted_total: int = 0
    """Those of them that the model would have chosen itself."""
    error: str | None = None
    """Why the engine is dead, or None while it works. A dead engine never comes back by itself."""
    restarts_total: int = 0
    """How many times the engine's process died and another one was started."""
    restarting: bool = False
    """Whether the process died and the next one has not made a token yet. Requests are taken and wait."""
    last_death: str | None = None
    """What the process died of that died last."""
    cache_queries_total: int = 0
    """Tokens that were looked for in the prefix cache; `cached_tokens_total` of them were there."""


@dataclass(slots=True)
class ModelInfo:
    """What is being served."""

    name: str
    max_context: int
    """Most tokens a prompt and its completion may have together."""
    vocab_size: int
    """Real token ids are 0 to vocab_size - 1."""
    created: int
    """Unix time at which the model was loaded."""
    is_demo: bool
    """Whether this is the bundled demonstration model, which must be named as such wherever it shows."""
    precision: str
    """How the weights are kept, for example "bf16" or "int4 (GPTQ, groups of 128)"."""
    generation_config: GenerationConfig
    """The checkpoint's recommended sampling values, for information: the engine applies none of them."""
    instruction_set: str = ""
    """What the kernels in use are compiled for, for example "avx512". Another one may answer other bytes."""
    weights_from_cache: bool = False
    """Whether the quantised weights came packed from the disk. They are the same, bit for bit, either way."""
    kv_precision: str = "bf16"
    """The precision of the KV cache: "bf16", "f32" or "int8"."""
    positions: str = ""
    """The rotary positions in use, for example "YaRN x4, to 131,072". Others answer other bytes."""


class EngineClient(ABC):
    """An engine as its users see it. All methods are called from the event loop that `start` ran on."""

    info: ModelInfo

    @abstractmethod
    async def start(self) -> None:
        """Make the engine ready to take requests. Must be called once, before `generate`."""

    @abstractmethod
    async def close(self) -> None:
        """Stop the engine. Requests in flight end with EngineDead. A second call does nothing."""

    @abstractmethod
    def generate(
        self,
        prompt_token_ids: list[int],
        params: SamplingParams,
        request_id: str,
        urgency: Urgency | None = None,
    ) -> AsyncGenerator[CompletionDelta, None]:
        """Generate `params.n` completions of a prompt; iterate for their deltas.

        An engine that dies and starts again is a pause between two deltas and nothing else.

        The deltas of one completion come in order, those of several interleaved. The first one of a request
        with a constraint may be empty: it says that the constraint can be enforced. The iterator ends after
        each completion's last delta. Deltas that pile up while the consumer is busy may come merged. A slow
        consumer slows nobody else down.

        At the first iteration: InvalidRequest if the request cannot be honoured (empty prompt, ids outside
        the vocabulary, prompt longer than the context, more tokens than the KV cache could ever hold, a
        `request_id` in use), Overloaded if too much is in flight. At any iteration: EngineDead if the engine
        has stopped for good. A completion that fails alone raises nothing and ends with finish_reason
        "error".

        Closing the iterator (`aclose()`), or cancelling the task that awaits it, aborts the request and frees
        its KV blocks before the next step. A consumer that may leave its loop early must close the iterator
        (`contextlib.aclosing`).
        """

    @abstractmethod
    def encode_chat(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        continue_final_message: bool = False,
    ) -> list[int]:
        """Token ids of a conversation in the model's chat template, ready for the assistant's turn, or with
        `continue_final_message` for what follows the text of the last message within its turn.

        Control tokens inside the messages are plain text. Runs in the caller's thread; may be called from any
        thread. Raises InvalidRequest (field "messages") when the template refuses the conversation.
        """

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Token ids of plain text; control tokens in it are not parsed. May be called from any thread."""

    @abstractmethod
    def decode(self, token_ids: Sequence[int]) -> str:
        """The visible text of token ids. May be called from any thread."""

    @abstractmethod
    def stats(self) -> EngineStats:
        """The engine's present state. Cheap, never waits for the engine, works on a dead one."""
