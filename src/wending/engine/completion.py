"""One of the n completions of a request: takes tokens one by one, says what they add and when it ends."""

from __future__ import annotations

from collections.abc import Sequence as Sequence_
from typing import TYPE_CHECKING

from wending.engine.client import CompletionDelta, ErrorCode, FinishReason, TokenLogprob, TopLogprob
from wending.engine.detokenizer import Detokenizer
from wending.engine.request import Request
from wending.engine.sampler import Sample, Sampler
from wending.engine.sequence import Sequence

if TYPE_CHECKING:
    from wending.model.tokenizer import Tokenizer


class Completion:
    """The state of a completion beyond what the scheduler knows of its sequence."""

    def __init__(
        self,
        request: Request,
        index: int,
        sequence: Sequence,
        tokenizer: Tokenizer,
        eos_token_ids: frozenset[int],
    ) -> None:
        params = request.params
        self.request = request
        self.index = index
        self.sequence = sequence
        self.hidden_state: bytes | None = None
        """To be reported with the first token, if the request asks for it."""
        self._sampler: Sampler | None = None
        self._tokenizer = tokenizer
        self._detokenizer = Detokenizer(params.stop)
        self._end_token_ids = frozenset(params.stop_token_ids) | (
            frozenset() if params.ignore_eos else eos_token_ids
        )

    @property
    def wants_hidden_state(self) -> bool:
        """Whether `hidden_state` is due with the next token."""
        return self.request.params.hidden_state and self.sequence.num_completion_tokens == 0

    @property
    def may_end(self) -> bool:
        """Whether the next token may be one that ends it."""
        return self.sequence.num_completion_tokens >= self.request.params.min_tokens

    @property
    def forbidden_token_ids(self) -> frozenset[int]:
        """What the next token must not be."""
        return frozenset() if self.may_end else self._end_token_ids

    @property
    def sampler(self) -> Sampler:
        """Made when it is first needed: it may hold the prompt, and thousands of requests may wait."""
        if self._sampler is None:
            request = self.request
            self._sampler = Sampler(request.params, request.seed, self.index, request.prompt_token_ids)
            for token_id in self.sequence.token_ids[self.sequence.num_prompt_tokens :]:
                self._sampler.observe(token_id)
        return self._sampler

    def replay(self, token_ids: Sequence_[int]) -> None:
        """Put it in the state in which it had generated these tokens, none of which ended it."""
        for token_id in token_ids:
            self._detokenizer.add(self._tokenizer.token_bytes(token_id), self.may_end)
            self.sequence.token_ids.append(token_id)

    def append(self, sample: Sample) -> CompletionDelta:
        """Add a sampled token to the sequence; returns what it adds to the answer."""
        token_id = sample.token_id
        may_end, is_first = self.may_end, self.sequence.num_completion_tokens == 0
        self.sampler.observe(token_id)
        self.sequence.token_ids.append(token_id)
        finish_reason: FinishReason | None = None
        if token_id in self._end_token_ids:
            text, finish_reason = "", "stop"
        else:
            text = self._detokenizer.add(self._tokenizer.token_bytes(token_id), may_end)
            if self._detokenizer.stopped:
                finish_reason = "stop"
            elif len(self.sequence.token_ids) >= self.sequence.max_total_tokens:
                finish_reason = "length"
        if finish_reason is not None:
            text += self._detokenizer.finish()
        return CompletionDelta(
            index=self.index,
            text=text,
            token_ids=[token_id],
            logprobs=None if sample.logprob is None else [self._token_logprob(sample, sample.logprob)],
            finish_reason=finish_reason,
            seed=self.request.seed,
            cached_tokens=self.sequence.num_cached_tokens if is_first else None,
            hidden_state=self.hidden_state if is_first else None,
        )

    def fail(self, code: ErrorCode, message: str) -> CompletionDelta:
        """The last delta of a completion that cannot go on."""
        return CompletionDelta(
            index=self.index,
            text=self._detokenizer.finish(),
            token_ids=[],
            logprobs=None if self.request.params.logprobs is None else [],
            finish_reason="error",
            error=message,
            error_code=code,
            seed=self.request.seed,
        )

    def _token_logprob(self, sample: Sample, logprob: float) -> TokenLogprob:
        text, octets = self._token_text(sample.token_id)
        top = [TopLogprob(token_id, *self._token_text(token_id), value) for token_id, value in sample.top]
        return TokenLogprob(sample.token_id, text, octets, logprob, top)

    def _token_text(self, token_id: int) -> tuple[str, list[int]]:
        """A token alone as text and as bytes."""
        octets = self._tokenizer.token_bytes(token_id)
        return octets.decode("utf-8", "replace"), list(octets)
