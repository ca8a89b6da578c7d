"""Memory and start-up time of a model of random weights: quantised, then from the cache of packed weights.

    python bench/memory.py --shape 7b --folder /large/disk/7b

Makes the checkpoint in `--folder` if it is not there yet (7b: 15 GB in 8 shards; it is kept), and for each
precision starts a fresh process three times: with an empty cache, with the packed weights in it, and with
these dropped from the system's file cache, as after a start of the machine. Each loads through the engine,
takes a prompt and generates, and tells its peak of resident memory: weights, KV cache, activations, Python
and all. The cache used is a folder of its own beside the checkpoint, removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.model_speed import SHAPES
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams

SHARDS = 8
ALLOWED_GB = {("7b", "int4"): 7.0, ("7b", "int8"): 10.0}  # decimal, of resident memory
BESIDE_A_SHARD_GB = 0.3  # that loading may take beside the packed weights and one shard


def start_and_generate(options: argparse.Namespace) -> dict[str, Any]:
    """In a process of its own: load, answer one prompt, and tell."""
    begun = time.perf_counter()
    allowed = ALLOWED_GB.get((options.shape, options.child))
    loaded = load_engine(
        options.folder,
        quant=options.child,
        memory=None if allowed is None else int(allowed * 1e9),
        max_context=options.prompt + options.tokens,
        threads=options.threads,
    )
    ready, loading = time.perf_counter(), memory_gb()
    prompt = [token % 1000 for token in range(options.prompt)]
    params = SamplingParams(temperature=0, max_tokens=options.tokens, ignore_eos=True)
    loaded.engine.add_request("request", prompt, params)
    times = []
    while loaded.engine.has_work:
        loaded.engine.step()
        times.append(time.perf_counter())
    return {
        "from_cache": loaded.info.weights_from_cache,
        "weights": loaded.budget.weights / 1e9,
        "load_seconds": ready - begun,
        "first_token_seconds": times[0] - begun,
        "tokens_per_second": (len(times) - 1) / (times[-1] - times[0]),
        "peak_while_loading": loading["VmHWM"],
        **memory_gb(),
    }


def memory_gb() -> dict[str, float]:
    """This process: VmHWM is the peak; RssAnon is its own now, RssFile mapped files, which may be shared."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(fields[name].split()[0]) * 1024 / 1e9 for name in ("VmHWM", "RssAnon", "RssFile")}


def drop_from_file_cache(folder: Path) -> None:
    for path in folder.glob("*.packed"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def show(options: argparse.Namespace, quant: str, start: str, found: dict[str, Any], shard_gb: float) -> None:
    allowed = ALLOWED_GB.get((options.shape, quant))
    peak = f"{found['VmHWM']:.2f} GB" + (f" of {allowed:.0f} allowed" if allowed else "")
    loading = found["weights"] + shard_gb + BESIDE_A_SHARD_GB
    print(
        f"{quant} {start:10}  peak {peak}; weights {found['weights']:.2f}, "
        f"peak while loading {found['peak_while_loading']:.2f} of {loading:.2f} allowed; "
        f"at the end own {found['RssAnon']:.2f}, mapped {found['RssFile']:.2f}; "
        f"load {found['load_seconds']:.1f} s, first token after {found['first_token_seconds']:.1f} s, "
        f"{found['tokens_per_second']:.1f} tok/s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=sorted(SHAPES), default="7b")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--quant", nargs="+", choices=("int8", "int4"), default=["int4", "int8"])
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--child", choices=("int8", "int4"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(start_and_generate(options)))
        return

    if not (options.folder / "config.json").exists():
        print(f"writing the checkpoint to {options.folder}", flush=True)
        write_random_checkpoint(options.folder, small_config(**SHAPES[options.shape]), shards=SHARDS)
    shard_gb = max(file.stat().st_size for file in options.folder.glob("*.safetensors")) / 1e9
    cache = options.folder.resolve().with_name(options.folder.resolve().name + "-cache")
    for quant in options.quant:
        for start in ("quantised", "cached", "from disk"):
            if start == "quantised":
                shutil.rmtree(cache, ignore_errors=True)
            elif start == "from disk":
                drop_from_file_cache(cache)
            output = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--child", quant],
                env=os.environ | {"WENDING_CACHE": str(cache)},
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
            show(options, quant, start, json.loads(output), shard_gb)
    shutil.rmtree(cache)


if __name__ == "__main__":
    main()
