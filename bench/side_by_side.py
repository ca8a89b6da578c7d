"""This engine beside others, on the same random model and the same work, in one run.

    python bench/side_by_side.py FOLDER --setup --tokenizer PATH   environments and models, once; some 10 GB
    python bench/side_by_side.py FOLDER --budget 2000              measures; tables at the end
    python bench/side_by_side.py FOLDER --works start --resume     process start to first token
    python bench/side_by_side.py FOLDER --shape 7b --setup         the 7B shape, quantised engines only
    python bench/side_by_side.py FOLDER --tables                   the tables of what has been measured

Engines take turns within each work, so that a machine that gets slower does so for all; the others are
stopped meanwhile. Every repeat has new prompts, greedy decoding, no end of text; equal numbers of tokens are
checked. Every run is added to FOLDER/results-SHAPE.jsonl as it ends; --resume goes on with it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.peers import tables
from bench.peers.engines import ENGINES, ENGINES_7B, OWN_ENVIRONMENT, EngineSpec
from bench.peers.limits import Shape, median_limits
from bench.peers.plan import runs_to_do
from bench.peers.process import EngineError, EngineProcess
from bench.peers.setup import config_of, folder_bytes, set_up
from bench.peers.works import START, WORKS, WORKS_7B, Work
from tests.random_checkpoint import parameter_shapes

from wending import _kernels
from wending.model.machine_limits import read_bandwidth
from wending.model.precision import PRECISIONS
from wending.model.threads import use_threads

WARM_UP_PROMPT = 128
KV_BYTES = 2  # BF16


class Results:
    """The records of a file of JSON lines; each is on the disk as soon as it is added."""

    def __init__(self, path: Path, resume: bool) -> None:
        self._path = path
        self.records: list[dict[str, Any]] = []
        if path.exists() and not resume:
            path.rename(path.with_suffix(".old.jsonl"))
        if path.exists():
            self.records = [json.loads(line) for line in path.read_text().splitlines()]

    def add(self, kind: str, **values: Any) -> None:
        self.records.append({"kind": kind, **values})
        with self._path.open("a") as file:
            file.write(json.dumps(self.records[-1]) + "\n")

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["kind"] == kind]

    def runs(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for record in self.of("run"):
            found[record["work"], record["engine"]].append(record)
        return found

    def facts(self) -> dict[str, dict[str, Any]]:
        """What is known of each engine; the times to the first token of all its starts."""
        found: dict[str, dict[str, Any]] = defaultdict(lambda: {"start_seconds": []})
        for record in [*self.of("load"), *self.of("start")]:
            found[record["engine"]] |= record["facts"]
        for record in self.of("start"):
            found[record["engine"]]["start_seconds"].append(record["seconds"])
        return found


@contextmanager
def running(process: EngineProcess) -> Iterator[None]:
    """Only within does the engine run."""
    process.resume()
    try:
        yield
    finally:
        process.pause()


def start(
    spec: EngineSpec, options: argparse.Namespace, results: Results, kind: str = "load"
) -> EngineProcess:
    """Loads an engine and times its first token, in a record of this kind; then the engine is paused."""
    process = EngineProcess(
        spec.name,
        spec.command(options.folder, options.shape, options.context, options.tokens, options.threads),
        options.folder / "logs" / f"run-{spec.name}.log",
        spec.variables(options.folder),
        options.cores,
    )
    try:
        process.do(START.job(0))
    except BaseException:
        process.stop()
        raise
    seconds = process.seconds_since_start
    process.pause()
    environment = options.folder / "environments" / (spec.environment or OWN_ENVIRONMENT)
    facts = process.facts | {
        "installed_bytes": folder_bytes(environment) or None,
        "model_bytes": folder_bytes(spec.model_path(options.folder, options.shape)),
    }
    results.add(kind, engine=spec.name, seconds=seconds, load_seconds=process.load_seconds, facts=facts)
    print(f"{spec.title}: first token {seconds:.1f} s after the start of the process", flush=True)
    return process


def measure_limits(results: Results) -> None:
    """Read bandwidth, and the peak on registers for each precision."""
    integer = _kernels.peak_operations("int8")
    operations = {"bf16": _kernels.peak_operations("bfloat16"), "int8": integer, "int4": integer}
    bandwidth = read_bandwidth()
    results.add("limits", bandwidth=bandwidth, operations=operations)
    print(
        f"limits: {bandwidth / 1e9:.1f} GB/s, {operations['bf16'] / 1e9:.0f} GFLOP/s, "
        f"{integer / 1e9:.0f} GOP/s",
        flush=True,
    )


def run_cell(process: EngineProcess, work: Work, repeat: int, results: Results) -> None:
    """One run; before the first of a cell a short one of the same width, for what is compiled on demand."""
    prompt = min(work.prompt_tokens, WARM_UP_PROMPT)
    with running(process):
        if repeat == 0:
            process.do(Work(f"warm-up of {work.name}", work.sequences, prompt, 2).job(0))
        done = process.do(work.job(repeat))
    del done["completions"]
    results.add("run", work=work.name, engine=process.name, **done)
    speeds = ", ".join(
        f"{tables.number(measure.speed(work, done))} tok/s {measure.name}"
        for measure in tables.measures_of(work)
    )
    print(f"  {process.name:16} {done['seconds']:7.2f} s  {speeds}", flush=True)


def measure(
    processes: Mapping[str, EngineProcess],
    works: Sequence[Work],
    repeats: int,
    seconds: float,
    results: Results,
) -> None:
    """Rounds over all works and, within a work, over all engines, until every cell has its repeats or the
    time is spent. A cell that failed is left out from then on."""
    ends = time.monotonic() + seconds
    skipped: set[tuple[str, str]] = set()
    while True:
        runs = results.runs()
        cells = [
            (work.name, name) for work in works for name in processes if (work.name, name) not in skipped
        ]
        done = {cell: len(runs.get(cell, ())) for cell in cells}
        cost = {
            cell: statistics.median(run["seconds"] for run in runs[cell]) if done[cell] else 0.0
            for cell in cells
        }
        planned = runs_to_do(cost, done, repeats, ends - time.monotonic())
        if not any(planned.values()):
            return
        print(f"round: {sum(planned.values())} runs to do", flush=True)
        measure_limits(results)
        for work in works:
            for name in processes:
                cell = (work.name, name)
                if not planned.get(cell) or time.monotonic() + cost[cell] > ends:
                    continue
                try:
                    run_cell(processes[name], work, done[cell], results)
                except EngineError as error:
                    print(f"  {work.name}: {error}", flush=True)
                    results.add("failure", work=work.name, engine=name, error=str(error))
                    skipped.add(cell)


def measure_starts(engines: Sequence[EngineSpec], options: argparse.Namespace, results: Results) -> None:
    """Fresh processes, one at a time. The files are in the system's cache from the second start on."""
    for _ in range(options.repeats):
        for spec in engines:
            try:
                start(spec, options, results, "start").stop()
            except EngineError as error:
                print(f"{spec.title} does not start: {error}", flush=True)


