"""Rotary positions, the paged cache and attention over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.kernels.arrays import Floats, as_stored, buffer_of, int32, normal, relative_error
from tests.random_checkpoint import from_bfloat16, to_bfloat16

from wending import _kernels

Doubles = NDArray[np.float64]
PRECISIONS = ["bfloat16", "float32", "int8"]


def as_cached(values: Floats, precision: str) -> Doubles:
    """What the cache keeps of heads [..., head_dim]: in int8 at most 32 channels share a BF16 scale."""
    if precision != "int8":
        return as_stored(values, precision)
    kept = np.empty(values.shape)
    for first in range(0, values.shape[-1], 32):
        part = values[..., first : first + 32]
        largest = np.abs(part).max(axis=-1, keepdims=True) / np.float32(127)
        scale = from_bfloat16(to_bfloat16(largest)).reshape(largest.shape)
        inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > 0)
        kept[..., first : first + 32] = np.clip(np.rint(part * inverse), -127, 127) * scale.astype(np.float64)
    return kept


@dataclass
class Sequence:
    """A sequence in a cache whose other blocks and later positions hold NaN, so that reading them shows."""

    heads: int
    kv_heads: int
    head_dim: int
    precision: str
    block_size: int = 16
    length: int = 150

    def __post_init__(self) -> None:
        self.own_blocks = -(-self.length // self.block_size)
        self.cache = _kernels.KeyValueCache(
            1, 2 * self.own_blocks, self.block_size, self.kv_heads, self.head_dim, self.precision
        )
        self.table = np.random.default_rng(5).permutation(2 * self.own_blocks)[: self.own_blocks]
        self.qkv = normal(1, self.length, (self.heads + 2 * self.kv_heads) * self.head_dim)
        poison = np.full((2 * self.own_blocks * self.block_size, self.qkv.shape[1]), np.nan, np.float32)
        slots = np.arange(len(poison), dtype=np.int32)
        rows = np.zeros(len(poison), np.int32)
        everything = _kernels.Batch(
            self.cache, rows, rows, slots, rows, np.zeros((1, self.own_blocks), np.int32), int32()
        )
        self.write(everything, poison)

    def batch(self, positions: NDArray[np.int64]) -> _kernels.Batch:
        slots = self.table[positions // self.block_size] * self.block_size + positions % self.block_size
        ids = np.zeros(len(positions), np.int32)
        table = self.table[None].astype(np.int32)
        return _kernels.Batch(
            self.cache, ids, positions.astype(np.int32), slots.astype(np.int32), ids, table, int32()
        )

    def write(self, batch: _kernels.Batch, qkv: Floats) -> None:
        """Puts keys and values into the cache without turning them."""
        half = self.head_dim // 2
        cosine = buffer_of(np.ones((len(qkv), half), np.float32))
        sine = buffer_of(np.zeros((len(qkv), half), np.float32))
        _kernels.rope_and_cache(buffer_of(qkv), cosine, sine, batch, self.cache, 0)

    def attend(self, first: int, end: int, written: bool = False) -> Floats:
        """Attention of the positions from `first` to `end`, as one batch."""
        positions = np.arange(first, end)
        batch = self.batch(positions)
        if not written:
            self.write(batch, self.qkv[first:end])
        out = _kernels.Buffer(self.heads * self.head_dim)
        _kernels.attention(buffer_of(self.qkv[first:end]), batch, self.cache, 0, out)
        return out.numpy().copy()

    @property
    def in_pairs(self) -> bool:
        """Are queries and weights rounded to BF16, to be multiplied pair by pair?"""
        return self.precision == "bfloat16" and _kernels.instruction_set() == "avx512_bf16"

    @property
    def tolerance(self) -> float:
        """Of the largest output. A rounded weight is off by up to 1/512."""
        return 2e-3 if self.in_pairs else 2e-6

    def expected(self) -> Doubles:
        """Plain causal attention in float64 over the keys and values as the cache keeps them."""
        heads, kv_heads, size = self.heads, self.kv_heads, self.head_dim
        query = self.qkv[:, : heads * size].reshape(-1, heads, size).astype(np.float64)
        if self.in_pairs:
            scaled = (query * np.float32(1 / np.sqrt(size))).astype(np.float32)
            query = as_stored(scaled, "bfloat16") * np.sqrt(size)
        stored = as_cached(self.qkv[:, heads * size :].reshape(self.length, -1, size), self.precision)
        key, value = np.split(stored, 2, axis=1)
        out = np.zeros((self.length, heads, size))
        for head in range(heads):
            kv_head = head // (heads // kv_heads)
            scores = query[:, head] @ key[:, kv_head].T / np.sqrt(size)
            scores[np.triu_indices(self.length, 1)] = -np.inf
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[:, head] = weights / weights.sum(axis=1, keepdims=True) @ value[:, kv_head]
        return out.reshape(self.length, -1)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("heads", "kv_heads", "head_dim", "block_size"),
    [(1, 1, 16, 16), (4, 4, 64, 32), (7, 1, 48, 48), (6, 1, 128, 16), (14, 2, 64, 64), (11, 1, 256, 16)],
)
def test_attention_equals_float64(
    heads: int, kv_heads: int, head_dim: int, block_size: int, precision: str
) -> None:
    sequence = Sequence(heads, kv_heads, head_dim, precision, block_size)
    assert relative_error(sequence.attend(0, sequence.length), sequence.expected()) < sequence.tolerance


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_token_does_not_depend_on_chunks_or_threads(precision: str, threads: None) -> None:
    _kernels.set_threads(1)
    whole = Sequence(14, 2, 64, precision).attend(0, 150)
    for count in (1, 2, 3):
        _kernels.set_threads(count)
        for chunk in (1, 17, 64, 100):
            sequence = Sequence(14, 2, 64, precision)
            parts = [
                sequence.attend(first, min(first + chunk, 150)) for first in range(0, sequence.length, chunk)
            ]
            assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_long_contexts_in_segments(precision: str, threads: None) -> None:
    """More than two segments of 512 keys, all in one task or shared by threads."""
    sequence = Sequence(7, 1, 64, precision, length=1100)
    _kernels.set_threads(1)
    whole = sequence.attend(0, 1100)
    assert relative_error(whole, sequence.expected()) < sequence.tolerance
    for count in (1, 2, 5):
        _kernels.set_threads(count)
        for first, end in [(0, 1100), (500, 530), (1000, 1013), (1020, 1040), (1023, 1024), (1099, 1100)]:
            assert np.array_equal(sequence.attend(first, end, written=True), whole[first:end])


@pytest.mark.parametrize("heads", [1, 5, 8, 9, 20])
def test_groups_of_any_size(heads: int) -> None:
    sequence = Sequence(heads, 1, 32, "bfloat16", length=100)
    whole = sequence.attend(0, 100)
    assert relative_error(whole, sequence.expected()) < sequence.tolerance
    for position in (0, 15, 16, 62, 63, 64, 99):
        assert np.array_equal(sequence.attend(position, position + 1, written=True)[0], whole[position])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sequences_of_a_batch_do_not_touch_each_other(precision: str) -> None:
    """Two sequences in one cache, their tokens side by side in one batch: each as if it were alone."""
    cache = _kernels.KeyValueCache(1, 20, 16, 1, 32, precision)
    tables = np.random.default_rng(4).permutation(20).reshape(2, 10).astype(np.int32)
    qkv = normal(8, 240, 4 * 32)
    cosine, sine = buffer_of(np.ones((240, 16), np.float32)), buffer_of(np.zeros((240, 16), np.float32))

    def attend(parts: list[tuple[int, int, int]]) -> Floats:
        positions = np.concatenate([np.arange(first, end) for _, first, end in parts])
        rows = np.concatenate([np.full(end - first, row) for row, first, end in parts])
        slots = tables[rows, positions // 16] * 16 + positions % 16
        arrays = [array.astype(np.int32) for array in (0 * rows, positions, slots, rows)]
        batch = _kernels.Batch(cache, *arrays, tables, int32())
        tokens = buffer_of(qkv[positions + 120 * rows])
        cosine.resize(len(rows))
        sine.resize(len(rows))
        _kernels.rope_and_cache(tokens, cosine, sine, batch, cache, 0)
        out = _kernels.Buffer(2 * 32)
        _kernels.attention(tokens, batch, cache, 0, out)
        return out.numpy().copy()

    alone = [attend([(row, 0, 120)]) for row in (0, 1)]
    assert np.array_equal(attend([(0, 0, 120), (1, 0, 120)]), np.concatenate(alone))
    assert np.array_equal(
        attend([(0, 119, 120), (1, 3, 90)]), np.concatenate([alone[0][119:], alone[1][3:90]])
    )


def test_int8_keeps_a_large_channel_from_hurting_those_far_from_it() -> None:
    """A key channel a hundred times larger costs the 31 that share its scale some of theirs, and no other."""
    exact, quantised = (Sequence(2, 1, 128, precision) for precision in ("float32", "int8"))
    for sequence in (exact, quantised):
        sequence.qkv[:, 256 + 40] *= 100
        sequence.qkv[:, [40, 128 + 40]] *= 0.01
    expected = exact.expected()
    found = quantised.attend(0, 150)
    assert relative_error(found, quantised.expected()) < 2e-6
    one_scale = np.abs(exact.qkv[:, 256:384]).max(axis=1, keepdims=True) / 127
    exact.qkv[:, 256:384] = np.rint(exact.qkv[:, 256:384] / one_scale) * one_scale
    assert np.square(found - expected).sum() < 0.5 * np.square(exact.attend(0, 150) - expected).sum()


def test_block_size_does_not_matter() -> None:
    outputs = [
        Sequence(6, 2, 64, "bfloat16", block_size).attend(0, 150) for block_size in (16, 32, 48, 64, 256)
    ]
    for output in outputs[1:]:
        assert np.array_equal(output, outputs[0])


def test_later_writes_do_not_change_earlier_tokens() -> None:
    sequence = Sequence(4, 2, 32, "bfloat16")
    before = sequence.attend(0, 70)
    sequence.attend(70, 150)
    assert np.array_equal(sequence.attend(0, 70, written=True), before)


def test_large_scores_stay_finite() -> None:
    sequence = Sequence(2, 1, 32, "float32")
    sequence.qkv *= 100
    assert relative_error(sequence.attend(0, 150), sequence.expected()) < 1e-5


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("channel", [-33, -1])
def test_a_key_or_value_that_is_not_finite_shows_in_the_output(
    precision: str, wrong: float, channel: int
) -> None:
    sequence = Sequence(2, 1, 32, precision)
    sequence.qkv[:, :64] = np.abs(
        sequence.qkv[:, :64]
    )  # or a score of minus infinity would rightly weigh nothing
    sequence.qkv[40, channel] = wrong
    out = sequence.attend(0, 150)
    assert np.isfinite(out[:40]).all()
    assert (~np.isfinite(out[40:])).any(axis=1).all()


@pytest.mark.parametrize("head_dim", [16, 64, 128])
def test_rope_rotates_queries_in_place_and_keys_on_their_way(head_dim: int) -> None:
    sequence = Sequence(3, 1, head_dim, "float32", length=40)
    half = head_dim // 2
    frequencies = (1e4 ** -(np.arange(half, dtype=np.float32) / half)).astype(np.float32)
    batch = sequence.batch(np.arange(40))
    cosine, sine = _kernels.Buffer(half), _kernels.Buffer(half)
    _kernels.rotary(batch, _kernels.Vector(frequencies), 1.25, cosine, sine)
    angles = np.arange(40, dtype=np.float32)[:, None] * frequencies
    assert relative_error(cosine.numpy(), 1.25 * np.cos(angles.astype(np.float64))) < 2e-7
    assert relative_error(sine.numpy(), 1.25 * np.sin(angles.astype(np.float64))) < 2e-7

    rotated = buffer_of(sequence.qkv)
    _kernels.rope_and_cache(rotated, cosine, sine, batch, sequence.cache, 0)
    out = _kernels.Buffer(3 * head_dim)
    _kernels.attention(rotated, batch, sequence.cache, 0, out)
    heads = sequence.qkv.reshape(40, 5, head_dim).astype(np.float64)
    turned = np.concatenate([-heads[..., half:], heads[..., :half]], axis=-1)
    both = np.concatenate([angles, angles], axis=1)[:, None].astype(np.float64)
    expected = 1.25 * (heads * np.cos(both) + turned * np.sin(both))
    assert relative_error(rotated.numpy()[:, : 3 * head_dim], expected[:, :3].reshape(40, -1)) < 1e-6
    sequence.qkv[:, : 4 * head_dim] = expected[:, :4].reshape(40, -1)
    assert relative_error(out.numpy(), sequence.expected()) < 2e-6


def batch_with(**changed: NDArray[np.int32]) -> _kernels.Batch:
    """A sound batch of two tokens over a cache of four blocks, with some of its arrays replaced."""
    arrays = {
        "token_ids": int32(1, 2),
        "positions": int32(0, 1),
        "slots": int32(16, 17),
        "sequence_rows": int32(0, 0),
        "block_tables": int32([1, 0]),
        "logit_rows": int32(1),
    }
    return _kernels.Batch(_kernels.KeyValueCache(1, 4, 16, 1, 16, "float32"), **(arrays | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"positions": int32(0, 32)}, "position 32 is outside 0 to 31"),
        ({"positions": int32(-1, 0)}, "position -1 is outside"),
        ({"slots": int32(16, 64)}, "slot 64 is outside 0 to 63"),
        ({"sequence_rows": int32(0, 1)}, "sequence row 1 is outside 0 to 0"),
        ({"block_tables": int32([1, 4])}, "block id 4 is outside 0 to 3"),
        ({"logit_rows": int32(2)}, "logit row 2 is outside 0 to 1"),
        ({"slots": int32(16)}, "2 token ids has 2 positions, 1 slots and 2 sequence rows"),
    ],
)
def test_a_batch_outside_its_cache_is_refused(changed: dict[str, NDArray[np.int32]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batch_with(**changed)


def test_a_batch_takes_int32_only() -> None:
    with pytest.raises(TypeError):
        batch_with(token_ids=np.array([1, 2]))


def test_cache_shapes_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="block_size must be a multiple of 16, is 8"):
        _kernels.KeyValueCache(1, 4, 8, 1, 16, "float32")
    with pytest.raises(ValueError, match="head_dim must be a multiple of 16 up to 256, is 24"):
        _kernels.KeyValueCache(1, 4, 16, 1, 24, "float32")
    with pytest.raises(ValueError, match="blocks must be positive, is 0"):
        _kernels.KeyValueCache(1, 0, 16, 1, 16, "float32")
    with pytest.raises(ValueError, match="too large for 32-bit slots"):
        _kernels.KeyValueCache(1, 1 << 28, 16, 1, 16, "float32")
    with pytest.raises(ValueError, match="layer 1 is not one of the cache's 1"):
        _kernels.attention(
            buffer_of(normal(0, 2, 48)),
            batch_with(),
            _kernels.KeyValueCache(1, 4, 16, 1, 16, "float32"),
            1,
            _kernels.Buffer(16),
        )
