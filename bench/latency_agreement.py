"""Do wending's load generator, guidellm and vllm bench serve measure the same times on the same server?

    python bench/load_generators.py FOLDER --setup     installs the others into FOLDER/environments, once
    python bench/latency_agreement.py FOLDER           some eight minutes
    python bench/latency_agreement.py FOLDER --servers "wending serve" --checkpoint MODEL

Two servers: the scripted endpoint, whose times are drawn from lognormal distributions, the same for each
generator, and `wending serve` on the bundled model or on another checkpoint. The same prompts, the same
length of answer, the same closed loop. The generators take turns in every round, each with a server that has
just been started.

A model answers a second run as fast as the first only by chance. So every request goes through a tap, which
notes on the way when it passed and when each event of its answer did. The first table has each generator's
figure divided by the tap's of the same run; the second, the other's figure divided by wending's in the same
round. Both are medians over rounds, with the lowest and the highest.

Compared are figures of one definition, from the times that each generator has kept of every request: TTFT,
from sending to the first event with text; TPOT, (last - first event with text) / (tokens - 1); gaps between
events with text; tokens per second of one stream, 1 / TPOT. What each prints under those names follows below:
docs/load-generator.md says why it differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.generators import generators
from bench.generators.tap import Tap
from bench.generators.timed import Job, JobError, TimedRequest

from wending.assess.scripted import Script, ScriptedProcess
from wending.assess.scripted.times import Lognormal
from wending.assess.stats import median, quantile
from wending.assess.target import OwnServer

SCRIPT = Script(
    ttft_s=Lognormal(median=0.2, sigma=0.5), token_s=Lognormal(median=0.03, sigma=0.3), tokens=1000
)
SHARES = (0.5, 0.95)
Figures = dict[str, float]


@asynccontextmanager
async def scripted(_: Path, __: Path | None) -> AsyncIterator[tuple[str, int, str]]:
    """Base URL, process id, name of the model."""
    async with ScriptedProcess(SCRIPT) as server:
        yield server.base_url, server.pid, SCRIPT.model


@asynccontextmanager
async def served(folder: Path, checkpoint: Path | None) -> AsyncIterator[tuple[str, int, str]]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])  # for the server: a generator must not take its processor time
    try:
        async with _served(folder, checkpoint, cores[:1]) as found:
            yield found
    finally:
        os.sched_setaffinity(0, cores)


@asynccontextmanager
async def _served(
    folder: Path, checkpoint: Path | None, generator_cores: Sequence[int]
) -> AsyncIterator[tuple[str, int, str]]:
    async with OwnServer(checkpoint, folder / "server.log") as server:
        await server.wait_until_ready(lambda _: None)
        os.sched_setaffinity(0, generator_cores)
        async with aiohttp.ClientSession() as session, session.get(f"{server.base_url}/models") as models:
            name = (await models.json())["data"][0]["id"]
        yield server.base_url, server.pid, name


SERVERS = {"scripted endpoint": scripted, "wending serve": served}


def figures_of(requests: Sequence[TimedRequest]) -> Figures:
    """Seconds, and tokens per second; those that the generator's times do not give are left out."""
    tpots = [(one.last - one.first) / (one.tokens - 1) for one in requests]
    gaps = [
        after - before
        for one in requests
        if one.arrivals is not None
        for before, after in pairwise(one.arrivals)
    ]
    series = {
        "TTFT": [one.first - one.sent for one in requests],
        "TPOT": tpots,
        "gap between tokens": gaps,
        "tok/s of a stream": [1 / tpot for tpot in tpots if tpot > 0],
    }
    found: Figures = {}
    for name, values in series.items():
        for share in SHARES:
            value = quantile(values, share)
            if value is not None:
                found[f"{name} p{100 * share:.0f}"] = value
    whole = max(one.last for one in requests) - min(one.sent for one in requests)
    found["tok/s of all streams"] = sum(one.tokens for one in requests) / whole
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one generator; all empty where it failed."""

    figures: Figures
    """Of one definition, from the generator's own times."""
    tapped: Figures
    """The same, from the times of the tap."""
    reported: Figures
    """As the generator defines and prints them."""


