"""Speed of the forward pass alone, on random weights of a named shape.

    python bench/model_speed.py --shape 0.5b --threads 2

Prints prefill tok/s and GFLOP/s, decode tok/s for several batch sizes with the GB/s of weights and KV cache
that they read, and the read bandwidth of the machine measured in the same run. Sampling, scheduling and
HTTP are not in it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.random_checkpoint import parameter_shapes, small_config, write_random_checkpoint

from wending import _kernels
from wending.model.batch import ForwardBatch
from wending.model.kv_cache import KVCache
from wending.model.machine_limits import read_bandwidth
from wending.model.model import Model

BLOCK_SIZE = 16
SHAPES: dict[str, dict[str, Any]] = {
    "demo": {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 8, "vocab_size": 5000},
    "0.5b": {
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "rope_theta": 1e6,
    },
    "1.5b": {
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "rope_theta": 1e6,
    },
    "7b": {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "rope_theta": 1e6,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
    },
}


def batch_of(cache_rows: np.ndarray, tokens: np.ndarray, start: int) -> ForwardBatch:
    """`tokens` [S, n] of S sequences, each from position `start` on; logits for the last of each."""
    sequences, length = tokens.shape
    positions = np.tile(np.arange(start, start + length, dtype=np.int32), sequences)
    rows = np.repeat(np.arange(sequences, dtype=np.int32), length)
    slots = cache_rows[rows, positions // BLOCK_SIZE] * BLOCK_SIZE + positions % BLOCK_SIZE
    last = (np.arange(sequences, dtype=np.int32) + 1) * np.int32(length) - 1
    return ForwardBatch(
        np.ascontiguousarray(tokens.reshape(-1)), positions, slots.astype(np.int32), rows, cache_rows, last
    )


def best_of(repeats: int, work: Callable[[], float]) -> float:
    return min(work() for _ in range(repeats))


def prefill_seconds(model: Model, cache: KVCache, rows: np.ndarray, length: int, chunk: int) -> float:
    tokens = np.random.default_rng(0).integers(0, model.config.vocab_size, (1, length), dtype=np.int32)
    start = time.perf_counter()
    for first in range(0, length, chunk):
        model.forward(batch_of(rows[:1], tokens[:, first : first + chunk], first), cache)
    return time.perf_counter() - start


def decode_seconds(model: Model, cache: KVCache, rows: np.ndarray, context: int, steps: int) -> float:
    """Seconds per step of a greedy loop over all sequences of `rows`, from position `context` on."""
    tokens = np.zeros((len(rows), 1), np.int32)
    start = time.perf_counter()
    for step in range(steps):
        logits = model.forward(batch_of(rows, tokens, context + step), cache)
        tokens = logits.argmax(axis=1).astype(np.int32)[:, None]
    return (time.perf_counter() - start) / steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), default="demo")
    parser.add_argument("--quant", choices=("bf16", "f32", "int8", "int4"), default="bf16")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--chunk", type=int, default=512)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 8, 16])
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    config = small_config(**SHAPES[arguments.shape])
    parameters = sum(int(np.prod(shape)) for shape in parameter_shapes(config).values())
    embedding = config["vocab_size"] * config["hidden_size"]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        write_random_checkpoint(Path(folder), config, seed=0, dtype="bfloat16")
        written = time.perf_counter()
        model = Model.load(Path(folder), arguments.quant)
        loaded = time.perf_counter()
    if arguments.threads:
        _kernels.set_threads(arguments.threads)
    print(
        f"{arguments.shape}: {parameters / 1e6:.1f} M parameters, {model.precision.name}, "
        f"{model.instruction_set}, {_kernels.threads()} threads; "
        f"written in {written - started:.1f} s, loaded in {loaded - written:.1f} s"
    )
    print(f"read bandwidth {read_bandwidth() / 1e9:.1f} GB/s")

    longest = max(arguments.prompt, 64 + arguments.steps)
    blocks_each = -(-longest // BLOCK_SIZE)
    largest = max([1, *arguments.batch])
    cache = KVCache(model.config, largest * blocks_each, BLOCK_SIZE)
    rows = np.arange(largest * blocks_each, dtype=np.int32).reshape(largest, blocks_each)

    seconds = best_of(
        arguments.repeats, lambda: prefill_seconds(model, cache, rows, arguments.prompt, arguments.chunk)
    )
    operations = 2 * (parameters - embedding) * arguments.prompt  # the head runs for one token only
    print(
        f"prefill {arguments.prompt}: {arguments.prompt / seconds:8.1f} tok/s, "
        f"{operations / seconds / 1e9:6.1f} GFLOP/s in the layers' matrices"
    )
    for size in arguments.batch:
        decode = best_of(
            arguments.repeats,
            lambda size=size: decode_seconds(model, cache, rows[:size], 32, arguments.steps),
        )
        context_bytes = size * (32 + arguments.steps / 2) * KVCache.bytes_per_token(model.config)
        print(
            f"decode x {size:2}:   {size / decode:8.1f} tok/s, {decode * 1e3:7.3f} ms a step, "
            f"{(model.weight_bytes + context_bytes) / decode / 1e9:5.1f} GB/s, "
            f"{2 * parameters * size / decode / 1e9:6.1f} GFLOP/s"
        )


if __name__ == "__main__":
    main()
