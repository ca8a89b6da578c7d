"""`wending selftest`: the stability contract on the user's own model and machine, as a table and as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from wending import __version__
from wending.engine.client import ModelInfo
from wending.engine.errors import CheckpointError, EngineDead, InvalidRequest, NotEnoughMemory
from wending.engine.load import LoadedEngine, load_engine
from wending.engine.process_client import load_client
from wending.engine.selftest.conditions import CONDITIONS, Outcome, ReferenceFailed, alone
from wending.engine.selftest.mixed_requests import MixedRequest, mixed_requests
from wending.engine.selftest.process import KILLS, streamed
from wending.engine.selftest.record import Divergence, Records, first_divergence
from wending.engine.selftest.rig import Rig, Tick
from wending.model.kv_cache import KVQuant
from wending.model.precision import Quant
from wending.model.threads import threads_in_use

EXPECTED_FAILURES = (
    CheckpointError, EngineDead, InvalidRequest, MemoryError, NotEnoughMemory, OSError, ReferenceFailed,
    ValueError,
)  # fmt: skip
PART = 8
"""Of the requests, one in so many goes through each single condition; at least LEAST_PART of them."""
LEAST_PART = 16
SHOWN = 5
"""Differences that are described one by one."""


@dataclass(slots=True)
class Verdict:
    """What one condition has shown."""

    condition: str
    requests: int
    tokens: int
    equal: int
    """Requests all of whose completions were the same."""
    happened: int
    """0: what the condition is about has not happened, so it shows nothing."""
    seconds: float
    differences: list[Divergence] = field(default_factory=list)
    """The first of each request that differs."""


def run_selftest(
    model: Path | None,
    *,
    quant: Quant = "auto",
    kv_cache: KVQuant = "auto",
    requests: int = 100,
    seed: int = 1,
    only: int | None = None,
    threads: int | None = None,
    json_file: Path | None = None,
    language: str = "en",
) -> int:
    """Test the checkpoint `model` (None: the bundled one) with so many requests and print the result.

    `only`: compare just the request of this number; the others are there, so that it meets the same. The
    result is the exit code: 0 if every answer was the same under every condition, else 1.
    """
    console = Console(highlight=False)
    try:
        load = {"quant": quant, "kv_cache": kv_cache, "threads": threads}
        test = _Selftest(model, load, requests, seed, only, language)
        verdicts = test.run(console)
        again = (
            f"wending selftest{'' if model is None else f' {model}'} --quant {quant} --kv-cache {kv_cache}"
        )
        again += f" --requests {requests} --seed {seed}"
        console.print(_table(verdicts, language))
        _print_differences(console, verdicts, test.requests, again, language)
        whole = _conclude(console, verdicts, len(test.requests) if only is None else 1, language)
        if json_file is not None:
            facts = test.facts | {"seed": seed, "verdicts": [asdict(one) for one in verdicts]}
            text = json.dumps(facts, indent=1, ensure_ascii=False, default=repr)  # of what differs
            json_file.write_text(text + "\n", encoding="utf-8")
    except EXPECTED_FAILURES as error:
        print(f"wending selftest: {' '.join(str(error).split()) or 'not enough memory'}", file=sys.stderr)
        return 1
    return 0 if whole else 1


class _Selftest:
    """A test in progress."""

    def __init__(
        self,
        model: Path | None,
        load: dict[str, Any],
        count: int,
        seed: int,
        only: int | None,
        language: str,
    ) -> None:
        self._model, self._load, self._count = model, load, count
        self._seed, self._only, self._language = seed, only, language
        self._reference: Records = {}
        self.requests: list[MixedRequest] = []
        self.facts: dict[str, Any] = {}

    def run(self, console: Console) -> list[Verdict]:
        """All conditions, those that need the model in this process first."""
        loaded = load_engine(self._model, **self._load)
        self.requests = self._requests_for(loaded)
        self.facts = _facts(loaded, len(self.requests))
        for line in _fact_lines(self.facts, self._language):
            console.print(line, markup=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        shown = Console(stderr=True)
        with Progress(*columns, console=shown, disable=not shown.is_terminal, transient=True) as progress:
            verdicts = self._in_process(loaded, progress)
            info = loaded.info
            del loaded  # its memory is needed for the engine's own process
            gc.collect()
            return verdicts + asyncio.run(self._in_engine_process(info, progress))

    def _requests_for(self, loaded: LoadedEngine) -> list[MixedRequest]:
        vocab_size = loaded.engine.tokenizer.vocab_size
        count = self._count if self._only is None else max(self._count, self._only + 1)
        return mixed_requests(count, self._seed, vocab_size, loaded.engine.max_context)

    def _in_process(self, loaded: LoadedEngine, progress: Progress) -> list[Verdict]:
        rig = Rig(loaded, self.requests)
        compared = self._compared(self.requests)
        tick = self._following(progress, _say(self._language, "alone", "单独"), len(compared))
        self._reference = alone(rig, compared, tick)
        verdicts = []
        for place, condition in enumerate(CONDITIONS):
            part = self.requests if condition.for_all else self._part(place)
            name = _say(self._language, condition.english, condition.chinese)
            tick = self._following(progress, name, len(part))
            chance = random.Random(f"{self._seed} {condition.english}")
            start = time.monotonic()
            outcome = condition.run(rig, part, chance, tick)
            verdicts.append(self._judge(name, part, outcome, time.monotonic() - start))
        return verdicts

    async def _in_engine_process(self, info: ModelInfo, progress: Progress) -> list[Verdict]:
        """Streams out of the process that a service would start, with the same precision."""
        client = await asyncio.to_thread(load_client, self._model, **self._load)
        await client.start()
        try:
            served = (client.info.precision, client.info.kv_precision, client.info.instruction_set)
            tested = (info.precision, info.kv_precision, info.instruction_set)
            if served != tested:
                raise EngineDead(f"the engine's process uses {served}, not {tested} as before")
            verdicts = []
            for place, (english, chinese, kills) in enumerate(
                (
                    ("streamed by the engine's process", "由引擎进程流式输出", 0),
                    ("the engine's process killed", "引擎进程被杀死", KILLS),
                ),
                len(CONDITIONS),
            ):
                part = self._part(place)
                name = _say(self._language, english, chinese)
                chance = random.Random(f"{self._seed} {english}")
                start = time.monotonic()
                tick = self._following(progress, name, len(part))
                with _without_warnings():  # of the deaths that are meant
                    outcome = await streamed(client, part, kills, chance, tick)
                verdicts.append(self._judge(name, part, outcome, time.monotonic() - start))
            return verdicts
        finally:
            await client.close()

    def _part(self, place: int) -> list[MixedRequest]:
        """Another share of the requests for each condition, as far as there are enough."""
        size = max(len(self.requests) // PART, min(LEAST_PART, len(self.requests)))
        last = len(self.requests) - size
        start = place * size % (last + 1) if self._only is None else min(self._only, last)
        return self.requests[start : start + size]

    def _compared(self, requests: Sequence[MixedRequest]) -> Sequence[MixedRequest]:
        return [one for one in requests if self._only in (None, one.number)]

    def _following(self, progress: Progress, name: str, total: int) -> Tick:
        task = progress.add_task(name, total=total)
        return lambda: progress.advance(task)

    def _judge(self, name: str, part: Sequence[MixedRequest], outcome: Outcome, seconds: float) -> Verdict:
        compared = self._compared(part)
        verdict = Verdict(name, len(compared), 0, 0, outcome.happened, seconds)
        for request in compared:
            keys = [(request.number, index) for index in range(request.params.n)]
            verdict.tokens += sum(len(self._reference[key].token_ids) for key in keys)
            found = [
                first_divergence(key, self._reference[key], outcome.records.get(key), logits=outcome.logits)
                for key in keys
            ]
            differences = [one for one in found if one is not None]
            verdict.equal += not differences
            verdict.differences += differences[:1]
        return verdict


@contextmanager
def _without_warnings() -> Iterator[None]:
    log = logging.getLogger("wending.engine")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _say(language: str, english: str, chinese: str) -> str:
    return chinese if language == "zh" else english


def _facts(loaded: LoadedEngine, requests: int) -> dict[str, Any]:
    info = loaded.info
    return {
        "wending": __version__,
        "model": info.name,
        "precision": info.precision,
        "kv_precision": info.kv_precision,
        "instruction_set": info.instruction_set,
        "threads": threads_in_use(),
        "requests": requests,
    }


def _fact_lines(facts: dict[str, Any], language: str) -> list[str]:
    say: Callable[[str, str], str] = lambda english, chinese: _say(language, english, chinese)  # noqa: E731
    return [
        f"{say('model', '模型')}: {facts['model']}, {facts['precision']}, "
        f"{say('KV cache', 'KV 缓存')} {facts['kv_precision']}",
        f"{say('machine', '机器')}: {facts['instruction_set']}, {facts['threads']} {say('threads', '线程')}",
        f"{facts['requests']} "
        + say(
            "requests, each alone first; then tokens, text, log-probabilities and logits must be the same",
            "个请求，先逐个单独运行；之后词元、文本、对数概率和 logits 都必须完全一致",
        ),
    ]


def _table(verdicts: Sequence[Verdict], language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(_say(language, "condition", "条件"))
    for english, chinese in (
        ("happened", "发生次数"), ("tokens", "词元"), ("seconds", "秒"), ("equal", "一致"),
    ):  # fmt: skip
        table.add_column(_say(language, english, chinese), justify="right")
    for verdict in verdicts:
        result = _say(language, "not shown", "未能验证")
        if verdict.happened or verdict.equal < verdict.requests:
            result = _say(
                language,
                f"{verdict.equal:,} of {verdict.requests:,}",
                f"{verdict.equal:,} / {verdict.requests:,}",
            )
        row = f"{verdict.happened:,}", f"{verdict.tokens:,}", f"{verdict.seconds:.1f}", result
        table.add_row(verdict.condition, *row)
    return table


def _print_differences(
    console: Console,
    verdicts: Sequence[Verdict],
    requests: Sequence[MixedRequest],
    again: str,
    language: str,
) -> None:
    """The first differences in detail."""
    by_number = {one.number: one for one in requests}
    differences = [(verdict, one) for verdict in verdicts for one in verdict.differences]
    for verdict, one in differences[:SHOWN]:
        number, index = one.key
        request = by_number[number]
        lines = [
            f"{_say(language, 'request', '请求')} {number}, {_say(language, 'completion', '回答')} {index}, "
            f"{verdict.condition}: {one.what} {_say(language, 'at token', '，位于词元')} {one.position}",
            f"  {_say(language, 'alone', '单独')}: {one.expected}",
            f"  {_say(language, 'here', '此处')}: {one.found}",
            f"  {_say(language, 'tokens before', '之前的词元')}: {one.tokens_before}",
            f"  {_say(language, 'prompt of', '提示长度')} {len(request.prompt_token_ids)}; {request.params}",
            f"  {_say(language, 'again', '重现')}: {again} --only {number}",
        ]
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)


def _conclude(console: Console, verdicts: Sequence[Verdict], count: int, language: str) -> bool:
    """The last line. Returns whether every request was equal under every condition that it went through."""
    changed = {difference.key[0] for verdict in verdicts for difference in verdict.differences}
    if changed:
        text = _say(
            language,
            f"{len(changed):,} of {count:,} requests differ.",
            f"{count:,} 个请求中有 {len(changed):,} 个不一致。",
        )
    else:
        text = _say(
            language,
            f"{count:,} of {count:,} requests equal under every condition.",
            f"{count:,} / {count:,} 个请求在全部条件下一致。",
        )
    unseen = [verdict.condition for verdict in verdicts if not verdict.happened]
    if unseen:
        text += " " + _say(language, f"Not shown: {', '.join(unseen)}.", f"未能验证：{'、'.join(unseen)}。")
    console.print(text, markup=False, soft_wrap=True)
    return not changed
