"""How many streams of 20 tokens a second can one core drive? Wending, guidellm and vllm bench serve.

    python bench/load_generators.py                    wending's alone
    python bench/load_generators.py FOLDER --setup     installs the others into FOLDER/environments, once
    python bench/load_generators.py FOLDER             all three in turns; some ten minutes

The scripted endpoint has one core, the generator with all its processes another. Every token is the time at
which the server sent it, so that what the generator itself adds is known for each token whose arrival it
keeps: all (wending, vllm bench serve), or the first and the last of an answer (guidellm). A number of streams
is sustained if the 99 % quantile of that is at most 5 ms while so many run, and the server kept its own
schedule as well. All generators take turns, each at the level that its own search comes to: bisection
until neighbours are 10 % apart, then confirmations; one that fails lowers the level. The table has the
highest level that held whenever it was tried.

Needs a machine with nothing else to do: the column "others" says what it did besides, in cores.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.generators import generators
from bench.generators.overhead import Level, level_of
from bench.generators.search import Search
from bench.generators.timed import Job, JobError
from bench.peers.setup import make_environment

from wending.assess.scripted import Script, ScriptedProcess

TOKEN_S = 0.05
"""From token to token: 20 a second."""
SERVER_TRIES = 3
"""A level that the server itself did not keep up with says little of the generator: it is tried again."""
HEAD = (
    "| generator | streams | held | overhead p50 | p99 | p99 of first and last | server late p99 "
    "| processor/token | server's core | others |\n|---|---|---|---|---|---|---|---|---|---|"
)


async def drive(name: str, streams: int, options: argparse.Namespace) -> Level | None:
    """One level. Every stream begins within the time of one answer, and asks twice: so that they end and
    begin evenly while all of them run. Raises JobError; None where so many never ran at once."""
    tokens = round(options.seconds / TOKEN_S)
    script = Script(clock=True, ttft_s=TOKEN_S, token_s=TOKEN_S, tokens=tokens)
    async with ScriptedProcess(script) as server:
        os.sched_setaffinity(server.pid, {options.server_core})
        prompts = [f"Request {number}" for number in range(2 * streams)]
        job = Job(server.base_url, server.pid, script.model, prompts, tokens, streams, options.seconds)
        outcome = await generators.run(name, job, options.folder)
    return level_of(outcome, streams, TOKEN_S, options.seconds / 2)


async def try_level(name: str, streams: int, search: Search, options: argparse.Namespace) -> None:
    for _ in range(SERVER_TRIES):
        try:
            level, why = await drive(name, streams, options), "never had so many streams at once"
        except JobError as error:
            level, why = None, str(error)
        print(row(name, streams, level, why, verdict_on(level)), flush=True)
        if level is None or level.held or level.server_held:
            break
    search.add(streams, level, why if level is None else "")


def verdict_on(level: Level | None) -> str:
    if level is None:
        return "no"
    return "yes" if level.held else "no" if level.server_held else "no: the server was late"


async def measure(names: Iterable[str], options: argparse.Namespace) -> dict[str, Search]:
    searches = {name: Search(options.low, options.high, options.confirmations) for name in names}
    print(HEAD, flush=True)
    while any(search.next is not None for search in searches.values()):
        for name, search in searches.items():
            if (streams := search.next) is not None:
                await try_level(name, streams, search, options)
    return searches


def row(name: str, streams: int, level: Level | None, why: str, held: str) -> str:
    title = generators.TITLES[name]
    if level is None:
        return f"| {title} | {streams} | {held}: {why} |" + " |" * 7
    times = (level.p50_s, level.p99_s, level.edges_p99_s, level.server_late_p99_s)
    cells = [*(_cell(value, 1000, "ms", 2) for value in times), _cell(level.token_processor_s, 1e6, "µs", 0)]
    cells += [_cell(level.server_share, 100, "%", 0), _cell(level.others_share, 1, "", 2)]
    return f"| {title} | {streams} | {held} | {' | '.join(cells)} |"


def _cell(value: float | None, factor: float, unit: str, digits: int) -> str:
    return "–" if value is None else f"{factor * value:.{digits}f} {unit}".rstrip()


def table(searches: dict[str, Search]) -> str:
    rows = []
    for name, search in searches.items():
        streams = search.sustained or search.failed_at
        if streams is not None:
            level, why = search.last_at(streams)
            held, tried = search.held_of(streams)
            rows.append(row(name, streams, level, why, f"{held} of {tried}"))
    return "\n".join([HEAD, *rows])


def as_json(searches: dict[str, Search]) -> dict[str, object]:
    return {
        name: {
            "streams": search.sustained,
            "held": 0 if search.sustained is None else search.held_of(search.sustained)[0],
            "failed_at": search.failed_at,
            "levels": [
                {"streams": streams, "why": why or None, "held": level is not None and level.held}
                | (dataclasses.asdict(level) if level is not None else {})
                for streams, level, why in search.tried
            ],
        }
        for name, search in searches.items()
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="has the environments of the others")
    parser.add_argument("--setup", action="store_true", help="install the others, and end")
    parser.add_argument("--generators", nargs="*", choices=list(generators.TITLES), help="only these")
    parser.add_argument("--low", type=int, default=50, help="fewest streams that are wanted")
    parser.add_argument("--high", type=int, default=2500, help="more than can be sustained")
    parser.add_argument("--confirmations", type=int, default=2, help="of the highest level that held")
    parser.add_argument("--seconds", type=float, default=3.0, help="of an answer")
    parser.add_argument("--server-core", type=int, help="default: the last that may be used")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also written there")
    options = parser.parse_args()
    if options.setup and options.folder is None:
        parser.error("--setup: give a folder")
    if not 1 <= options.low < options.high:
        parser.error(f"--low {options.low} --high {options.high}: 1 <= low < high is wanted")
    if options.folder is not None:
        options.folder = options.folder.resolve()
    cores = sorted(os.sched_getaffinity(0))
    if options.server_core is None:
        options.server_core = cores[-1]
    options.core = next((core for core in cores if core != options.server_core), None)
    if options.core is None:
        parser.error("two cores are wanted, one of them for the server")
    return options


def set_up(folder: Path) -> None:
    for name in ("logs", "environments"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in generators.PEERS:
        make_environment(folder, name)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    options = parse()
    if options.setup:
        set_up(options.folder)
        return
    names = []
    for name, title in generators.TITLES.items():
        if options.generators and name not in options.generators:
            continue
        reason = generators.left_out(name, options.folder)
        names += [name] if reason is None else []
        if reason is not None:
            print(f"{title} is left out: {reason}", flush=True)
    os.sched_setaffinity(0, {options.core})  # and all that is started from here
    began = time.monotonic()
    load = [os.getloadavg()[0]]
    searches = asyncio.run(measure(names, options))
    load.append(os.getloadavg()[0])
    print(f"\n{time.monotonic() - began:.0f} s; load average {load[0]:.1f} before, {load[1]:.1f} after\n")
    print(table(searches))
    result = json.dumps({"load_average": load, "generators": as_json(searches)}, indent=1)
    print(f"\n{result}" if options.json is None else "")
    if options.json is not None:
        options.json.write_text(result + "\n")


if __name__ == "__main__":
    main()
