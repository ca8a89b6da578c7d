"""A long prompt through the engine: speed along its way, memory against the budget, chunked against whole.

    python bench/long_context.py FOLDER --memory 1.5 --json long.json

Makes a checkpoint of random weights of the 0.5B shape in FOLDER (1 GB; it is kept) if there is none yet. One
prompt of random tokens is read; at each of `--marks`, and at its end, the engine decodes behind what it has
read so far. Each mark is a request of its own over the same beginning: what the prefix cache has is not
computed again, and only what is computed counts. The peak of resident memory of the whole process, Python
and all, is set against the budget that the engine printed. Then a prefix is computed whole, in one forward
pass, and in chunks of other sizes: the logits along it, and the logits and tokens of a greedy continuation,
must be the same bits. A short trial: `--prompt 6000 --max-context 16384`. The exit status is 1 if the peak is
more than 5 % above the budget, or a bit differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.model_speed import BLOCK_SIZE, SHAPES, batch_of
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.budget import MemoryBudget, format_bytes
from wending.engine.engine import Engine
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.sampling_params import SamplingParams
from wending.model.kv_cache import CacheDtype, KVCache
from wending.model.model import Model
from wending.model.threads import threads_in_use

NATIVE_LENGTH = 32_768  # of Qwen2.5 as published
ALLOWED_OVER_BUDGET = 1.05
PROGRESS_INTERVAL_S = 10.0
CHECKED_EVERY = 256  # positions of the prefix whose logits are compared
CONTINUATION = 16  # tokens


@dataclass(frozen=True, slots=True)
class Step:
    """A step that computed `tokens` of the prompt, up to position `end`."""

    end: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reached:
    """What was measured on the way to a context of so many tokens, and there."""

    context: int
    prefill_tokens_per_s: float
    """Over the stretch from the mark before."""
    prefill_seconds: float
    """From the beginning of the prompt, over all stretches."""
    decode_tokens_per_s: float


class Progress:
    """A line on standard error every few seconds, because a long prompt takes long."""

    def __init__(self, total: int) -> None:
        self._total, self._shown = total, time.monotonic()

    def note(self, step: Step) -> None:
        if time.monotonic() - self._shown >= PROGRESS_INTERVAL_S:
            self._shown = time.monotonic()
            speed = step.tokens / step.seconds
            print(f"{step.end:,} of {self._total:,} tokens, {speed:.0f} tok/s", file=sys.stderr, flush=True)


def read_and_decode(
    engine: Engine, prompt: Sequence[int], tokens: int, progress: Progress
) -> tuple[list[Step], float]:
    """The steps that read a prompt, and tok/s of the `tokens` decoded behind it, the first one left out."""
    params = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True)
    cached = engine.stats().cached_tokens_total
    engine.add_request("prompt", prompt, params)
    steps: list[Step] = []
    generated, decoding_s = 0, 0.0
    while engine.has_work:
        start = time.perf_counter()
        outputs = engine.step()
        seconds = time.perf_counter() - start
        if generated:
            decoding_s += seconds
        else:
            begun = steps[-1].end if steps else engine.stats().cached_tokens_total - cached
            end = engine.scheduler.running[0].num_computed_tokens
            steps.append(Step(end, end - begun, seconds))
            progress.note(steps[-1])
        for _, delta in outputs:
            if delta.error is not None:
                raise RuntimeError(delta.error)
            generated += len(delta.token_ids)
    return steps, (generated - 1) / decoding_s


def along_the_way(
    engine: Engine, prompt: Sequence[int], contexts: Sequence[int], tokens: int
) -> list[Reached]:
    """Speeds at each of the contexts, in order; the last is the whole prompt."""
    progress = Progress(len(prompt))
    reached: list[Reached] = []
    before, prefill_s = 0, 0.0
    for context in contexts:
        steps, decode = read_and_decode(engine, prompt[:context], tokens, progress)
        computed, seconds = stretch(steps, before)
        prefill_s += seconds
        reached.append(Reached(context, computed / seconds, prefill_s, decode))
        before = context
        print(
            f"at {context:,}: prefill {computed / seconds:.0f} tok/s, decode {decode:.1f} tok/s",
            file=sys.stderr,
            flush=True,
        )
    return reached


def stretch(steps: Sequence[Step], before: int) -> tuple[int, float]:
    """Tokens and seconds of the steps that ended behind position `before`."""
    counted = [step for step in steps if step.end > before]
    return sum(step.tokens for step in counted), sum(step.seconds for step in counted)


def continued(
    model: Model, dtype: CacheDtype, prefix: Sequence[int], chunk: int
) -> tuple[NDArray[np.float32], list[int]]:
    """Computes a prefix `chunk` tokens at a time, and continues it greedily.

    Logits [N, vocab_size] of every CHECKED_EVERY-th position of the prefix, of its last, and of each token
    behind it; and those tokens.
    """
    length = len(prefix)
    num_blocks = -(-(length + CONTINUATION) // BLOCK_SIZE)
    cache = KVCache(model.config, num_blocks, BLOCK_SIZE, dtype)
    blocks = np.arange(num_blocks, dtype=np.int32)[None]
    checked = np.union1d(np.arange(CHECKED_EVERY - 1, length, CHECKED_EVERY), [length - 1])
    logits = []
    for first in range(0, length, chunk):
        batch = batch_of(blocks, np.array([prefix[first : first + chunk]], np.int32), first)
        rows = checked[(checked >= first) & (checked < first + chunk)] - first
        logits.append(model.forward(replace(batch, logit_rows=rows.astype(np.int32)), cache))
    tokens: list[int] = []
    for position in range(length, length + CONTINUATION):
        tokens.append(int(logits[-1][-1].argmax()))
        logits.append(model.forward(batch_of(blocks, np.array([tokens[-1:]], np.int32), position), cache))
    return np.concatenate(logits), tokens


def chunks_that_differ(
    model: Model, dtype: CacheDtype, prefix: Sequence[int], chunks: Sequence[int]
) -> list[int]:
    """Those sizes of chunks that give other logits or tokens than the prefix computed whole."""
    logits, tokens = continued(model, dtype, prefix, len(prefix))
    different = []
    for chunk in chunks:
        found, said = continued(model, dtype, prefix, chunk)
        same = said == tokens and np.array_equal(found.view(np.uint32), logits.view(np.uint32))
        if not same:
            different.append(chunk)
        print(
            f"{len(prefix):,} tokens in chunks of {chunk}: {len(logits)} rows of logits and "
            f"{len(tokens)} tokens {'equal' if same else 'DIFFER FROM'} those of the whole",
            flush=True,
        )
    return different


def peak_resident_bytes() -> int:
    """The most memory that this process has had resident so far."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) * 1024


