from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wending.engine.block_manager import BlockManager
from wending.engine.drafter import Drafter
from wending.engine.pacer import Pacer
from wending.engine.scheduler import Chunk, Scheduler
from wending.engine.sequence import Sequence, Status

_ids = itertools.count()


def scheduler(
    num_blocks: int = 16, block_size: int = 4, max_tokens_per_step: int = 16, max_running: int = 8
) -> Scheduler:
    return Scheduler(BlockManager(num_blocks, block_size), max_tokens_per_step, max_running)


def sequence(prompt: int, completion: int = 4, rank: float = 0.0, token: int | None = None) -> Sequence:
    """A new sequence whose prompt is this token again and again; None: one that no other sequence has."""
    number = next(_ids)
    tokens = [number + 100 if token is None else token] * prompt
    return Sequence(number, tokens, prompt + completion, rank, Drafter())


def carry_out(chunks: list[Chunk], plan: Scheduler) -> None:
    """What the engine does after a forward pass, with token 2 as each sample and no guess that comes true."""
    for chunk in chunks:
        plan.note_computed(chunk.sequence, chunk.end)
        if chunk.needs_logits:
            chunk.sequence.token_ids.append(2)
            if len(chunk.sequence.token_ids) == chunk.sequence.max_total_tokens:
                plan.finish(chunk.sequence)


def sizes(chunks: list[Chunk]) -> list[int]:
    return [chunk.end - chunk.start for chunk in chunks]


def test_a_long_prompt_is_computed_in_chunks_of_the_budget() -> None:
    plan = scheduler()
    plan.add(sequence(40))
    seen = []
    for _ in range(3):
        chunks = plan.schedule()
        seen.append((chunks[0].start, chunks[0].end, chunks[0].needs_logits))
        carry_out(chunks, plan)
    assert seen == [(0, 16, False), (16, 32, False), (32, 40, True)]


def test_decodes_come_before_prefills() -> None:
    plan = scheduler()
    first, second = sequence(4), sequence(30)
    plan.add(first)
    carry_out(plan.schedule(), plan)
    plan.add(second)
    chunks = plan.schedule()
    assert [chunk.sequence for chunk in chunks] == [first, second]
    assert sizes(chunks) == [1, 15]


def test_several_prompts_share_a_step() -> None:
    plan = scheduler()
    for length in (5, 6, 9):
        plan.add(sequence(length))
    assert sizes(plan.schedule()) == [5, 6, 5]


def test_at_most_max_running_hold_blocks() -> None:
    plan = scheduler(max_running=2)
    for _ in range(3):
        plan.add(sequence(2))
    assert len(plan.schedule()) == 2
    assert (len(plan.running), len(plan.waiting)) == (2, 1)


def test_nobody_overtakes_one_that_waits_for_blocks() -> None:
    plan = scheduler(num_blocks=8)
    running, large, small = sequence(16), sequence(24), sequence(1)
    plan.add(running)
    plan.schedule()
    plan.add(large)
    plan.add(small)
    carry_out(plan.schedule(), plan)
    assert list(plan.waiting) == [large, small]


def test_nobody_starts_whom_the_next_decodes_would_preempt() -> None:
    plan = scheduler(num_blocks=4)
    plan.add(sequence(8))
    carry_out(plan.schedule(), plan)
    late = sequence(8)
    plan.add(late)
    assert plan.block_manager.num_free_blocks == 2
    while plan.has_work:
        carry_out(plan.schedule(), plan)
    assert plan.preemptions_total == 0
    assert late.status is Status.FINISHED


def test_the_newest_is_preempted_keeps_its_tokens_and_is_computed_again() -> None:
    plan = scheduler(num_blocks=6)
    old, new = sequence(8, 12), sequence(8, 12)
    plan.add(old)
    plan.add(new)
    while not plan.preemptions_total:
        carry_out(plan.schedule(), plan)
    assert list(plan.waiting) == [new]
    assert new.block_table == []
    assert new.num_computed_tokens == 0
    assert new.num_completion_tokens > 0
    tokens_kept = list(new.token_ids)
    while new.status is not Status.RUNNING:
        carry_out(plan.schedule(), plan)
    assert old.status is Status.FINISHED
    assert list(new.token_ids[: len(tokens_kept)]) == tokens_kept
    while plan.has_work:
        carry_out(plan.schedule(), plan)
    plan.check_integrity()


def test_refuses_what_can_never_fit_with_its_numbers() -> None:
    plan = scheduler(num_blocks=4)
    with pytest.raises(ValueError, match="17 tokens need 5 KV blocks and there are only 4"):
        plan.add(sequence(13, 4))
    assert not plan.has_work


def test_refuses_more_running_than_the_budget_serves() -> None:
    with pytest.raises(ValueError, match="max_running must be 1 to max_tokens_per_step"):
        scheduler(max_tokens_per_step=4, max_running=5)


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert scheduler().schedule() == []


