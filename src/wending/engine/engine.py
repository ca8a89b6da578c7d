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
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wending.engine.batching import build_batch
from wending.engine.block_manager import BlockManager
from wending.engine.client import CompletionDelta, EngineStats
from wending.engine.completion import Completion
from wending.engine.constraint import Constraint
from wending.engine.drafter import Drafter
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.errors import GrammarBroken
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
    from wending.engine.grammar.grammar import Grammar, Grammars
    from wending.model.kv_cache import KVCache
    from wending.model.model import Model
    from wending.model.tokenizer import Tokenizer

_log = logging.getLogger(__name__)

Output = tuple[str, CompletionDelta]
"""A request's id and what one of its completions gained."""


NoSample = NonFiniteLogits | NothingAllowed | GrammarBroken
"""Why a completion has no next token."""


class Turn(NamedTuple):
    """A sequence that is to get a token."""

    chunk: Chunk
    row: int
    """The row of logits that it is chosen from."""
    depth: int
    """How many of the chunk's guesses have come true before it."""


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

    @cached_property
    def grammars(self) -> Grammars:
        """Compiles constraints. Made with the first one: importing llguidance takes 80 ms."""
        from wending.engine.grammar.grammar import Grammars

        return Grammars(self.tokenizer, self.eos_token_ids)

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
        grammar = None if params.constraint is None else self._grammar_of(request, params.constraint)
        reached = progress or [Progress()] * params.n
        now, urgency = self._clock(), urgency or Urgency()
        rank = urgency.rank(now - waited_s)
        completions = [
            self._new_completion(request, index, rank, one.token_ids, grammar)
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

    def _grammar_of(self, request: Request, constraint: Constraint) -> Grammar:
        """Raises InvalidRequest if a constraint cannot be enforced, or not in the request's tokens."""
        grammar = self.grammars.get(constraint)
        left, needed = request.max_total_tokens - len(request.prompt_token_ids), len(grammar.ending)
        if left < needed:
            raise InvalidRequest(
                "max_tokens",
                f"leaves room for {left} tokens, and the shortest answer found that keeps to "
                f"{constraint.field!r} has {needed}",
                code="max_tokens_too_small",
            )
        return grammar

    def _new_completion(
        self,
        request: Request,
        index: int,
        rank: float,
        token_ids: Sequence_[int],
        grammar: Grammar | None,
    ) -> Completion:
        sequence = Sequence(
            next(self._sequence_ids),
            request.prompt_token_ids,
            request.max_total_tokens,
            rank,
            Drafter() if self.speculate else None,
            uses_prefix_cache=request.params.hidden_state != "mean",
        )
        new_guide = None
        if grammar is not None:
            from wending.engine.grammar.guide import Guide

            left = request.max_total_tokens - len(request.prompt_token_ids)
            new_guide = partial(Guide, grammar, self.grammars, left)
        completion = Completion(request, index, sequence, self.tokenizer, self.eos_token_ids, new_guide)
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

        A round gives each of them one token, and what must follow it. Where these are the tokens that were
        guessed, the logits behind them are those of the next token, and the sequence takes part in another
        round.
        """
        for chunk in chunks:
            self.scheduler.note_computed(chunk.sequence, chunk.end)
        asking = [chunk for chunk in chunks if chunk.needs_logits]
        rows = itertools.accumulate((1 + len(chunk.draft) for chunk in asking), initial=0)
        turns = [Turn(chunk, row, 0) for chunk, row in zip(asking, rows, strict=False)]
        self._note_hidden_states(turns)
        self._add_to_means(chunks)
        outputs: list[Output] = []
        while turns:
            samples = self._sample(logits, turns)
            extended = (
                self._extend(turn, sample, outputs) for turn, sample in zip(turns, samples, strict=True)
            )
            turns = [turn for turn in extended if turn is not None]
        return outputs

    def _note_hidden_states(self, turns: Sequence_[Turn]) -> None:
        """Keep those that were asked for, before another pass overwrites them."""
        completions = [(self._completions[turn.chunk.sequence.sequence_id], turn.row) for turn in turns]
        wanting = [pair for pair in completions if pair[0].wants_hidden_state("last")]
        if wanting:
            hidden_states = self.model.last_hidden_states()
            for completion, row in wanting:
                completion.hidden_state = hidden_states[row]

    def _add_to_means(self, chunks: Sequence_[Chunk]) -> None:
        """The same for means, which every token of a prompt counts for."""
        completions = [self._completions[chunk.sequence.sequence_id] for chunk in chunks]
        if not any(completion.wants_hidden_state("mean") for completion in completions):
            return
        hidden_states = self.model.hidden_states()
        row = 0
        for chunk, completion in zip(chunks, completions, strict=True):
            length = chunk.end - chunk.start
            if completion.wants_hidden_state("mean"):
                completion.hidden_state_mean.add(chunk.start, hidden_states[row : row + length])
                if chunk.needs_logits:
                    completion.hidden_state = completion.hidden_state_mean.value()
            row += length + len(chunk.draft)

    def _sample(self, logits: NDArray[np.float32], turns: Sequence_[Turn]) -> list[Sample | NoSample]:
        """The next token of each sequence whose turn it is."""
        completions = [self._completions[turn.chunk.sequence.sequence_id] for turn in turns]
        rows = [turn.row for turn in turns]
        if len(rows) != len(logits):
            logits = logits[rows[0] : rows[0] + 1] if len(rows) == 1 else logits[rows]
        if self.on_logits is not None:
            for completion, row in zip(completions, logits, strict=True):
                position = completion.sequence.num_completion_tokens
                self.on_logits(completion.request.request_id, completion.index, position, row)
        allowed, broken = self._allowed(completions)
        samples = sample_rows(
            logits,
            [completion.sampler for completion in completions],
            [completion.sequence.num_completion_tokens for completion in completions],
            self.tokenizer.vocab_size,
            allowed,
        )
        return [broken.get(place, sample) for place, sample in enumerate(samples)]

    def _allowed(
        self, completions: Sequence_[Completion]
    ) -> tuple[NDArray[np.uint32] | None, dict[int, GrammarBroken]]:
        """The tokens that each may choose, as `sample_rows` takes them, None for all; and the rows of those
        whose grammar can say no more."""
        constrained = [row for row, completion in enumerate(completions) if completion.is_constrained]
        forbidden = [completion.forbidden_token_ids for completion in completions]
        if not constrained and not any(forbidden):
            return None, {}
        allowed = mask_without(forbidden, self.tokenizer.vocab_size)
        broken = {}
        for row in constrained:
            try:
                completions[row].fill_allowed(allowed[row])
            except GrammarBroken as error:
                broken[row] = error
        return allowed, broken

    def _extend(self, turn: Turn, sample: Sample | NoSample, outputs: list[Output]) -> Turn | None:
        """Append a token, and what must follow it, to a sequence. Returns its next turn in this step, if its
        guesses have come true so far, and so a further row of logits counts."""
        chunk, row, depth = turn
        sequence = chunk.sequence
        completion = self._completions[sequence.sequence_id]
        delta = self._delta(completion, sample)
        came_true = _num_equal(chunk.draft[depth:], delta.token_ids)
        if came_true:
            self.scheduler.note_computed(sequence, chunk.end + depth + came_true)
        outputs.append((completion.request.request_id, delta))
        if delta.finish_reason is not None:
            self._finish(completion)
        goes_on = came_true == len(delta.token_ids) > 0 and delta.finish_reason is None
        if not goes_on and chunk.draft and sequence.drafter is not None:
            sequence.drafter.note(len(chunk.draft), depth + came_true)
            self._tokens_drafted_total += len(chunk.draft)
            self._drafts_accepted_total += depth + came_true
        return Turn(chunk, row + came_true, depth + came_true) if goes_on else None

    def _delta(self, completion: Completion, sample: Sample | NoSample) -> CompletionDelta:
        """What a sampled token adds. Whatever goes wrong here ends this completion and no other."""
        if isinstance(sample, NonFiniteLogits):
            self.scheduler.distrust(completion.sequence)
            return completion.fail("non_finite_logits", str(sample))
        if completion.hidden_state is not None and not np.isfinite(completion.hidden_state).all():
            self.scheduler.distrust(completion.sequence)
            return completion.fail("non_finite_logits", "the model produced non-finite hidden states")
        if isinstance(sample, NothingAllowed):
            return completion.fail("nothing_allowed", str(sample))
        if isinstance(sample, GrammarBroken):
            return completion.fail("grammar_too_complex", str(sample))
        try:
            delta = completion.append(sample)
        except GrammarBroken as error:
            return completion.fail("grammar_too_complex", str(error))
        except Exception as error:
            _log.exception(
                "request %s, completion %d failed", completion.request.request_id, completion.index
            )
            return completion.fail("internal_error", f"{type(error).__name__}: {error}")
        self._tokens_generated_total += len(delta.token_ids)
        self._last_token_monotonic = time.monotonic()
        return delta

    def _note_time(self, chunks: Sequence_[Chunk], seconds: float) -> None:
        """Let pacer and speculation learn from how long a step took."""
        decodes = [chunk for chunk in chunks if chunk.is_decode]
        prefilled = sum(chunk.end - chunk.start for chunk in chunks if not chunk.is_decode)
        if prefilled:
            self.scheduler.pacer.note(bool(decodes), prefilled, seconds)
        else:
            rows = sum(chunk.end - chunk.start + len(chunk.draft) for chunk in decodes)
            self.scheduler.costs.note(rows, seconds)

    def _finish(self, completion: Completion) -> None:
        """Forget a completion and free its blocks."""
        request_id = completion.request.request_id
        self.scheduler.finish(completion.sequence)
        del self._completions[completion.sequence.sequence_id]
        self._requests[request_id].remove(completion)
        if not self._requests[request_id]:
            del self._requests[request_id]


def _num_equal(guessed: Sequence_[int], said: Sequence_[int]) -> int:
    """How many tokens two runs have in common from their beginning."""
    return next(
        (place for place, pair in enumerate(zip(guessed, said, strict=False)) if pair[0] != pair[1]),
        min(len(guessed), len(said)),
    )
