"""Milliseconds that choosing the tokens of a step takes, at the vocabulary of Qwen2.5.

    python bench/sampling.py [--rows 1 8 32] [--step-ms 37]

Logits are random: "flat" ones (standard deviation 1) keep most of the vocabulary in play, which a trained
model's hardly do; those of "spread" have three times the deviation. `--step-ms` is the time of a step of the
model with the most rows, of which the share is printed. Threads: WENDING_THREADS.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from numpy.typing import NDArray

from wending import _kernels
from wending.engine.sampler import Sampler, sample_rows
from wending.engine.sampling_params import SamplingParams
from wending.model.threads import use_available_processors

MODEL_VOCABULARY, VOCABULARY = 151_936, 151_665
CASES = {
    "greedy": SamplingParams(temperature=0),
    "temperature 1": SamplingParams(),
    "temperature 1, top_p 0.9": SamplingParams(top_p=0.9),
    "Qwen2.5's defaults": SamplingParams(temperature=0.7, top_p=0.8, top_k=20, repetition_penalty=1.05),
    "greedy, 5 log-probabilities": SamplingParams(temperature=0, logprobs=5),
    "top_k 1000": SamplingParams(top_k=1000),
}


def milliseconds(logits: NDArray[np.float32], params: SamplingParams, repeats: int) -> float:
    """Median milliseconds to sample all rows; each completion has a prompt of 256 tokens."""
    samplers = [Sampler(params, seed, 0, range(256)) for seed in range(len(logits))]
    taken = []
    for position in range(repeats):
        logits += 0.0  # as the model does: written just before
        start = time.perf_counter()
        sample_rows(logits, samplers, [position] * len(logits), VOCABULARY)
        taken.append(time.perf_counter() - start)
    return 1e3 * statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="*", default=[1, 8, 32])
    parser.add_argument("--step-ms", type=float, default=37.0)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    use_available_processors()
    print(f"{_kernels.instruction_set()}, {_kernels.threads()} threads, {VOCABULARY} tokens")
    shape = (max(options.rows), MODEL_VOCABULARY)
    flat = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    for kind, logits in (("flat", flat), ("spread", 3 * flat)):
        for name, params in CASES.items():
            taken = {rows: milliseconds(logits[:rows], params, options.repeats) for rows in options.rows}
            cells = ", ".join(f"{rows} rows {each:6.3f} ms" for rows, each in taken.items())
            print(
                f"{kind:6} {name:28} {cells}, {taken[shape[0]] / options.step_ms:5.1%} of a step", flush=True
            )


if __name__ == "__main__":
    main()
