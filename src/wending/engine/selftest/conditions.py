"""What a request may meet, each as a way to run requests that must change nothing.

A condition says whether what it is about has really happened: a run without a preemption shows nothing about
preemption.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wending.engine.selftest.mixed_requests import MixedRequest
from wending.engine.selftest.record import Records
from wending.engine.selftest.rig import Rig, Run, Tick
from wending.model.threads import threads_in_use, use_threads


class ReferenceFailed(RuntimeError):  # noqa: N818 - what failed is the reference, not the comparison
    """A request ends with an error even alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out under a condition."""

    records: Records
    happened: int
    """How often what the condition is about has happened; 0: it shows nothing."""
    logits: bool = True
    """Whether the records have the logits."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A way to run requests."""

    english: str
    chinese: str
    run: Callable[[Rig, Sequence[MixedRequest], random.Random, Tick], Outcome]
    for_all: bool = False
    """Whether all requests go through it, or a part of them."""


def alone(rig: Rig, requests: Sequence[MixedRequest], tick: Tick) -> Records:
    """The reference: each completion in an engine that has nothing else to do and nothing in its cache, its
    prompt in the largest chunks, token by token. ReferenceFailed if one fails: there is nothing to compare
    with."""
    run = Run(requests, tick)
    for number, index in run.records:
        engine = rig.engine(num_blocks=rig.blocks_of_one, speculate=False)
        run.add(engine, number, only=index)
        run.all_through(engine, [])
    for (number, _), record in run.records.items():
        if record.error is not None:
            raise ReferenceFailed(f"request {number} fails even alone: {record.error}")
    return run.records


def _everything(rig: Rig, requests: Sequence[MixedRequest], chance: random.Random, tick: Tick) -> Outcome:
    run = Run(requests, tick)
    engine = rig.engine(num_blocks=3 * rig.blocks_of_one, max_tokens_per_step=96)
    run.through_disturbance(engine, chance)
    return Outcome(run.records, run.shared_steps)


def _crowd(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    run = Run(requests, tick)
    run.all_through(rig.engine(speculate=False))
    return Outcome(run.records, run.shared_steps)


def _chunks(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    """Prompts a few tokens at a time: of several sizes, each for a share of the requests."""
    run = Run(requests, tick)
    sizes = (5, 16, 33)
    happened = 0
    for share, size in enumerate(sizes):
        numbers = [one.number for one in requests[share :: len(sizes)]]
        happened += sum(len(run.requests[number].prompt_token_ids) > size for number in numbers)
        run.all_through(rig.engine(max_tokens_per_step=size, max_running=4, speculate=False), numbers)
    return Outcome(run.records, happened)


def _warm(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    """Everything a second time, so that all prompts are found in the prefix cache."""
    engine = rig.engine(num_blocks=len(requests) * rig.blocks_of_one, speculate=False)
    Run(requests, lambda: None).all_through(engine)
    before = engine.stats().cached_tokens_total
    run = Run(requests, tick)
    run.all_through(engine)
    return Outcome(run.records, engine.stats().cached_tokens_total - before)


def _preempted(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    """Each is more urgent than those before it, so that it takes a place and blocks from one that has begun;
    the cache has hardly more room than one request needs, so that what was computed is lost."""
    run = Run(requests, tick)
    engine = rig.engine(num_blocks=rig.blocks_of_one + 1, max_running=2, speculate=False)
    for place, number in enumerate(run.requests):
        run.add(engine, number, priority=-place)
        for _ in range(2):
            run.step(engine)
    run.all_through(engine, [])
    return Outcome(run.records, engine.stats().preemptions_total)


def _threads(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    before = threads_in_use()
    use_threads(1 if before > 1 else 2)
    try:
        run = Run(requests, tick)
        run.all_through(rig.engine(speculate=False))
        return Outcome(run.records, abs(threads_in_use() - before))
    finally:
        use_threads(before)


def _speculation(rig: Rig, requests: Sequence[MixedRequest], _chance: random.Random, tick: Tick) -> Outcome:
    run = Run(requests, tick)
    engine = rig.engine()
    for request in requests:
        run.all_through(engine, [request.number])
    return Outcome(run.records, engine.stats().drafts_accepted_total)


def _resumed(rig: Rig, requests: Sequence[MixedRequest], chance: random.Random, tick: Tick) -> Outcome:
    """Engines that end after a few steps, and the next goes on with what was delivered."""
    run = Run(requests, tick)
    unfinished = set(run.requests)
    ends = 0
    while unfinished:
        engine = rig.engine(num_blocks=4 * rig.blocks_of_one)
        for number in sorted(unfinished):
            run.add(engine, number)
        for _ in range(chance.randrange(3, 20)):
            run.step(engine)
        unfinished = {number for number, _ in run.records if not _is_complete(run, number)}
        ends += bool(unfinished)
    return Outcome(run.records, ends)


def _is_complete(run: Run, number: int) -> bool:
    count = run.requests[number].params.n
    return all(run.records[number, index].finish_reason is not None for index in range(count))


CONDITIONS = (
    Condition("everything at once", "全部干扰同时出现", _everything, for_all=True),
    Condition("in a crowd", "并发", _crowd),
    Condition("small chunks of prompt", "提示分小块", _chunks),
    Condition("prefix cache warm", "前缀缓存命中", _warm),
    Condition("preempted", "被抢占", _preempted),
    Condition("another number of threads", "不同线程数", _threads),
    Condition("tokens guessed", "推测解码", _speculation),
    Condition("engine ended, another goes on", "引擎终止后由另一个接续", _resumed),
)
