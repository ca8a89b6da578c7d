"""Makes tokens: plans a step, runs the model, samples, and says what each completion gained.

Single-threaded and synchronous; whoever owns it calls `step` while there is work. Knows no event loop and
no HTTP.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Sequence as Sequence_
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wending.engine.batching import build_batch
from wending.engine.block_manager import BlockManager
from wending.engine.client import CompletionDelta, EngineStats
from wending.engine.completion import Completion
from wending.engine.errors import InvalidRequest
from wending.engine.request import Request
from wending.engine.sampler import NonFiniteLogits, NothingAllowed, Sample, sample_rows
from wending.engine.sampling_params import SamplingParams
from wending.engine.scheduler import Chunk, Scheduler
from wending.engine.sequence import Sequence

if TYPE_CHECKING:
    from wending.model.kv_cache import KVCache
    from wending.model.model import Model
    from wending.model.tokenizer import Tokenizer

_log = logging.getLogger(__name__)

Output = tuple[str, CompletionDelta]
"""A request's id and what one of its completions gained."""


class Engine:
    """A model, its KV cache, and the requests in flight."""

    def __init__(
        self,
        model: Model,
        cache: KVCache,
        tokenizer: Tokenizer,
        *,
        eos_token_ids: frozenset[int],
        max_context: int,
        num_blocks: int,
        block_size: int,
        max_tokens_per_step: int,
        max_running: int,
    ) -> None:
        """`cache` holds `num_blocks` blocks of `block_size` tokens: at least `max_context` in all."""
        if num_blocks * block_size < max_context:
            raise ValueError(
                f"{num_blocks} KV blocks of {block_size} tokens cannot hold a context of {max_context}"
            )
        self.model = model
        self.cache = cache
        self.tokenizer = tokenizer
        self.max_context = max_context
        self.scheduler = Scheduler(BlockManager(num_blocks, block_size), max_tokens_per_step, max_running)
        self._eos_token_ids = eos_token_ids
        self._requests: dict[str, list[Completion]] = {}  # unfinished completions of each request
        self._completions: dict[int, Completion] = {}  # by sequence id
        self._sequence_ids = itertools.count()
        self._tokens_generated_total = 0
        self._last_token_monotonic: float | None = None

    @property
    def has_work(self) -> bool:
        """Whether any request is unfinished."""
        return self.scheduler.has_work

    def add_request(self, request_id: str, prompt_token_ids: list[int], params: SamplingParams) -> Request:
        """Admit a request, to be served by later steps. InvalidRequest if it cannot be: nothing changes."""
        if request_id in self._requests:
            raise InvalidRequest("request_id", f"{request_id!r} is in use by an unfinished request")
        request = Request.admit(
            request_id,
            prompt_token_ids,
            params,
            vocab_size=self.tokenizer.vocab_size,
            max_context=self.max_context,
        )
        completions = [self._new_completion(request, index) for index in range(params.n)]
        self._requests[request_id] = completions
        for completion in completions:
            self._completions[completion.sequence.sequence_id] = completion
            self.scheduler.add(completion.sequence)
        return request

    def abort_request(self, request_id: str) -> None:
        """Drop a request and free its blocks. An unknown one is ignored: it may just have finished."""
        for completion in list(self._requests.get(request_id, ())):
            self._finish(completion)

    def step(self) -> list[Output]:
        """Compute one step for the sequences whose turn it is. Returns what was gained, in order of arrival.

        An exception out of this method means a broken engine; the fault of one request never raises.
        """
        chunks = self.scheduler.schedule()
        if not chunks:
            return []
        batch = build_batch(chunks, self.scheduler.block_manager.block_size)
        logits = self.model.forward(batch, self.cache)
        return self._postprocess(chunks, logits)

    def stats(self) -> EngineStats:
        """Counts at this moment. May be called from another thread."""
        blocks = self.scheduler.block_manager
        return EngineStats(
            running=len(self.scheduler.running),
            waiting=len(self.scheduler.waiting),
            kv_blocks_used=blocks.num_used_blocks,
            kv_blocks_total=blocks.num_blocks,
            tokens_generated_total=self._tokens_generated_total,
            last_token_monotonic=self._last_token_monotonic,
            preemptions_total=self.scheduler.preemptions_total,
        )

    def check_integrity(self) -> None:
        """RuntimeError if the books do not balance. For whoever drives the engine, when there is no work."""
        self.scheduler.check_integrity()
        unfinished = len(self.scheduler.running) + len(self.scheduler.waiting)
        if len(self._completions) != unfinished or sum(map(len, self._requests.values())) != unfinished:
            raise RuntimeError(f"{unfinished} unfinished sequences, but {len(self._completions)} completions")

    def _new_completion(self, request: Request, index: int) -> Completion:
        sequence = Sequence(next(self._sequence_ids), request.prompt_token_ids, request.max_total_tokens)
        return Completion(request, index, sequence, self.tokenizer, self._eos_token_ids)

    def _postprocess(self, chunks: Sequence_[Chunk], logits: NDArray[np.float32]) -> list[Output]:
        """Note what has been computed and extend the sequences that were computed to their end."""
        for chunk in chunks:
            chunk.sequence.num_computed_tokens = chunk.end
        completions = [
            self._completions[chunk.sequence.sequence_id] for chunk in chunks if chunk.needs_logits
        ]
        samples = sample_rows(
            logits,
            [completion.sampler for completion in completions],
            [completion.sequence.num_completion_tokens for completion in completions],
            self.tokenizer.vocab_size,
        )
        outputs: list[Output] = []
        for completion, sample in zip(completions, samples, strict=True):
            delta = self._extend(completion, sample)
            if delta.finish_reason is not None:
                self._finish(completion)
            outputs.append((completion.request.request_id, delta))
        return outputs

    def _extend(
        self, completion: Completion, sample: Sample | NonFiniteLogits | NothingAllowed
    ) -> CompletionDelta:
        """Append one token. Whatever goes wrong here ends this completion and no other."""
        if not isinstance(sample, Sample):
            return completion.fail(str(sample))
        try:
            delta = completion.append(sample)
        except Exception as error:
            _log.exception(
                "request %s, completion %d failed", completion.request.request_id, completion.index
            )
            return completion.fail(f"{type(error).__name__}: {error}")
        self._tokens_generated_total += 1
        self._last_token_monotonic = time.monotonic()
        return delta

    def _finish(self, completion: Completion) -> None:
        """Forget a completion and free its blocks."""
        request_id = completion.request.request_id
        self.scheduler.finish(completion.sequence)
        del self._completions[completion.sequence.sequence_id]
        self._requests[request_id].remove(completion)
        if not self._requests[request_id]:
            del self._requests[request_id]
