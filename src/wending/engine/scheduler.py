"""Decides which tokens of which sequences the next step computes. Plain Python: no arrays, no text, no clock.

Continuous batching: each step is planned anew, so sequences come and go at any step. A step computes at
most `max_tokens_per_step` tokens: first one for each decoding sequence, then chunks of prompts with what the
pacer allows, so that a long prompt cannot hold up those that are decoding. Where no prompt is left to
compute, guessed tokens (drafter.py) of the decoding sequences are computed along.

Sequences are served in order of rank: priority and arrival. What a sequence has in common with earlier ones
is taken from the prefix cache; if a running sequence is about to compute it, the other waits until it has.
When a KV block is needed and none is free, the running sequence of the last rank is preempted: it gives up
its blocks, keeps its tokens and goes back to the queue, and what the prefix cache has lost by then is
computed again later. The first in rank is thereby never held up, and since one sequence alone always fits,
every sequence ends.
"""

from __future__ import annotations

from array import array
from bisect import insort
from typing import NamedTuple

from wending.engine.block_hash import extend_block_hashes
from wending.engine.block_manager import BlockManager
from wending.engine.drafter import Drafter, Guess
from wending.engine.pacer import Pacer
from wending.engine.sequence import Sequence, Status
from wending.engine.step_costs import StepCosts

NO_DRAFT: array[int] = array("i")
MAX_DECODED_ROWS = 16
"""Rows of a step that may be guessed tokens: not more than this with the sequences' own."""


class Chunk(NamedTuple):
    """Tokens `start` to `end` - 1 of a sequence and behind them `draft`, to be computed in one step."""

    sequence: Sequence
    start: int
    end: int
    needs_logits: bool
    """Whether `end` was the end of the sequence: then its last token's logits give the next token."""
    draft: array[int] = NO_DRAFT
    """Guesses of what follows. Each gets logits too. Only behind the end of a sequence."""

    @property
    def is_decode(self) -> bool:
        """Whether it is the newest token of a sequence, or the newest few, where a grammar left no choice; as
        opposed to a piece of a prompt."""
        generated = self.start >= self.sequence.num_prompt_tokens
        return self.needs_logits and (generated or self.end - self.start == 1)


