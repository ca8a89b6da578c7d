"""How long streams wait for a token while a long prompt is read beside them.

    python bench/token_gap.py CHECKPOINT [--quant int8] [--streams 1 8] [--prompt 4000] [--gaps-ms 0 250 100]

Streams decode; then a prompt arrives. Printed for each limit (0: none): the gap between two tokens of a
stream without the prompt, the median and the longest gap while it is read, and how long reading it took,
which is what shorter gaps cost. The limit is first learned on one prompt, as a service has before long.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wending.engine.engine import Engine
from wending.engine.load import MAX_TOKENS_PER_STEP, STEP_OF_GAPS, load_engine
from wending.engine.pacer import Pacer
from wending.engine.sampling_params import SamplingParams
from wending.model.kv_cache import KVCache


class Gaps(NamedTuple):
    """Seconds."""

    usual_s: float
    median_s: float
    longest_s: float
    prompt_s: float


def engine_like(engine: Engine, gap_s: float | None, speculate: bool = False) -> Engine:
    """An engine over the same weights with an empty cache. Without guesses a step is a token."""
    scheduler, model = engine.scheduler, engine.model
    manager = scheduler.block_manager
    return Engine(
        model,
        KVCache(model.config, manager.num_blocks, manager.block_size, engine.cache.dtype),
        engine.tokenizer,
        eos_token_ids=frozenset(),
        max_context=engine.max_context,
        num_blocks=manager.num_blocks,
        block_size=manager.block_size,
        max_tokens_per_step=scheduler.max_tokens_per_step,
        max_running=scheduler.max_running,
        speculate=speculate,
        pacer=Pacer(MAX_TOKENS_PER_STEP, gap_s, None if gap_s is None else STEP_OF_GAPS * gap_s),
    )


def measure(engine: Engine, streams: int, prompt: int, seed: int) -> Gaps:
    """One prompt beside running streams."""
    numbers = np.random.default_rng([seed, streams])
    vocab = engine.tokenizer.vocab_size
    endless = SamplingParams(temperature=0, ignore_eos=True)
    names = [str(stream) for stream in range(streams)]
    for name in names:
        engine.add_request(name, numbers.integers(0, vocab, 32).tolist(), endless)
    while len(engine.step()) < streams:
        pass

    def gap() -> tuple[float, bool]:
        """Seconds of a step, and whether the prompt has its first token."""
        start = time.perf_counter()
        done = any(name == "prompt" for name, _ in engine.step())
        return time.perf_counter() - start, done

    usual = [gap()[0] for _ in range(16)]
    one = SamplingParams(temperature=0, max_tokens=1, ignore_eos=True)
    engine.add_request("prompt", numbers.integers(0, vocab, prompt).tolist(), one)
    beside: list[float] = []
    done = False
    while not done:
        seconds, done = gap()
        beside.append(seconds)
    for name in names:
        engine.abort_request(name)
    return Gaps(statistics.median(usual), statistics.median(beside), max(beside), sum(beside))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, nargs="?", help="default: the bundled model")
    parser.add_argument("--quant", default="auto")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--prompt", type=int, default=4000)
    parser.add_argument("--gaps-ms", type=int, nargs="+", default=[0, 500, 250, 100])
    options = parser.parse_args()
    loaded = load_engine(options.checkpoint, quant=options.quant)
    print(f"{loaded.info.name}, {loaded.info.precision}, a prompt of {options.prompt} tokens")
    print(f"{'limit':>8} {'streams':>8} {'usual gap':>10} {'median':>8} {'longest':>8} {'prompt took':>12}")
    for limit in options.gaps_ms:
        for streams in options.streams:
            engine = engine_like(loaded.engine, limit / 1000 if limit else None)
            measure(engine, streams, min(options.prompt, 1000), seed=0)
            gaps = measure(engine, streams, options.prompt, seed=1)
            print(
                f"{f'{limit} ms' if limit else 'none':>8} {streams:8} {1e3 * gaps.usual_s:7.0f} ms "
                f"{1e3 * gaps.median_s:5.0f} ms {1e3 * gaps.longest_s:5.0f} ms {gaps.prompt_s:10.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