def test_integrity_notices_a_lost_block_and_a_broken_order() -> None:
    plan = scheduler()
    one, two = sequence(4), sequence(4)
    plan.add(one)
    plan.add(two)
    plan.schedule()
    plan.running.reverse()
    with pytest.raises(RuntimeError, match="out of order"):
        plan.check_integrity()
    plan.running.reverse()
    one.block_table.pop()
    with pytest.raises(RuntimeError, match="has 1 references and is in 0 block tables"):
        plan.check_integrity()


def shared(length: int) -> Sequence:
    return sequence(length, token=7)


def test_what_is_cached_is_not_computed_again() -> None:
    plan = scheduler()
    first = shared(10)
    plan.add(first)
    carry_out(plan.schedule(), plan)
    plan.add(shared(14))
    (_, chunk) = plan.schedule()
    assert (chunk.start, chunk.end) == (8, 14)
    assert chunk.sequence.block_table[:2] == first.block_table[:2]
    assert plan.cached_tokens_total == 8
    plan.check_integrity()


def test_the_last_token_of_a_prompt_is_computed_for_its_logits_even_if_all_is_cached() -> None:
    plan = scheduler()
    for _ in range(2):
        plan.add(shared(8))
        chunks = plan.schedule()
        carry_out(chunks, plan)
    assert (chunks[-1].start, chunks[-1].end, chunks[-1].needs_logits) == (4, 8, True)


def test_one_computes_what_several_begin_with_and_the_others_wait_for_it() -> None:
    plan = scheduler(num_blocks=32)
    for _ in range(3):
        plan.add(shared(30))
    computed = []
    while len(plan.running) < 3:
        chunks = plan.schedule()
        computed.append(sizes(chunks))
        carry_out(chunks, plan)
    assert computed == [[16], [14], [1, 2, 2]]


def test_the_answer_of_a_finished_sequence_stays_cached() -> None:
    plan = scheduler()
    old = sequence(6, 6)
    plan.add(old)
    while plan.has_work:
        carry_out(plan.schedule(), plan)
    following = Sequence(next(_ids), [*old.token_ids, 9, 9], 20)
    plan.add(following)
    (chunk,) = plan.schedule()
    assert chunk.start == 8


def test_a_preempted_sequence_computes_only_what_the_cache_has_lost() -> None:
    plan = scheduler(num_blocks=7)
    old, new = sequence(8, 12), sequence(8, 12)
    plan.add(old)
    plan.add(new)
    while not plan.preemptions_total:
        carry_out(plan.schedule(), plan)
    while new.status is not Status.RUNNING:
        chunks = plan.schedule()
        carry_out(chunks, plan)
    assert plan.cached_tokens_total > 0
    plan.check_integrity()


def test_distrusted_blocks_are_computed_again() -> None:
    plan = scheduler()
    bad = shared(10)
    plan.add(bad)
    carry_out(plan.schedule(), plan)
    plan.distrust(bad)
    plan.finish(bad)
    plan.add(shared(10))
    (chunk,) = plan.schedule()
    assert (chunk.start, chunk.end) == (0, 10)


def test_the_lower_rank_goes_first() -> None:
    plan = scheduler(max_running=1)
    plan.add(sequence(2, rank=5.0))
    carry_out(plan.schedule(), plan)
    later, urgent = sequence(2, rank=7.0), sequence(2, rank=6.0)
    plan.add(later)
    plan.add(urgent)
    assert plan.waiting == [urgent, later]


def test_an_urgent_sequence_takes_the_place_of_the_last_that_runs() -> None:
    plan = scheduler(max_running=2)
    first, second, urgent = sequence(2, 9, rank=5.0), sequence(2, 9, rank=6.0), sequence(2, rank=1.0)
    plan.add(first)
    plan.add(second)
    carry_out(plan.schedule(), plan)
    plan.add(urgent)
    chunks = plan.schedule()
    assert {chunk.sequence for chunk in chunks} == {first, urgent}
    assert plan.running == [urgent, first]
    assert plan.waiting == [second]
    plan.check_integrity()


def test_the_pacer_limits_prompts_and_never_decodes() -> None:
    pacer = Pacer(16, gap_s=1.0)
    plan = Scheduler(BlockManager(32, 4), 16, 8, pacer)
    decoding = [sequence(1) for _ in range(3)]
    for one in decoding:
        plan.add(one)
    carry_out(plan.schedule(), plan)
    pacer.note(True, 16, 8.0)
    plan.add(sequence(40))
    assert sizes(plan.schedule()) == [1, 1, 1, 13]
    pacer.note(True, 16, 100.0)
    assert pacer.budget(True) == 16


def repeating(plan: Scheduler, completion: int = 30) -> Sequence:
    """A sequence that is decoding and whose text repeats itself."""
    one = Sequence(next(_ids), [1, 2, 3, 4, 5, 6, 1, 2], 8 + completion, drafter=Drafter())
    plan.add(one)
    plan.note_computed(one, plan.schedule()[0].end)
    one.token_ids.append(3)
    plan.costs.note(1, 1.0)
    return one


def test_guesses_are_computed_behind_the_newest_token() -> None:
    plan = scheduler()
    one = repeating(plan)
    (chunk,) = plan.schedule()
    assert (chunk.start, chunk.end, list(chunk.draft)) == (8, 9, [4, 5, 6, 1, 2, 3])
    assert len(one.block_table) * 4 >= 9 + 6


