"""One of the n completions of a request: takes tokens one by one, says what they add and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from typing import TYPE_CHECKING

from wending.engine.client import CompletionDelta, ErrorCode, FinishReason, TokenLogprob, TopLogprob
from wending.engine.detokenizer import Detokenizer
from wending.engine.hidden_state_mean import HiddenStateMean
from wending.engine.request import Request
from wending.engine.sampler import Sample, Sampler
from wending.engine.sampling_params import Pooling
from wending.engine.sequence import Sequence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wending.engine.grammar.guide import Guide
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
        new_guide: Callable[[], Guide] | None = None,
    ) -> None:
        """`new_guide` makes the Guide of a constrained request, at its beginning."""
        params = request.params
        self.request = request
        self.index = index
        self.sequence = sequence
        self.hidden_state: NDArray[np.float32] | None = None
        """To be reported with the first token, if the request asks for it."""
        self.hidden_state_mean = HiddenStateMean()
        self._sampler: Sampler | None = None
        self._tokenizer = tokenizer
        self._detokenizer = Detokenizer(params.stop)
        ends_at_eos = not params.ignore_eos or params.constraint is not None
        self._end_token_ids = frozenset(params.stop_token_ids) | (
            eos_token_ids if ends_at_eos else frozenset()
        )
        self._new_guide = new_guide
        self._guide: Guide | None = None

    def wants_hidden_state(self, pooling: Pooling) -> bool:
        """Whether `hidden_state` is due with the next token, and is this one."""
        return self.request.params.hidden_state == pooling and self.sequence.num_completion_tokens == 0

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

    @property
    def is_constrained(self) -> bool:
        """Whether it keeps to a grammar."""
        return self._new_guide is not None

    def fill_allowed(self, allowed: NDArray[np.uint32]) -> None:
        """See Guide.fill, for one that is constrained. Raises GrammarBroken."""
        if self._guide is None and self._new_guide is not None:  # made when first needed, as the sampler is
            guide = self._new_guide()
            guide.replay(self.sequence.token_ids[self.sequence.num_prompt_tokens :])
            self._guide = guide
            if self.sequence.drafter is not None:
                self.sequence.drafter.num_allowed = guide.num_allowed
        if self._guide is not None:
            self._guide.fill(allowed)

    def replay(self, token_ids: Sequence_[int]) -> None:
        """Put it in the state in which it had generated these tokens, none of which ended it."""
        for token_id in token_ids:
            self._detokenizer.add(self._tokenizer.token_bytes(token_id), self.may_end)
            self.sequence.token_ids.append(token_id)

    def append(self, sample: Sample) -> CompletionDelta:
        """Add a sampled token, and what must follow it, to the sequence; returns what the answer gains."""
        taken, finish_reason = self._taken(sample.token_id)
        is_first = self.sequence.num_completion_tokens == 0
        hidden_state, self.hidden_state = self.hidden_state, None
        text = ""
        said: list[int] = []
        for token_id in taken:
            may_end = self.may_end
            said.append(token_id)
            self.sampler.observe(token_id)
            self.sequence.token_ids.append(token_id)
            if token_id in self._end_token_ids:
                break
            text += self._detokenizer.add(self._tokenizer.token_bytes(token_id), may_end)
            if self._detokenizer.stopped:
                finish_reason = "stop"
                break
        if finish_reason is None and len(self.sequence.token_ids) >= self.sequence.max_total_tokens:
            finish_reason = "length"
        if finish_reason is not None:
            text += self._detokenizer.finish()
        return CompletionDelta(
            index=self.index,
            text=text,
            token_ids=said,
            logprobs=self._logprobs(sample, said),
            finish_reason=finish_reason,
            seed=self.request.seed,
            cached_tokens=self.sequence.num_cached_tokens if is_first else None,
            hidden_state=None if hidden_state is None else hidden_state.tobytes(),
        )

    def _taken(self, token_id: int) -> tuple[list[int], FinishReason | None]:
        """The tokens that a sampled one adds, and whether the answer ends with them."""
        if token_id in self._end_token_ids:
            return [token_id], "stop"
        if self._guide is None:
            return [token_id], None
        taken = self._guide.take(token_id)
        if self._guide.complete:
            return taken, "length" if self._guide.cut else "stop"
        return taken, None

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

    def _logprobs(self, sample: Sample, said: Sequence_[int]) -> list[TokenLogprob] | None:
        """Of each token said. One that was not chosen because no other was possible is certain."""
        if self.request.params.logprobs is None:
            return None
        return [
            self._token_logprob(sample, sample.logprob)
            if place == 0 and token_id == sample.token_id and sample.logprob is not None
            else TokenLogprob(token_id, *self._token_text(token_id), 0.0, [])
            for place, token_id in enumerate(said)
        ]

    def _token_logprob(self, sample: Sample, logprob: float) -> TokenLogprob:
        text, octets = self._token_text(sample.token_id)
        top = [TopLogprob(token_id, *self._token_text(token_id), value) for token_id, value in sample.top]
        return TokenLogprob(sample.token_id, text, octets, logprob, top)

    def _token_text(self, token_id: int) -> tuple[str, list[int]]:
        """A token alone as text and as bytes."""
        octets = self._tokenizer.token_bytes(token_id)
        return octets.decode("utf-8", "replace"), list(octets)