async def run(name: str, server: str, options: argparse.Namespace) -> Run:
    """Raises JobError."""
    prompts = [f"Request {number}: tell me about it." for number in range(options.requests)]
    with tempfile.TemporaryDirectory() as folder:
        async with (
            SERVERS[server](Path(folder), options.checkpoint) as (base_url, pid, model),
            Tap(base_url) as tap,
        ):
            job = Job(tap.base_url, pid, model, prompts, options.tokens, options.streams)
            outcome = await generators.run(name, job, options.folder)
    return Run(figures_of(outcome.requests), figures_of(tap.requests), outcome.reported)


async def measure(names: Iterable[str], server: str, options: argparse.Namespace) -> dict[str, list[Run]]:
    """Runs of each generator, with the reasons of those that failed; and the tables."""
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(options.rounds):
        for name, made in runs.items():
            try:
                made.append(await run(name, server, options))
            except JobError as error:
                print(f"{server}, round {number + 1}: {generators.TITLES[name]}: {error}", flush=True)
                made.append(Run({}, {}, {}))
    print(f"\n## {server}\n\n{tap_table(runs)}\n\nFrom run to run:\n\n{ratio_table(runs)}\n")
    print(f"As each generator defines and prints it:\n\n{reported_table(runs)}\n", flush=True)
    return runs


def tap_table(runs: dict[str, list[Run]]) -> str:
    rows = [["figure", "tap", *(f"{generators.TITLES[name]} / tap" for name in runs)]]
    for figure in dict.fromkeys(figure for made in runs.values() for one in made for figure in one.figures):
        tapped = [one.tapped[figure] for made in runs.values() for one in made if figure in one.tapped]
        ratios = (
            [one.figures[figure] / one.tapped[figure] for one in made if figure in one.figures]
            for made in runs.values()
        )
        rows.append([figure, _value(figure, tapped), *(_ratio(each) for each in ratios)])
    return _table(rows)


def ratio_table(runs: dict[str, list[Run]]) -> str:
    others = [name for name in runs if name != "wending"]
    rows = [["figure", "wending", *(f"{generators.TITLES[name]} / wending" for name in others)]]
    for figure in dict.fromkeys(figure for one in runs["wending"] for figure in one.figures):
        cells = [figure, _value(figure, [one.figures[figure] for one in runs["wending"] if one.figures])]
        for name in others:
            pairs = zip(runs["wending"], runs[name], strict=True)
            both = [(own, other) for own, other in pairs if figure in own.figures and figure in other.figures]
            cells.append(_ratio([other.figures[figure] / own.figures[figure] for own, other in both]))
        rows.append(cells)
    return _table(rows)


def reported_table(runs: dict[str, list[Run]]) -> str:
    rows = [["figure", *(generators.TITLES[name] for name in runs)]]
    for figure in dict.fromkeys(figure for made in runs.values() for one in made for figure in one.reported):
        found = ([one.reported[figure] for one in made if figure in one.reported] for made in runs.values())
        rows.append([figure.replace("_", " "), *(_value(figure, values) for values in found)])
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    head, *rest = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rest))


def _ratio(ratios: Sequence[float]) -> str:
    middle = median(ratios)
    return "–" if middle is None else f"{middle:.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def _value(figure: str, values: Sequence[float]) -> str:
    middle = median(values)
    if middle is None:
        return "–"
    return f"{middle:.1f}" if figure.startswith("tok/s") else f"{1000 * middle:.2f} ms"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="has the environments of the others")
    parser.add_argument("--servers", nargs="*", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--checkpoint", type=Path, help="of wending serve; default: the bundled model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--requests", type=int, default=60, help="of one run")
    parser.add_argument("--tokens", type=int, default=32, help="of an answer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also written there")
    options = parser.parse_args()
    if options.requests < 20 or options.tokens < 2:
        parser.error("at least 20 requests and 2 tokens are wanted: fewer have no p95 and no gap")
    options.folder = options.folder.resolve()
    return options


async def measure_all(options: argparse.Namespace) -> None:
    names = []
    for name, title in generators.TITLES.items():
        reason = generators.left_out(name, options.folder)
        names += [name] if reason is None else []
        if reason is not None:
            print(f"{title} is left out: {reason}", flush=True)
    load = os.getloadavg()[0]
    found = {server: await measure(names, server, options) for server in options.servers}
    print(f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    servers = {
        server: {name: [asdict(one) for one in made] for name, made in runs.items()}
        for server, runs in found.items()
    }
    result = json.dumps({"servers": servers}, indent=1)
    print(f"\n{result}" if options.json is None else "")
    if options.json is not None:
        options.json.write_text(result + "\n")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    asyncio.run(measure_all(parse()))


if __name__ == "__main__":
    main()