def shape_of(shape: str) -> Shape:
    """What one step reads and computes."""
    config = config_of(shape)
    tied = config["tie_word_embeddings"]
    head = "model.embed_tokens.weight" if tied else "lm_head.weight"
    matrices = {name: size for name, size in parameter_shapes(config).items() if len(size) == 2}
    if not tied:
        del matrices["model.embed_tokens.weight"]  # of which a step reads a few rows
    layers = {name: size for name, size in matrices.items() if name != head}
    head_size = config["hidden_size"] // config["num_attention_heads"]
    return Shape(
        layer_weights=sum(rows * columns for rows, columns in layers.values()),
        head_weights=matrices[head][0] * matrices[head][1],
        weight_bytes={
            name: sum(precision.layers.nbytes(*size) for size in layers.values())
            + precision.ends.nbytes(*matrices[head])
            for name, precision in PRECISIONS.items()
        },
        kv_bytes_per_token=2
        * KV_BYTES
        * config["num_hidden_layers"]
        * config["num_key_value_heads"]
        * head_size,
    )


def describe_machine(options: argparse.Namespace) -> dict[str, Any]:
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return {
        "processor": model,
        "cores": options.cores,
        "threads": options.threads,
        "instruction_set": _kernels.instruction_set(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "date": time.strftime("%Y-%m-%d"),
    }


def print_tables(results: Results, works: Sequence[Work], engines: Sequence[EngineSpec], shape: str) -> None:
    limits, runs = median_limits(results.of("limits")), results.runs()
    for machine in results.of("machine")[-1:]:
        print(
            f"\n{machine['processor']}, {machine['threads']} threads, {machine['instruction_set']}, "
            f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['date']}"
        )
    if limits is not None:
        bandwidths = [one["bandwidth"] / 1e9 for one in results.of("limits")]
        print(
            f"Limits, medians of {len(bandwidths)}: {limits.bandwidth / 1e9:.1f} GB/s "
            f"({min(bandwidths):.1f} to {max(bandwidths):.1f}), "
            + ", ".join(f"{name} {peak / 1e9:.0f} GOP/s" for name, peak in limits.operations.items())
        )
    print("\n" + tables.speed_table(runs, works, engines))
    print("\n" + tables.ratio_table(runs, works, engines, limits, shape_of(shape)))
    print("\n" + tables.engine_table(engines, results.facts()))


