"""Makes tokens: plans a step, runs the model, samples, and says what each completion gained.

Single-threaded and synchronous; whoever owns it calls `step` while there is work. Knows no event loop and
no HTTP.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import time
from collections.abc import Callable
from collections.abc import Sequence as Sequence_
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wending.engine.batching import build_batch
from wending.engine.block_manager import BlockManager
from wending.engine.client import CompletionDelta, EngineStats
from wending.engine.completion import Completion
from wending.engine.drafter import Drafter
from wending.engine.errors import InvalidRequest
from wending.engine.pacer import Pacer
from wending.engine.progress import Progress
from wending.engine.request import Request
from wending.engine.sampler import NonFiniteLogits, NothingAllowed, Sample, sample_rows
from wending.engine.sampling_params import SamplingParams
from wending.engine.scheduler import Chunk, Scheduler
from wending.engine.sequence import Sequence
from wending.engine.token_mask import mask_without
from wending.engine.urgency import Urgency

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
        speculate: bool = True,
        pacer: Pacer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`cache` holds `num_blocks` blocks of `block_size` tokens: at least `max_context` in all.

        `speculate`: whether tokens are guessed where that saves time. `pacer`: None: steps take as long as
        they take. `clock` tells seconds, for deadlines, order of arrival and how long steps take.
        """
        if num_blocks * block_size < max_context:
            raise ValueError(
                f"{num_blocks} KV blocks of {block_size} tokens cannot hold a context of {max_context}"
            )
        self.model = model
        self.cache = cache
        self.tokenizer = tokenizer
        self.max_context = max_context
        self.speculate = speculate
        self.scheduler = Scheduler(
            BlockManager(num_blocks, block_size), max_tokens_per_step, max_running, pacer
        )
        self.on_step: Callable[[list[str]], None] | None = None
        """Told the ids of the requests in a step after it is planned and before it is computed."""
        self.on_logits: Callable[[str, int, int, NDArray[np.float32]], None] | None = None
        """Told the logits that each token is chosen from: request, completion, position in it, and the row,
        which is only valid during the call."""
        self._clock = clock
        self.eos_token_ids = eos_token_ids
        self._requests: dict[str, list[Completion]] = {}  # unfinished completions of each request
        self._completions: dict[int, Completion] = {}  # by sequence id
        self._deadlines: list[tuple[float, int]] = []  # a heap of times and sequence ids
        self._sequence_ids = itertools.count()
        self._tokens_generated_total = self._tokens_drafted_total = self._drafts_accepted_total = 0
        self._last_token_monotonic: float | None = None

    @property
    def has_work(self) -> bool:
        """Whether any request is unfinished."""
        return self.scheduler.has_work

    def add_request(
        self,
        request_id: str,
        prompt_token_ids: Sequence_[int],
        params: SamplingParams,
        urgency: Urgency | None = None,
        progress: Sequence_[Progress] = (),
        waited_s: float = 0.0,
    ) -> Request:
        """Admit a request, to be served by later steps. InvalidRequest if it cannot be: nothing changes.

        `progress`: what each of its completions had when an engine before this one ended. They go on from
        there with the bytes that would have followed, if `params` has the seed that was in use. `waited_s`:
        how many seconds ago the request arrived, which counts for its rank.
        """
        if request_id in self._requests:
            raise InvalidRequest("request_id", f"{request_id!r} is in use by an unfinished request")
        request = Request.admit(
            request_id,
            prompt_token_ids,
            params,
            vocab_size=self.tokenizer.vocab_size,
            max_context=self.max_context,
        )
        if len(progress) not in (0, params.n):
            raise InvalidRequest("progress", f"is of {len(progress)} completions; there are {params.n}")
        reached = progress or [Progress()] * params.n
        now, urgency = self._clock(), urgency or Urgency()
        rank = urgency.rank(now - waited_s)
        completions = [
            self._new_completion(request, index, rank, one.token_ids)
            for index, one in enumerate(reached)
            if not one.finished
        ]
        if not completions:
            return request
        self._requests[request_id] = completions
        for completion in completions:
            sequence = completion.sequence
            self._completions[sequence.sequence_id] = completion
            self.scheduler.add(sequence)
            if urgency.deadline_s is not None:
                heapq.heappush(self._deadlines, (now + urgency.deadline_s, sequence.sequence_id))
        return request

    def abort_request(self, request_id: str) -> None:
        """Drop a request and free its blocks. An unknown one is ignored: it may just have finished."""
        for completion in list(self._requests.get(request_id, ())):
            self._finish(completion)

    def step(self) -> list[Output]:
        """Compute one step for the sequences whose turn it is. Returns what was gained, in order of rank.

        An exception out of this method means a broken engine; the fault of one request never raises.
        """
        outputs = self._end_overdue()
        chunks = self.scheduler.schedule()
        if not chunks:
            return outputs
        if self.on_step is not None:
            self.on_step(self._ids_of(chunks))
        start = self._clock()
        batch = build_batch(chunks, self.scheduler.block_manager.block_size)
        logits = self.model.forward(batch, self.cache)
        outputs += self._postprocess(chunks, logits)
        self._note_time(chunks, self._clock() - start)
        return outputs

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
            kv_blocks_cached=blocks.num_cached_blocks,
            cached_tokens_total=self.scheduler.cached_tokens_total,
            cache_queries_total=self.scheduler.cache_queries_total,
            tokens_drafted_total=self._tokens_drafted_total,
            drafts_accepted_total=self._drafts_accepted_total,
        )

    def check_integrity(self) -> None:
        """RuntimeError if the books do not balance. For whoever drives the engine, when there is no work."""
        self.scheduler.check_integrity()
        unfinished = len(self.scheduler.running) + len(self.scheduler.waiting)
        if len(self._completions) != unfinished or sum(map(len, self._requests.values())) != unfinished:
            raise RuntimeError(f"{unfinished} unfinished sequences, but {len(self._completions)} completions")

    def _new_completion(
        self, request: Request, index: int, rank: float, token_ids: Sequence_[int]
    ) -> Completion:
        sequence = Sequence(
            next(self._sequence_ids),
            request.prompt_token_ids,
            request.max_total_tokens,
            rank,
            Drafter() if self.speculate else None,
        )
        completion = Completion(request, index, sequence, self.tokenizer, self.eos_token_ids)
        completion.replay(token_ids)
        return completion

    def _ids_of(self, chunks: Sequence_[Chunk]) -> list[str]:
        """The requests in a step, each once."""
        completions = (self._completions[chunk.sequence.sequence_id] for chunk in chunks)
        return list(dict.fromkeys(completion.request.request_id for completion in completions))

    def _end_overdue(self) -> list[Output]:
        """End what is not complete at its deadline."""
        outputs: list[Output] = []
        while self._deadlines and self._deadlines[0][0] <= self._clock():
            _, sequence_id = heapq.heappop(self._deadlines)
            completion = self._completions.get(sequence_id)
            if completion is not None:  # else it was complete in time
                generated = completion.sequence.num_completion_tokens
                message = f"the deadline has passed, after {generated} generated tokens"
                outputs.append((completion.request.request_id, completion.fail("deadline_exceeded", message)))
                self._finish(completion)
        return outputs

    def _postprocess(self, chunks: Sequence_[Chunk], logits: NDArray[np.float32]) -> list[Output]:
        """Note what has been computed and extend the sequences that were computed to their end.

        A round gives each of them one token. Where that is the token that was guessed, the logits behind the
        guess are those of the next token, and the sequence takes part in another round.
        """
        for chunk in chunks:
            self.scheduler.note_computed(chunk.sequence, chunk.end)
        asking = [chunk for chunk in chunks if chunk.needs_logits]
        rows = itertools.accumulate((1 + len(chunk.draft) for chunk in asking), initial=0)
        going_on = list(zip(asking, rows, strict=False))  # each with its first row of logits
        self._note_hidden_states(going_on)
        outputs: list[Output] = []
        depth = 0
        while going_on:
            samples = self._sample(logits, going_on, depth)
            going_on = [
                pair
                for pair, sample in zip(going_on, samples, strict=True)
                if self._extend(pair[0], depth, sample, outputs)
            ]
            depth += 1
        return outputs

    def _note_hidden_states(self, pairs: Sequence_[tuple[Chunk, int]]) -> None:
        """Keep those that were asked for, before another pass overwrites them."""
        completions = [(self._completions[chunk.sequence.sequence_id], row) for chunk, row in pairs]
        wanting = [pair for pair in completions if pair[0].wants_hidden_state]
        if wanting:
            hidden_states = self.model.last_hidden_states()
            for completion, row in wanting:
                completion.hidden_state = hidden_states[row].tobytes()

    def _sample(
        self, logits: NDArray[np.float32], pairs: Sequence_[tuple[Chunk, int]], depth: int
    ) -> list[Sample | NonFiniteLogits | NothingAllowed]:
        """The next token of each chunk's sequence, from the row at `depth` behind its first one."""
        completions = [self._completions[chunk.sequence.sequence_id] for chunk, _ in pairs]
        rows = [row + depth for _, row in pairs]
        if len(rows) != len(logits):
            logits = logits[rows[0] : rows[0] + 1] if len(rows) == 1 else logits[rows]
        if self.on_logits is not None:
            for completion, row in zip(completions, logits, strict=True):
                position = completion.sequence.num_completion_tokens
                self.on_logits(completion.request.request_id, completion.index, position, row)
        return sample_rows(
            logits,
            [completion.sampler for completion in completions],
            [completion.sequence.num_completion_tokens for completion in completions],
            self.tokenizer.vocab_size,
            mask_without(
                [completion.forbidden_token_ids for completion in completions], self.tokenizer.vocab_size
            ),
        )

    def _extend(
        self,
        chunk: Chunk,
        depth: int,
        sample: Sample | NonFiniteLogits | NothingAllowed,
        outputs: list[Output],
    ) -> bool:
        """Append a token to a sequence, as the one behind `depth` guesses that came true. Returns whether the
        next guess has come true as well, and so the next row of logits counts."""
        sequence = chunk.sequence
        completion = self._completions[sequence.sequence_id]
        delta = self._delta(completion, sample)
        came_true = depth < len(chunk.draft) and delta.token_ids == [chunk.draft[depth]]
        if came_true:
            self.scheduler.note_computed(sequence, chunk.end + depth + 1)
        outputs.append((completion.request.request_id, delta))
        if delta.finish_reason is not None:
            self._finish(completion)
        goes_on = came_true and delta.finish_reason is None
        if not goes_on and chunk.draft and sequence.drafter is not None:
            sequence.drafter.note(len(chunk.draft), depth + came_true)
            self._tokens_drafted_total += len(chunk.draft)
            self._drafts_accepted_total += depth + came_true
        return goes_on

    def _delta(
        self, completion: Completion, sample: Sample | NonFiniteLogits | NothingAllowed
    ) -> CompletionDelta:
        """What a sampled token adds. Whatever goes wrong here ends this completion and no other."""
        if isinstance(sample, NonFiniteLogits):
            self.scheduler.distrust(completion.sequence)
            return completion.fail("non_finite_logits", str(sample))
        if isinstance(sample, NothingAllowed):
            return completion.fail("nothing_allowed", str(sample))
        try:
            delta = completion.append(sample)
        except Exception as error:
            _log.exception(
                "request %s, completion %d failed", completion.request.request_id, completion.index
            )
            return completion.fail("internal_error", f"{type(error).__name__}: {error}")
        self._tokens_generated_total += 1
        self._last_token_monotonic = time.monotonic()
        return delta

    def _note_time(self, chunks: Sequence_[Chunk], seconds: float) -> None:
        """Let pacer and speculation learn from how long a step took."""
        decodes = [chunk for chunk in chunks if chunk.is_decode]
        prefilled = sum(chunk.end - chunk.start for chunk in chunks if not chunk.is_decode)
        if prefilled:
            self.scheduler.pacer.note(bool(decodes), prefilled, seconds)
        else:
            self.scheduler.costs.note(sum(1 + len(chunk.draft) for chunk in decodes), seconds)

    def _finish(self, completion: Completion) -> None:
        """Forget a completion and free its blocks."""
        request_id = completion.request.request_id
        self.scheduler.finish(completion.sequence)
        del self._completions[completion.sequence.sequence_id]
        self._requests[request_id].remove(completion)
        if not self._requests[request_id]:
            del self._requests[request_id]