class Scheduler:
    """Plans steps and owns the blocks of all sequences given to it, from `add` to `finish`."""

    def __init__(
        self,
        block_manager: BlockManager,
        max_tokens_per_step: int,
        max_running: int,
        pacer: Pacer | None = None,
    ) -> None:
        """`max_running` sequences hold KV blocks at a time. It may not exceed the step's budget of tokens.
        `pacer`: None: chunks of prompts as long as the budget allows."""
        if not 1 <= max_running <= max_tokens_per_step:
            raise ValueError(
                f"max_running must be 1 to max_tokens_per_step ({max_tokens_per_step}), got {max_running}"
            )
        self.block_manager = block_manager
        self.max_tokens_per_step = max_tokens_per_step
        self.max_running = max_running
        self.pacer = pacer or Pacer(max_tokens_per_step)
        self.costs = StepCosts()
        self._turn = 0  # a count of the steps that might have had guesses
        self.running: list[Sequence] = []  # in order of rank, as is `waiting`
        self.waiting: list[Sequence] = []
        self.preemptions_total = 0
        self.cached_tokens_total = 0
        """Tokens whose keys and values were found in the prefix cache instead of computed."""
        self.cache_queries_total = 0
        """Tokens that were looked for there."""

    @property
    def has_work(self) -> bool:
        """Whether any sequence is not finished."""
        return bool(self.running or self.waiting)

    def add(self, sequence: Sequence) -> None:
        """Queue a new sequence. ValueError if at full length it would need more blocks than there are."""
        needed = self.block_manager.blocks_for(sequence.max_total_tokens)
        if needed > self.block_manager.num_blocks:
            raise ValueError(
                f"{sequence.max_total_tokens} tokens need {needed} KV blocks and there are only "
                f"{self.block_manager.num_blocks}"
            )
        self._queue(sequence)

    def finish(self, sequence: Sequence) -> None:
        """Let go of a sequence, wherever it stands, and free its blocks. Only between steps."""
        if sequence.status is Status.RUNNING:
            self.running.remove(sequence)
            self._release_blocks(sequence)
        elif sequence.status is Status.WAITING:
            self.waiting.remove(sequence)
        sequence.status = Status.FINISHED

    def schedule(self) -> list[Chunk]:
        """The next step's work, with KV blocks for all of it. Empty only if there is no sequence.

        Whoever carries the plan out says for each chunk how far it came, with `note_computed`.
        """
        chunks = self._plan_decodes()
        decoded = sum(chunk.end - chunk.start for chunk in chunks)
        budget = min(self.pacer.budget(decoded > 0), self.max_tokens_per_step - decoded)
        budget = self._plan_prefills(chunks, budget)
        self._admit(chunks, budget)
        if all(chunk.is_decode for chunk in chunks):
            self._add_drafts(chunks)
        return chunks

    def note_computed(self, sequence: Sequence, end: int) -> None:
        """The keys and values of a running sequence are in its blocks now, for all tokens before `end`."""
        block_size = self.block_manager.block_size
        first, blocks = sequence.num_computed_tokens // block_size, end // block_size
        extend_block_hashes(sequence.block_hashes, sequence.token_ids, block_size, blocks)
        for index in range(first, blocks):
            self.block_manager.register(sequence.block_table[index], sequence.block_hashes[index])
        sequence.num_computed_tokens = end

    def distrust(self, sequence: Sequence) -> None:
        """Have no other sequence use the blocks of this one: what it computed is unsound."""
        self.block_manager.forget(sequence.block_table)

    def check_integrity(self) -> None:
        """RuntimeError if a block is lost or miscounted, or the order broken. Call it between steps."""
        for name, sequences in (("running", self.running), ("waiting", self.waiting)):
            ranks = [sequence.rank for sequence in sequences]
            if ranks != sorted(set(ranks)):
                raise RuntimeError(f"{name} sequences out of order: {ranks}")
        for sequence in self.running:
            if not sequence.num_computed_tokens <= len(sequence.block_table) * self.block_manager.block_size:
                raise RuntimeError(f"computed tokens without a block: {sequence}")
        for sequence in self.waiting:
            if sequence.block_table or sequence.num_computed_tokens:
                raise RuntimeError(f"a waiting sequence holds blocks: {sequence}")
        self.block_manager.check_integrity(sequence.block_table for sequence in self.running)

    def _queue(self, sequence: Sequence) -> None:
        sequence.status = Status.WAITING
        insort(self.waiting, sequence, key=_rank)

    def _plan_decodes(self) -> list[Chunk]:
        """What each decoding sequence has gained by the last step, one token as a rule; in order, so that no
        planned one is preempted."""
        chunks: list[Chunk] = []
        position = 0
        room = self.max_tokens_per_step - self.max_running  # beyond one token for each
        while position < len(self.running):  # preemption shortens the list from its end
            sequence = self.running[position]
            further = sequence.num_uncomputed_tokens - 1
            if sequence.is_decoding and self._grow(sequence) and further <= room:
                chunks.append(Chunk(sequence, sequence.num_computed_tokens, len(sequence.token_ids), True))
                room -= further
            position += 1
        return chunks

    def _plan_prefills(self, chunks: list[Chunk], budget: int) -> int:
        """Chunks of what else is not computed, whose blocks are there. Returns what is left of the budget."""
        planned = {chunk.sequence.sequence_id for chunk in chunks}
        for sequence in self.running:
            if budget == 0:
                break
            if sequence.sequence_id not in planned:
                budget -= self._plan_chunk(chunks, sequence, budget)
        return budget

    def _admit(self, chunks: list[Chunk], budget: int) -> None:
        """Start waiting sequences, in order, while budget, places and blocks last."""
        while self.waiting and budget > 0:
            sequence = self.waiting[0]
            wanted = self._wanted_hashes(sequence)
            cached = self.block_manager.find(wanted)
            if self._is_being_computed(wanted, len(cached)):
                break
            while not self._has_room(sequence, cached):
                if not self.running or self.running[-1].rank < sequence.rank:
                    return
                victim = self._preempt_last()
                chunks[:] = [chunk for chunk in chunks if chunk.sequence is not victim]
                cached = self.block_manager.find(wanted)
            self.waiting.remove(sequence)
            self._start(sequence, cached)
            budget -= self._plan_chunk(chunks, sequence, budget)

    def _wanted_hashes(self, sequence: Sequence) -> list[bytes]:
        """Of the full blocks that others may have computed for a sequence: those before the last token, which
        must be computed for its logits in any case."""
        block_size = self.block_manager.block_size
        blocks = (len(sequence.token_ids) - 1) // block_size
        extend_block_hashes(sequence.block_hashes, sequence.token_ids, block_size, blocks)
        return sequence.block_hashes if sequence.uses_prefix_cache else []

    def _is_being_computed(self, wanted: list[bytes], block: int) -> bool:
        """Whether a running sequence is about to compute this block of those wanted."""
        if block == len(wanted):
            return False
        return any(
            other.num_computed_tokens <= block * self.block_manager.block_size
            and other.block_hashes[block : block + 1] == [wanted[block]]
            for other in self.running
        )

    def _has_room(self, sequence: Sequence, cached: list[int]) -> bool:
        """Whether a sequence may start: there are blocks for all its tokens, and one more stays free for each
        running sequence; otherwise the next few decodes would preempt it again and its prefill would be
        lost."""
        needed = self.block_manager.blocks_for(len(sequence.token_ids)) - len(cached)
        free = self.block_manager.num_free_blocks - self.block_manager.num_idle(cached)
        return len(self.running) < self.max_running and needed + len(self.running) <= free

    def _start(self, sequence: Sequence, cached: list[int]) -> None:
        manager = self.block_manager
        manager.share(cached)
        needed = manager.blocks_for(len(sequence.token_ids)) - len(cached)
        sequence.block_table = [*cached, *manager.allocate(needed)]
        sequence.num_computed_tokens = len(cached) * manager.block_size
        self.cached_tokens_total += sequence.num_computed_tokens
        if sequence.uses_prefix_cache:
            self.cache_queries_total += len(sequence.token_ids)
        if sequence.num_cached_tokens is None:
            sequence.num_cached_tokens = sequence.num_computed_tokens
        sequence.status = Status.RUNNING
        insort(self.running, sequence, key=_rank)

    def _plan_chunk(self, chunks: list[Chunk], sequence: Sequence, budget: int) -> int:
        """Plan as many tokens of a sequence as the budget allows; returns how many."""
        start = sequence.num_computed_tokens
        end = min(len(sequence.token_ids), start + budget)
        chunks.append(Chunk(sequence, start, end, end == len(sequence.token_ids)))
        return end - start

    def _add_drafts(self, chunks: list[Chunk]) -> None:
        """Guess tokens of decoding sequences, as many as promise to pay and as rows and free blocks allow."""
        rows = sum(chunk.end - chunk.start for chunk in chunks)
        most = min(MAX_DECODED_ROWS, self.max_tokens_per_step) - rows
        if most < 1:
            return
        self._turn += 1
        guesses: list[tuple[int, Drafter, Guess]] = []
        for index, (sequence, *_) in enumerate(chunks):
            room = min(most, sequence.max_total_tokens - len(sequence.token_ids) - 1)
            if sequence.drafter is None or room < 1:
                continue
            guess = sequence.drafter.guess(sequence.token_ids, room, self._turn)
            if guess is not None:
                guesses.append((index, sequence.drafter, guess))
        if not guesses:
            return
        sizes = [(len(guess.token_ids), guess.acceptance) for _, _, guess in guesses]
        lengths = self.costs.worthwhile(sizes, rows, most)
        rows = most - sum(lengths)
        for (index, drafter, guess), length in zip(guesses, lengths, strict=True):
            drafter.use(guess, worthwhile=length > 0)
            if length == 0 and rows > 0:
                length, rows = 1, rows - 1
            self._draft(chunks, index, guess.token_ids[:length])

    def _draft(self, chunks: list[Chunk], index: int, draft: array[int]) -> None:
        """Add guessed tokens to a chunk, unless somebody would have to give up blocks for them."""
        sequence = chunks[index].sequence
        needed = self.block_manager.blocks_for(len(sequence.token_ids) + len(draft))
        missing = max(needed - len(sequence.block_table), 0)
        if missing <= self.block_manager.num_free_blocks:
            sequence.block_table += self.block_manager.allocate(missing)
            chunks[index] = chunks[index]._replace(draft=draft)

    def _grow(self, sequence: Sequence) -> bool:
        """Give a sequence the block its newest token needs. False if, being last, it was preempted."""
        while self.block_manager.blocks_for(len(sequence.token_ids)) > len(sequence.block_table):
            if self.block_manager.num_free_blocks:
                sequence.block_table += self.block_manager.allocate(1)
            elif self._preempt_last() is sequence:
                return False
        return True

    def _preempt_last(self) -> Sequence:
        """Send the running sequence of the last rank back to the queue."""
        victim = self.running.pop()
        self._release_blocks(victim)
        self._queue(victim)
        self.preemptions_total += 1
        return victim

    def _release_blocks(self, sequence: Sequence) -> None:
        self.block_manager.release(sequence.block_table)
        sequence.block_table = []
        sequence.num_computed_tokens = 0


def _rank(sequence: Sequence) -> tuple[float, int]:
    return sequence.rank
