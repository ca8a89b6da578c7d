from __future__ import annotations

import random

import pytest

from wending.serve.oldest_turns import oldest_turns


@pytest.mark.parametrize(
    ("sizes", "besides", "limit", "step", "turns", "since"),
    [
        ([10, 10, 10], 0, 29, 1, 1, 2),  # one too many: the first turn goes, since the last one came
        ([10, 10, 10], 0, 29, 10, 1, 2),
        ([10, 10, 10], 0, 19, 10, 2, 2),  # eleven too many are twenty
        ([10, 10, 10], 5, 34, 10, 1, 2),
        ([10] * 8, 0, 45, 20, 4, 6),  # 35 too many are 40, and more than 20 they were at turn 6
        ([10] * 7, 0, 45, 20, 4, 6),
        ([10] * 6, 0, 45, 20, 2, 4),  # before it, at turn 4
        ([5, 100], 0, 20, 10, 1, 1),  # the last one stays, however long
        ([50, 5, 5], 0, 30, 10, 1, 1),  # what is dropped is never where the prompt begins
        ([1], 50, 20, 10, 0, 0),
    ],
)
def test_examples(sizes: list[int], besides: int, limit: int, step: int, turns: int, since: int) -> None:
    assert oldest_turns(sizes, besides + sum(sizes), limit, step) == (turns, since)


@pytest.mark.parametrize("seed", range(50))
def test_what_is_left_fits_and_changes_seldom(seed: int) -> None:
    """A conversation that grows by a turn at a time, without the last answer while it is asked for."""
    numbers = random.Random(seed)
    step, besides = 100, numbers.randrange(50)
    limit = besides + numbers.randrange(500, 900)
    turns = [(numbers.randrange(5, 30), numbers.randrange(5, 40)) for _ in range(200)]
    seen = []
    for last in range(len(turns)):
        sizes = [*(sum(turn) for turn in turns[:last]), turns[last][0]]
        if besides + sum(sizes) > limit:
            dropped, since = oldest_turns(sizes, besides + sum(sizes), limit, step)
            left = besides + sum(sizes[dropped:])
            assert limit - step - 70 < left <= limit
            assert dropped <= since <= last
            seen.append((dropped, since))
    assert seen == sorted(seen)
    assert len(set(seen)) <= len(seen) / 1.5
    newest = [since == last for last, (_, since) in enumerate(seen, len(turns) - len(seen))]
    assert any(newest)
