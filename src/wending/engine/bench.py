"""`wending bench`: the speed of the user's own model on the user's own machine, as tables and as JSON."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from rich import box
from rich.console import Console
from rich.table import Table

from wending import __version__
from wending.engine.budget import format_bytes
from wending.engine.errors import CheckpointError, InvalidRequest, NotEnoughMemory
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.speed import BatchSpeed, Limits, Spread, check_fits, measure
from wending.model.machine_limits import peak_operations, read_bandwidth
from wending.model.precision import Quant
from wending.model.threads import size_thread_pool, threads_in_use

DEFAULT_BATCHES = (1, 8, 16, 32)
EXPECTED_FAILURES = (CheckpointError, InvalidRequest, MemoryError, NotEnoughMemory, OSError, ValueError)


def run_bench(
    model: Path | None,
    *,
    quant: Quant = "auto",
    max_context: int | None = None,
    threads: int | None = None,
    batches: Sequence[int] | None = None,
    prompt: int = 512,
    tokens: int = 64,
    repeats: int = 3,
    json_file: Path | None = None,
    language: str = "en",
) -> int:
    """Measure the checkpoint folder `model` (None: the bundled one) and print the result.

    `max_context`: see `load_engine`. `batches`: None: those of DEFAULT_BATCHES that fit. `json_file` gets
    the same figures. The result is the exit code: 0, or 1 after a failure, which one line on standard error
    explains.
    """
    console = Console(highlight=False)
    try:
        size_thread_pool(threads)
        bandwidth = read_bandwidth()  # before the engine plans its memory: this takes some for a moment
        loaded = load_engine(model, quant=quant, max_context=max_context, threads=threads, speculate=False)
        chosen = _that_fit(loaded, prompt, tokens) if batches is None else list(batches)
        for batch in chosen:
            check_fits(loaded.engine, batch, prompt, tokens)
        limits = Limits(bandwidth, peak_operations(loaded.engine.model.precision))
        facts = _facts(loaded, limits, prompt, tokens, repeats)
        _print_facts(console, facts, language)
        facts["most_resident_bytes"] = 0
        speeds = []
        for batch in chosen:
            speeds.append(measure(loaded.engine, batch, prompt, tokens, repeats, limits))
            resident = psutil.Process().memory_info().rss
            facts["most_resident_bytes"] = max(facts["most_resident_bytes"], resident)
        console.print(_table(speeds, language))
        memory = _say(
            language, "resident memory, most after a batch size", "常驻内存（各批大小之后的最大值）"
        )
        console.print(f"{memory}: {format_bytes(facts['most_resident_bytes'])}")
        if json_file is not None:
            results = facts | {"batches": [asdict(speed) for speed in speeds]}
            json_file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except EXPECTED_FAILURES as error:
        print(f"wending bench: {' '.join(str(error).split()) or 'not enough memory'}", file=sys.stderr)
        return 1
    return 0


def _say(language: str, english: str, chinese: str) -> str:
    return chinese if language == "zh" else english


def _that_fit(loaded: LoadedEngine, prompt: int, tokens: int) -> list[int]:
    """The default batch sizes that fit. InvalidRequest if not even one sequence does."""
    check_fits(loaded.engine, 1, prompt, tokens)
    fitting = []
    for batch in DEFAULT_BATCHES:
        try:
            check_fits(loaded.engine, batch, prompt, tokens)
        except InvalidRequest:
            break
        fitting.append(batch)
    return fitting


def _facts(loaded: LoadedEngine, limits: Limits, prompt: int, tokens: int, repeats: int) -> dict[str, Any]:
    return {
        "wending": __version__,
        "processor": _processor(),
        "instruction_set": loaded.info.instruction_set,
        "threads": threads_in_use(),
        "memory_bytes": psutil.virtual_memory().total,
        "model": loaded.info.name,
        "precision": loaded.info.precision,
        "positions": loaded.info.positions,
        "weight_bytes": loaded.engine.model.weight_bytes,
        "prompt_tokens": prompt,
        "completion_tokens": tokens,
        "repeats": repeats,
        "limits": asdict(limits),
    }


def _print_facts(console: Console, facts: dict[str, Any], language: str) -> None:
    limits = facts["limits"]
    lines = [
        (
            _say(language, "machine", "机器"),
            f"{facts['processor']}, {facts['instruction_set']}, "
            f"{facts['threads']} {_say(language, 'threads', '线程')}, {format_bytes(facts['memory_bytes'])}",
        ),
        (
            _say(language, "model", "模型"),
            f"{facts['model']}, {facts['precision']}, {format_bytes(facts['weight_bytes'])}",
        ),
        (
            _say(language, "limits", "上限"),
            f"{limits['bytes_per_s'] / 1e9:.1f} GB/s, {limits['operations_per_s'] / 1e9:.0f} GOP/s",
        ),
        (
            _say(language, "work", "负载"),
            _say(
                language,
                f"prompt {facts['prompt_tokens']}, completion {facts['completion_tokens']}, "
                f"{facts['repeats']} repeats; median (least – most)",
                f"提示 {facts['prompt_tokens']}，生成 {facts['completion_tokens']}，"
                f"重复 {facts['repeats']} 次；中位数（最小 – 最大）",
            ),
        ),
    ]
    for name, text in lines:
        console.print(f"{name}: {text}", markup=False, soft_wrap=True)


def _table(speeds: Sequence[BatchSpeed], language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for english, chinese in (
        ("batch", "批大小"),
        ("prompt tok/s", "提示 tok/s"),
        ("first token ms", "首词元 ms"),
        ("decode tok/s", "生成 tok/s"),
        ("step ms", "每步 ms"),
        ("GB/s", "GB/s"),
        ("GOP/s", "GOP/s"),
        ("of limit", "占上限"),
    ):
        table.add_column(_say(language, english, chinese), justify="right")
    for speed in speeds:
        limit = {"memory": ("memory", "内存"), "compute": ("compute", "计算")}[speed.limited_by]
        table.add_row(
            str(speed.batch),
            _shown(speed.prompt_tokens_per_s, 0),
            _shown(speed.ttft_s, 1, 1e3),
            _shown(speed.decode_tokens_per_s, 1),
            _shown(speed.step_s, 2, 1e3),
            f"{speed.bytes_per_s / 1e9:.1f}",
            f"{speed.operations_per_s / 1e9:.0f}",
            f"{speed.share_of_limit:.0%} {_say(language, *limit)}",
        )
    return table


def _shown(spread: Spread, digits: int, scale: float = 1.0) -> str:
    median, least, most = (
        f"{scale * value:,.{digits}f}" for value in (spread.median, spread.least, spread.most)
    )
    return f"{median}\n({least} – {most})"


def _processor() -> str:
    """The processor's name as Linux knows it, or what Python knows elsewhere."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