def facts_of(loaded: LoadedEngine, prompt: int) -> dict[str, Any]:
    budget, info = loaded.budget, loaded.info
    sizes = {
        name: getattr(budget, name) for name in ("weights", "kv_cache", "kv_tokens", "workspace", "total")
    }
    return {
        "precision": info.precision,
        "kv_precision": info.kv_precision,
        "positions": info.positions,
        "max_context": info.max_context,
        "instruction_set": info.instruction_set,
        "threads": threads_in_use(),
        "prompt_tokens": prompt,
        "budget": sizes,
    }


def table(reached: Sequence[Reached]) -> str:
    """The speeds as a markdown table."""
    lines = [
        "| context | prefill tok/s, from the mark before | seconds from the beginning | decode tok/s |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {at.context:,} | {at.prefill_tokens_per_s:.0f} | {at.prefill_seconds:,.1f} | "
        f"{at.decode_tokens_per_s:.1f} |"
        for at in reached
    ]
    return "\n".join(lines)


def show_budget(budget: MemoryBudget) -> None:
    print("\n".join(budget.lines()), flush=True)


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--quant", choices=("bf16", "f32", "int8", "int4"), default="int8")
    parser.add_argument("--kv-cache", choices=("bf16", "f32", "int8"), default="int8")
    parser.add_argument("--max-context", type=int, default=4 * NATIVE_LENGTH)
    parser.add_argument("--memory", type=float, metavar="GIB", help="default: as for wending serve")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--prompt", type=int, default=100_000, help="tokens")
    parser.add_argument("--marks", type=int, nargs="*", default=[4096, 32768])
    parser.add_argument("--tokens", type=int, default=64, help="decoded at each mark, at least 2")
    parser.add_argument("--prefix", type=int, default=8192, help="tokens computed whole and in chunks")
    parser.add_argument("--chunks", type=int, nargs="+", default=[2048, 512, 200, 64])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(arguments)
    if options.tokens < 2 or options.prompt + options.tokens > options.max_context:
        parser.error(
            f"a prompt of {options.prompt} and {options.tokens} tokens, at least 2, must fit into a context "
            f"of {options.max_context}"
        )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = options_of(arguments)
    if not (options.folder / "config.json").exists():
        print(f"writing the checkpoint to {options.folder}", flush=True)
        config = small_config(**SHAPES["0.5b"], max_position_embeddings=NATIVE_LENGTH)
        write_random_checkpoint(options.folder, config)
    loaded = load_engine(
        options.folder,
        quant=options.quant,
        kv_cache=options.kv_cache,
        memory=None if options.memory is None else int(options.memory * 2**30),
        max_context=options.max_context,
        threads=options.threads,
        cache=False,
        speculate=False,
        on_budget=show_budget,
    )
    engine = loaded.engine
    prompt = np.random.default_rng(0).integers(0, engine.tokenizer.vocab_size, options.prompt).tolist()
    contexts = [*sorted(mark for mark in options.marks if mark < options.prompt), options.prompt]
    reached = along_the_way(engine, prompt, contexts, options.tokens)
    peak = peak_resident_bytes()
    print(table(reached))
    print(
        f"peak of resident memory {format_bytes(peak)}, budget {format_bytes(loaded.budget.total)}: "
        f"{peak / loaded.budget.total:.0%}",
        flush=True,
    )
    prefix = prompt[: options.prefix]
    different = chunks_that_differ(engine.model, engine.cache.dtype, prefix, options.chunks)
    if options.json is not None:
        results = facts_of(loaded, options.prompt) | {
            "reached": [asdict(at) for at in reached],
            "peak_resident_bytes": peak,
            "prefix_tokens": len(prefix),
            "chunks": options.chunks,
            "chunks_that_differ": different,
        }
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(bool(different) or peak > ALLOWED_OVER_BUDGET * loaded.budget.total)


if __name__ == "__main__":
    sys.exit(main())
