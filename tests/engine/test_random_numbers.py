from __future__ import annotations

import math

from wending.engine.random_numbers import draw_seed, uniform

GOLDEN_GAMMA = 0x9E3779B97F4A7C15


def test_is_splitmix64_read_at_a_counter() -> None:
    """The sequential generator of the paper, started from the stream's key, gives the same numbers."""

    def splitmix64(state: int) -> tuple[int, int]:
        state = (state + GOLDEN_GAMMA) % 2**64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return state, z ^ (z >> 31)

    # Published first outputs of SplitMix64 seeded with 1234567.
    state, first = splitmix64(1234567)
    _, second = splitmix64(state)
    assert (first, second) == (6457827717110365317, 3203168211198807973)

    for seed, index in ((0, 0), (42, 0), (42, 3), (2**64 - 1, 7)):
        _, key = splitmix64((seed + index * GOLDEN_GAMMA) % 2**64)
        for position in range(20):
            key, value = splitmix64(key)
            assert uniform(seed, index, position) == (value >> 11) / 2**53


def test_lies_in_the_unit_interval_and_looks_uniform() -> None:
    numbers = [uniform(7, 0, position) for position in range(10_000)]
    assert all(0.0 <= number < 1.0 for number in numbers)
    for tenth in range(10):
        count = sum(tenth / 10 <= number < (tenth + 1) / 10 for number in numbers)
        assert abs(count - 1000) < 5 * math.sqrt(900)


def test_neighbouring_seeds_completions_and_positions_differ() -> None:
    numbers = {uniform(s, i, p) for s in range(-5, 20) for i in range(20) for p in range(20)}
    assert len(numbers) == 25 * 20 * 20


def test_seed_counts_modulo_two_to_the_64() -> None:
    assert uniform(-1, 0, 0) == uniform(2**64 - 1, 0, 0)


def test_drawn_seeds_fit_a_double_and_differ() -> None:
    seeds = {draw_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**53 for seed in seeds)
