"""Speed of attention alone, on the head counts of a model, against what the machine can do.

    python bench/attention_speed.py [--shape 0.5b] [--cache bfloat16 float32 int8] [--work decode-1x64 ...]

For each work: milliseconds of one layer, GB/s of the keys and values of all contexts (counted once, however
often they are read), GFLOP/s, and their share of the peak on registers measured in the same run: of pairs of
BF16 where the processor multiplies those and the cache holds them, otherwise of float32 multiply-adds.
Decoding goes through many layers in turn, so that little is found in a cache by chance.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

import numpy as np

from wending import _kernels
from wending.model.threads import use_available_processors

BLOCK_SIZE = 16
SHAPES = {"0.5b": (14, 2, 64), "7b": (28, 4, 128)}
"""Query heads, key and value heads, size of a head."""
DISTINCT_BYTES = 128 << 20
"""As many layers are gone through as hold this much."""


@dataclass(frozen=True)
class Work:
    """`tokens` of each of `sequences`, of which the last sees a context of `context`."""

    name: str
    sequences: int
    tokens: int
    context: int

    @property
    def pairs(self) -> int:
        """Pairs of a query and a key it sees, over all sequences."""
        first = self.context - self.tokens + 1
        return self.sequences * self.tokens * (first + self.context) // 2


WORKS = [
    *(Work(f"decode-1x{context}", 1, 1, context) for context in (64, 512, 4096, 32768)),
    Work("decode-16x192", 16, 1, 192),
    Work("decode-32x320", 32, 1, 320),
    Work("prefill-512", 1, 512, 512),
    Work("prefill-512-at-3584", 1, 512, 4096),
]


def filled_cache(
    shape: tuple[int, int, int], work: Work, precision: str
) -> tuple[_kernels.KeyValueCache, int]:
    """A cache of several layers with random keys and values, and the number of layers."""
    heads, kv_heads, size = shape
    blocks = work.sequences * -(-work.context // BLOCK_SIZE)
    stored = blocks * BLOCK_SIZE * kv_heads * size * 4
    layers = max(1, min(64, DISTINCT_BYTES // stored)) if work.tokens == 1 else 1
    cache = _kernels.KeyValueCache(layers, blocks, BLOCK_SIZE, kv_heads, size, precision)
    step = min(2048, blocks * BLOCK_SIZE)
    qkv = _kernels.Buffer((heads + 2 * kv_heads) * size)
    qkv.resize(step)
    qkv.numpy()[:] = np.random.default_rng(0).standard_normal(qkv.numpy().shape, dtype=np.float32)
    cosine, sine = _kernels.Buffer(size // 2), _kernels.Buffer(size // 2)
    for buffer, value in ((cosine, 1.0), (sine, 0.0)):
        buffer.resize(step)
        buffer.numpy()[:] = value
    zeros = np.zeros(step, np.int32)
    for first in range(0, blocks * BLOCK_SIZE, step):
        slots = np.arange(first, first + step, dtype=np.int32) % np.int32(blocks * BLOCK_SIZE)
        table, none = np.zeros((1, 1), np.int32), np.zeros(0, np.int32)
        batch = _kernels.Batch(cache, zeros, zeros, slots, zeros, table, none)
        for layer in range(layers):
            _kernels.rope_and_cache(qkv, cosine, sine, batch, cache, layer)
    return cache, layers


def batch_of(cache: _kernels.KeyValueCache, work: Work) -> _kernels.Batch:
    each = -(-work.context // BLOCK_SIZE)
    tables = np.random.default_rng(1).permutation(work.sequences * each).astype(np.int32)
    tables = tables.reshape(work.sequences, each)
    positions = np.tile(np.arange(work.context - work.tokens, work.context, dtype=np.int32), work.sequences)
    rows = np.repeat(np.arange(work.sequences, dtype=np.int32), work.tokens)
    slots = (tables[rows, positions // BLOCK_SIZE] * BLOCK_SIZE + positions % BLOCK_SIZE).astype(np.int32)
    return _kernels.Batch(cache, np.zeros_like(rows), positions, slots, rows, tables, np.zeros(0, np.int32))


def seconds_of(shape: tuple[int, int, int], work: Work, precision: str, seconds: float) -> float:
    """Median seconds of one layer, measured for about `seconds`."""
    heads, kv_heads, size = shape
    cache, layers = filled_cache(shape, work, precision)
    batch = batch_of(cache, work)
    qkv, out = _kernels.Buffer((heads + 2 * kv_heads) * size), _kernels.Buffer(heads * size)
    qkv.resize(batch.tokens)
    qkv.numpy()[:] = np.random.default_rng(2).standard_normal(qkv.numpy().shape, dtype=np.float32)
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        for layer in range(layers):
            _kernels.attention(qkv, batch, cache, layer, out)
        taken.append((time.perf_counter() - start) / layers)
    return statistics.median(taken)


def stored_bytes(shape: tuple[int, int, int], work: Work, precision: str) -> float:
    """Keys and values of all contexts, each counted once."""
    _, kv_heads, size = shape
    each = {"bfloat16": 2.0, "float32": 4.0, "int8": 1 + 2 / 32}[precision]
    return work.sequences * work.context * 2 * kv_heads * size * each


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), nargs="*", default=["0.5b", "7b"])
    parser.add_argument("--cache", nargs="*", default=["bfloat16", "float32", "int8"])
    parser.add_argument("--work", nargs="*", choices=[work.name for work in WORKS])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seconds", type=float, default=0.25, help="for each figure")
    options = parser.parse_args()
    use_available_processors()
    if options.threads:
        _kernels.set_threads(options.threads)
    peaks = {
        cache: _kernels.peak_operations("bfloat16" if cache == "bfloat16" else "float32") / 1e9
        for cache in options.cache
    }
    shown = ", ".join(f"{cache} {peak:.0f}" for cache, peak in peaks.items())
    print(f"{_kernels.instruction_set()}, {_kernels.threads()} threads, peak GFLOP/s: {shown}")
    for shape in options.shape:
        heads, _, size = SHAPES[shape]
        print(f"\n{shape}: heads {SHAPES[shape]}\n\n| work | " + " | ".join(options.cache) + " |")
        print("|---|" + "---|" * len(options.cache))
        for work in WORKS:
            if options.work and work.name not in options.work:
                continue
            cells = []
            for precision in options.cache:
                seconds = seconds_of(SHAPES[shape], work, precision, options.seconds)
                speed = 4 * work.pairs * heads * size / seconds / 1e9
                read = stored_bytes(SHAPES[shape], work, precision) / seconds / 1e9
                share = speed / peaks[precision]
                cells.append(f"{seconds * 1e3:.3f} ms, {read:.1f} GB/s, {speed:.0f} GFLOP/s ({share:.0%})")
            print(f"| {work.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
