"""Speed of the matrix products alone, on the shapes of a model, against what the machine can do.

    python bench/linear_speed.py [--shape 0.5b] [--rows 1 8 16 32 512] [--quant bf16 int8 int4] [--cached]

For each number of rows: GB/s of weights that were read and GOP/s, both as shares of the read bandwidth and of
the peak of multiplications on registers, measured in the same run. Copies of a weight are gone through one
after the other, so that none is found in a cache by chance. With --cached there is one copy, and the best
repeat counts: what the kernels can do when memory is not in their way.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.model_speed import SHAPES

from wending import _kernels
from wending.model.machine_limits import read_bandwidth
from wending.model.precision import PRECISIONS, Format
from wending.model.threads import use_available_processors

DISTINCT_BYTES = 400 << 20
"""Copies of each matrix are multiplied in turn until this much has been read."""


def matrices(shape: str) -> dict[str, tuple[int, int]]:
    """(outputs, inputs) of the products of one layer, and of the head."""
    sizes = {"num_attention_heads": 4, "num_key_value_heads": 2} | SHAPES[shape]
    hidden, middle = sizes["hidden_size"], sizes["intermediate_size"]
    keys = sizes["num_key_value_heads"] * hidden // sizes["num_attention_heads"]
    return {
        "qkv": (hidden + 2 * keys, hidden),
        "o": (hidden, hidden),
        "gate_up": (2 * middle, hidden),
        "down": (hidden, middle),
        "head": (sizes["vocab_size"], hidden),
    }


def copies(form: Format, outputs: int, inputs: int, cached: bool) -> list[_kernels.Weight]:
    numbers = np.random.default_rng(0)
    rows = numbers.standard_normal((min(outputs, 4096), inputs), dtype=np.float32)
    made = []
    count = 1 if cached else max(1, min(24, DISTINCT_BYTES // form.nbytes(outputs, inputs)))
    for _ in range(count):
        weight = form.weight(outputs, inputs)
        for first in range(0, outputs, len(rows)):
            weight.fill(first, rows[: outputs - first])
        made.append(weight)
    return made


def seconds_of(weights: list[_kernels.Weight], rows: int, repeats: int) -> float:
    """Median seconds of one product; of a single weight the best of eight times as many repeats."""
    x, out = _kernels.Buffer(weights[0].inputs), _kernels.Buffer(weights[0].outputs)
    x.resize(rows)
    x.numpy()[:] = np.random.default_rng(1).standard_normal(x.numpy().shape, dtype=np.float32)
    taken = []
    alone = len(weights) == 1
    for _ in range(8 * repeats if alone else repeats):
        start = time.perf_counter()
        for weight in weights:
            _kernels.linear(x, weight, None, None, out)
        taken.append((time.perf_counter() - start) / len(weights))
    return min(taken) if alone else statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), default="0.5b")
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 8, 16, 32, 512])
    parser.add_argument("--quant", nargs="*", choices=sorted(PRECISIONS), default=["bf16", "int8", "int4"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cached", action="store_true", help="one copy of each matrix, the best repeat")
    options = parser.parse_args()
    use_available_processors()
    bandwidth = read_bandwidth() / 1e9
    print(f"{_kernels.instruction_set()}, {_kernels.threads()} threads, read bandwidth {bandwidth:.1f} GB/s")
    for quant in options.quant:
        multiplied = "int8" if quant.startswith("int") else PRECISIONS[quant].layers.precision
        peak = _kernels.peak_operations(multiplied) / 1e9
        print(f"\n{quant}: peak {peak:.0f} GOP/s")
        print("| product | " + " | ".join(f"{rows} rows" for rows in options.rows) + " |")
        print("|---|" + "---|" * len(options.rows))
        for name, (outputs, inputs) in matrices(options.shape).items():
            form = PRECISIONS[quant].ends if name == "head" else PRECISIONS[quant].layers
            weights, cells = copies(form, outputs, inputs, options.cached), []
            for rows in options.rows:
                if name == "head" and rows > 64:
                    cells.append("–")  # the head is asked for few rows
                    continue
                seconds = seconds_of(weights, rows, options.repeats)
                speed = weights[0].nbytes / seconds / 1e9
                work = 2 * rows * outputs * inputs / seconds / 1e9
                cells.append(
                    f"{speed:.1f} GB/s ({speed / bandwidth:.0%}), {work:.0f} GOP/s ({work / peak:.0%})"
                )
            print(f"| {name} {outputs} x {inputs} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