def test_nothing_is_guessed_beyond_the_end_of_a_sequence() -> None:
    plan = scheduler()
    repeating(plan, completion=3)
    (chunk,) = plan.schedule()
    assert list(chunk.draft) == [4]


def test_nothing_is_guessed_beside_a_prompt() -> None:
    plan = scheduler()
    repeating(plan)
    plan.add(sequence(4))
    assert [len(chunk.draft) for chunk in plan.schedule()] == [0, 0]


def test_nobody_is_preempted_for_a_guess() -> None:
    plan = scheduler(num_blocks=4)
    repeating(plan, completion=8)
    plan.block_manager.allocate(1)
    (chunk,) = plan.schedule()
    assert len(chunk.draft) == 0
    assert plan.preemptions_total == 0


class SchedulerMachine(RuleBasedStateMachine):
    """Any order of arrivals, ranks, steps, ends and hang-ups, on a pool so small that preemption is common.
    Many prompts begin alike."""

    NUM_BLOCKS, BLOCK_SIZE, BUDGET, MAX_RUNNING = 10, 2, 7, 5

    def __init__(self) -> None:
        super().__init__()
        self.plan = scheduler(self.NUM_BLOCKS, self.BLOCK_SIZE, self.BUDGET, self.MAX_RUNNING)
        self.alive: list[Sequence] = []

    @rule(
        prompt=st.integers(1, 12),
        completion=st.integers(1, 8),
        rank=st.integers(0, 3),
        token=st.sampled_from([1, 2, None]),
    )
    def add(self, prompt: int, completion: int, rank: int, token: int | None) -> None:
        new = sequence(prompt, completion, rank, token)
        self.plan.add(new)
        self.alive.append(new)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.alive))
        if data.draw(st.booleans()):
            self.plan.distrust(gone)
        self.plan.finish(gone)
        self.alive.remove(gone)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        waiting_before = list(self.plan.waiting)
        chunks = self.plan.schedule()
        assert chunks, "work is left and nothing was planned"
        assert sum(sizes(chunks)) <= self.BUDGET
        assert all(not chunk.draft or chunk.is_decode for chunk in chunks)
        assert len({chunk.sequence.sequence_id for chunk in chunks}) == len(chunks)
        for chunk in chunks:
            self.check_chunk(chunk)
        started = [one for one in waiting_before if one.status is Status.RUNNING]
        assert started == waiting_before[: len(started)], "somebody overtook"
        for chunk in chunks:
            self.plan.note_computed(chunk.sequence, chunk.end)
            if chunk.needs_logits:
                accepted = data.draw(st.integers(0, len(chunk.draft))) if chunk.draft else 0
                for count, token in enumerate(chunk.draft[:accepted], 1):
                    chunk.sequence.token_ids.append(token)
                    self.plan.note_computed(chunk.sequence, chunk.end + count)
                self.extend(chunk.sequence, ends_early=data.draw(st.integers(0, 9)) == 0)

    def check_chunk(self, chunk: Chunk) -> None:
        one = chunk.sequence
        assert one.status is Status.RUNNING
        assert chunk.start == one.num_computed_tokens < chunk.end <= len(one.token_ids)
        assert chunk.needs_logits == (chunk.end == len(one.token_ids))
        end = chunk.end + len(chunk.draft)
        assert end < one.max_total_tokens or not chunk.draft
        assert len(one.block_table) * self.BLOCK_SIZE >= end

    def extend(self, one: Sequence, ends_early: bool) -> None:
        one.token_ids.append(3)
        if ends_early or len(one.token_ids) == one.max_total_tokens:
            self.plan.finish(one)
            self.alive.remove(one)

    @invariant()
    def blocks_add_up(self) -> None:
        manager = self.plan.block_manager
        assert manager.num_free_blocks + manager.num_used_blocks == self.NUM_BLOCKS
        assert manager.num_used_blocks == len({block for one in self.alive for block in one.block_table})
        self.plan.check_integrity()

    @invariant()
    def everybody_alive_is_known(self) -> None:
        known = [*self.plan.running, *self.plan.waiting]
        assert sorted(one.sequence_id for one in known) == sorted(one.sequence_id for one in self.alive)
        assert self.plan.has_work == bool(self.alive)

    def teardown(self) -> None:
        """Whatever happened before: every admitted sequence ends, and then all blocks are free."""
        work_left = sum(len(one.token_ids) + one.max_total_tokens for one in self.alive)
        for _ in range(50 * work_left + 1):
            if not self.alive:
                break
            for chunk in self.plan.schedule():
                self.plan.note_computed(chunk.sequence, chunk.end)
                if chunk.needs_logits:
                    self.extend(chunk.sequence, ends_early=False)
        assert not self.alive, "a sequence never ended"
        self.plan.check_integrity()
        assert self.plan.block_manager.num_free_blocks == self.NUM_BLOCKS


TestSchedulerMachine = SchedulerMachine.TestCase
TestSchedulerMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