def chosen(names: Sequence[str] | None, known: Mapping[str, Any], what: str) -> list[Any]:
    unknown = set(names or ()) - set(known)
    if unknown:
        raise SystemExit(f"no such {what}: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [value for name, value in known.items() if not names or name in names]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="environments, models and results are kept here")
    parser.add_argument("--setup", action="store_true", help="make what is missing, and measure nothing")
    parser.add_argument("--tables", action="store_true", help="print the tables only")
    parser.add_argument("--tokenizer", type=Path, help="folder with Qwen2.5's tokenizer.json, for --setup")
    parser.add_argument("--shape", choices=("0.5b", "7b"), default="0.5b")
    parser.add_argument("--works", nargs="*", help=f"of {', '.join([*WORKS, START.name])}")
    parser.add_argument("--engines", nargs="*", help=f"of {', '.join(spec.name for spec in ENGINES)}")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--budget", type=float, default=float("inf"), help="seconds to measure in, after loading"
    )
    parser.add_argument("--resume", action="store_true", help="add to the results that are there")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.cores = sorted(os.sched_getaffinity(0))[: options.threads]
    return options


def measure_all(
    options: argparse.Namespace, works: Sequence[Work], engines: Sequence[EngineSpec], results: Results
) -> None:
    """Engines of 0.5B stay loaded together; of 7B one at a time has room."""
    os.sched_setaffinity(0, options.cores)
    use_threads(options.threads)
    results.add("machine", **describe_machine(options))
    if START in works:
        measure_starts(engines, options, results)
    works = [work for work in works if work is not START]
    if not works:
        return
    groups = [engines] if options.shape == "0.5b" else [[spec] for spec in engines]
    for group in groups:
        with ExitStack() as stack:
            processes: dict[str, EngineProcess] = {}
            for spec in group:
                try:
                    processes[spec.name] = stack.enter_context(start(spec, options, results))
                except EngineError as error:
                    print(f"{spec.title} is left out: {error}", flush=True)
            measure(processes, works, options.repeats, options.budget / len(groups), results)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no paused engine is left behind
    options = parse()
    known_engines = {spec.name: spec for spec in (ENGINES if options.shape == "0.5b" else ENGINES_7B)}
    known_works = WORKS if options.shape == "0.5b" else WORKS_7B
    engines = chosen(options.engines, known_engines, "engine")
    works = chosen(options.works, {**known_works, START.name: START}, "work")
    if not options.works:
        works = list(known_works.values())
    # Room for every work, also when few are chosen: an engine that compiles for its sizes does so only once.
    options.context = max(work.length for work in known_works.values())
    options.tokens = max(work.tokens for work in known_works.values())
    if options.setup:
        set_up(options.folder, options.shape, engines, options.tokenizer)
        return
    results = Results(options.folder / f"results-{options.shape}.jsonl", options.resume or options.tables)
    if not options.tables:
        measure_all(options, works, engines, results)
    print_tables(results, list(known_works.values()), list(known_engines.values()), options.shape)


if __name__ == "__main__":
    main()
