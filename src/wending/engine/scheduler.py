"""Decides which tokens of which sequences the next step computes. Plain Python: no arrays, no text.

Continuous batching: each step is planned anew, so sequences come and go at any step. A step computes at
most `max_tokens_per_step` tokens: first one for each decoding sequence, then chunks of prompts with what is
left of the budget, so that a long prompt cannot hold up those that are decoding.

Order is first come, first served: all running sequences are older than all waiting ones. When a decoding
sequence needs a KV block and none is free, the newest running sequence is preempted: it gives up its
blocks, keeps its tokens and goes back to the head of the queue, and they are computed again later. The
oldest is thereby never held up, and since one sequence alone always fits, every sequence ends.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from wending.engine.block_manager import BlockManager
from wending.engine.sequence import Sequence, Status


class Chunk(NamedTuple):
    """Tokens `start` to `end` - 1 of a sequence, to be computed in one step."""

    sequence: Sequence
    start: int
    end: int
    needs_logits: bool
    """Whether `end` was the end of the sequence: then its last token's logits give the next token."""


class Scheduler:
    """Plans steps and owns the blocks of all sequences given to it, from `add` to `finish`."""

    def __init__(self, block_manager: BlockManager, max_tokens_per_step: int, max_running: int) -> None:
        """`max_running` sequences hold KV blocks at a time. It may not exceed the step's budget of tokens."""
        if not 1 <= max_running <= max_tokens_per_step:
            raise ValueError(
                f"max_running must be 1 to max_tokens_per_step ({max_tokens_per_step}), got {max_running}"
            )
        self.block_manager = block_manager
        self.max_tokens_per_step = max_tokens_per_step
        self.max_running = max_running
        self.running: list[Sequence] = []  # oldest first
        self.waiting: deque[Sequence] = deque()  # oldest first
        self.preemptions_total = 0

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
        sequence.status = Status.WAITING
        self.waiting.append(sequence)

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

        Whoever carries the plan out sets each sequence's `num_computed_tokens` to its chunk's `end`.
        """
        chunks = self._plan_decodes()
        budget = self._plan_prefills(chunks, self.max_tokens_per_step - len(chunks))
        self._admit(chunks, budget)
        return chunks

    def check_integrity(self) -> None:
        """RuntimeError if a block is lost or shared, or the order of arrival broken. Call it when idle."""
        arrivals = [sequence.sequence_id for sequence in [*self.running, *self.waiting]]
        if arrivals != sorted(set(arrivals)):
            raise RuntimeError(f"sequences out of order of arrival: {arrivals}")
        for sequence in self.running:
            if not sequence.num_computed_tokens <= len(sequence.block_table) * self.block_manager.block_size:
                raise RuntimeError(f"computed tokens without a block: {sequence}")
        for sequence in self.waiting:
            if sequence.block_table or sequence.num_computed_tokens:
                raise RuntimeError(f"a waiting sequence holds blocks: {sequence}")
        self.block_manager.check_integrity(sequence.block_table for sequence in self.running)

    def _plan_decodes(self) -> list[Chunk]:
        """One token for each decoding sequence; oldest first, so that no planned one is preempted."""
        chunks: list[Chunk] = []
        position = 0
        while position < len(self.running):  # preemption shortens the list from its end
            sequence = self.running[position]
            if sequence.num_uncomputed_tokens == 1 and self._grow(sequence):
                chunks.append(Chunk(sequence, sequence.num_computed_tokens, len(sequence.token_ids), True))
            position += 1
        return chunks

    def _plan_prefills(self, chunks: list[Chunk], budget: int) -> int:
        """Further chunks of running prompts, whose blocks are there. Returns what is left of the budget."""
        for sequence in self.running:
            if budget == 0:
                break
            if sequence.num_uncomputed_tokens > 1:
                budget -= self._plan_chunk(chunks, sequence, budget)
        return budget

    def _admit(self, chunks: list[Chunk], budget: int) -> None:
        """Start waiting sequences, oldest first, while budget, places and blocks last.

        A sequence starts only if the blocks for all its tokens are free and one more stays free for each
        running sequence; otherwise the next few decodes would preempt it again and its prefill would be
        lost.
        """
        while self.waiting and budget > 0 and len(self.running) < self.max_running:
            sequence = self.waiting[0]
            needed = self.block_manager.blocks_for(len(sequence.token_ids))
            if needed + len(self.running) > self.block_manager.num_free_blocks:
                break
            self.waiting.popleft()
            sequence.block_table = self.block_manager.allocate(needed)
            sequence.status = Status.RUNNING
            self.running.append(sequence)
            budget -= self._plan_chunk(chunks, sequence, budget)

    def _plan_chunk(self, chunks: list[Chunk], sequence: Sequence, budget: int) -> int:
        """Plan as many tokens of a sequence as the budget allows; returns how many."""
        start = sequence.num_computed_tokens
        end = min(len(sequence.token_ids), start + budget)
        chunks.append(Chunk(sequence, start, end, end == len(sequence.token_ids)))
        return end - start

    def _grow(self, sequence: Sequence) -> bool:
        """Give a sequence the block its newest token needs. False if, being newest, it was preempted."""
        while self.block_manager.blocks_for(len(sequence.token_ids)) > len(sequence.block_table):
            if self.block_manager.num_free_blocks:
                sequence.block_table += self.block_manager.allocate(1)
            else:
                victim = self.running.pop()
                self._preempt(victim)
                if victim is sequence:
                    return False
        return True

    def _preempt(self, sequence: Sequence) -> None:
        """Send the newest running sequence back to the head of the queue, where all are newer still."""
        self._release_blocks(sequence)
        sequence.status = Status.WAITING
        self.waiting.appendleft(sequence)
        self.preemptions_total += 1

    def _release_blocks(self, sequence: Sequence) -> None:
        self.block_manager.free(sequence.block_table)
        sequence.block_table = []
        sequence.num_computed_tokens = 0
