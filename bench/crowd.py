"""Do answers change in a crowd? Greedy answers alone, against those to the same prompts asked all at once.

    python bench/crowd.py URL [URL ...]       running servers with OpenAI's chat protocol
    python bench/crowd.py --serve FOLDER      the engines that side_by_side.py has set up in FOLDER
    python bench/crowd.py --serve FOLDER --engines wending-int8 vllm

Each prompt is asked alone, then all at once, then each alone again: that is the control. Answers are compared
in full. Engines of --serve have their turns one by one, and are started a second time before the crowd: so
neither the first answers alone nor the crowd's find their prompts in a prefix cache; the last do.

An engine that brings no server for several requests at once (llama.cpp's Python package, whose server answers
one at a time; OpenVINO GenAI; transformers) is asked in its process, as in side_by_side.py: the crowd is one
batch of prompts of equal length, and answers are compared by token instead of by character.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.peers.chat import Chat, ChatError, chat_prompts
from bench.peers.engines import ENGINES, EngineSpec
from bench.peers.process import EngineError, EngineProcess
from bench.peers.server_process import served
from bench.peers.works import Work

SHAPE = "0.5b"
PROMPT_TOKENS = 128
"""Of an engine that is asked in its process."""

Answer = str | list[int]
Ask = Callable[[Sequence[int]], Sequence[Answer]]
"""Asks for these prompts at once."""
Start = Callable[[], AbstractContextManager[Ask]]


@dataclass(frozen=True, slots=True)
class Outcome:
    changed: list[int]
    """Of each answer that is another one in the crowd, how many characters or tokens still agree."""
    unsteady: int
    """Answers that are others when asked alone again."""
    sequences: int


def first_difference(one: Answer, other: Answer) -> int | None:
    """How many characters or tokens agree before the first that does not; None for equal answers."""
    if one == other:
        return None
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def experiment(start: Start, sequences: int) -> Outcome:
    """Every prompt alone; after another start all at once, then every one alone again."""
    every = range(sequences)
    with start() as ask:
        alone = [ask([index])[0] for index in every]
    with start() as ask:
        crowd = ask(every)
        again = [ask([index])[0] for index in every]
    differences = [first_difference(one, other) for one, other in zip(alone, crowd, strict=True)]
    return Outcome(
        changed=[position for position in differences if position is not None],
        unsteady=sum(one != other for one, other in zip(alone, again, strict=True)),
        sequences=sequences,
    )


def running(url: str, prompts: Sequence[str], tokens: int) -> AbstractContextManager[Ask]:
    """A server that somebody else started."""
    return nullcontext(Chat(url, prompts, tokens).ask)


@contextmanager
def started(spec: EngineSpec, options: argparse.Namespace, prompts: Sequence[str]) -> Iterator[Ask]:
    """An engine's server, or the engine in its adapter's process where it brings none."""
    log = options.serve / "logs" / f"crowd-{spec.name}.log"
    log.parent.mkdir(exist_ok=True)
    if spec.server:
        with served(spec, options.serve, SHAPE, options.threads, log) as url:
            yield Chat(url, prompts, options.tokens).ask
        return
    work = Work("crowd", options.sequences, PROMPT_TOKENS, options.tokens)
    command = spec.command(options.serve, SHAPE, work.length, work.tokens, options.threads)
    with EngineProcess(spec.name, command, log, spec.variables(options.serve)) as process:

        def ask(indices: Sequence[int]) -> Sequence[Answer]:
            only = indices[0] if len(indices) == 1 else None
            completions: list[Answer] = process.do(work.job(0) | {"only": only})["completions"]
            return completions

        yield ask


def row(title: str, unit: str, outcome: Outcome) -> str:
    first = f"{unit} {min(outcome.changed) + 1}" if outcome.changed else "–"
    changed, unsteady = (
        f"{count} of {outcome.sequences}" for count in (len(outcome.changed), outcome.unsteady)
    )
    return f"| {title} | {changed} | {first} | {unsteady} |"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="*", metavar="URL", help="base URLs of running servers")
    parser.add_argument("--serve", type=Path, metavar="FOLDER", help="start the engines set up in FOLDER")
    parser.add_argument("--engines", nargs="*", help=f"of {', '.join(spec.name for spec in ENGINES)}")
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64, help="most of an answer")
    parser.add_argument("--threads", type=int, default=2, help="of the engines that are started")
    parser.add_argument("--seed", type=int, default=0, help="of the prompts")
    options = parser.parse_args()
    if not options.urls and options.serve is None:
        parser.error("give base URLs of running servers, or --serve FOLDER")
    if options.sequences < 2:
        parser.error(f"--sequences {options.sequences}: a crowd is at least 2")
    unknown = {*(options.engines or ())} - {spec.name for spec in ENGINES}
    if unknown:
        parser.error(f"--engines: no {', '.join(sorted(unknown))}")
    if options.serve is not None:
        options.serve = options.serve.resolve()
    return options


def chosen_engines(options: argparse.Namespace) -> Iterator[EngineSpec]:
    for spec in ENGINES if options.serve is not None else ():
        if options.engines and spec.name not in options.engines:
            continue
        if spec.python(options.serve).exists() and spec.model_path(options.serve, SHAPE).exists():
            yield spec
        else:
            print(f"{spec.title} is left out: it is not set up in {options.serve}", flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no engine is left behind
    options = parse()
    prompts = chat_prompts(options.sequences, options.seed)
    jobs: list[tuple[str, str, Start]] = [
        (url, "character", partial(running, url, prompts, options.tokens)) for url in options.urls
    ]
    for spec in chosen_engines(options):
        title, unit = (spec.title, "character") if spec.server else (f"{spec.title}, in process", "token")
        jobs.append((title, unit, partial(started, spec, options, prompts)))
    rows = ["| engine | change in the crowd | first difference | change alone again |", "|---|---|---|---|"]
    for title, unit, start in jobs:
        try:
            rows.append(row(title, unit, experiment(start, options.sequences)))
            print(rows[-1], flush=True)
        except (EngineError, ChatError, aiohttp.ClientError, TimeoutError) as error:
            print(f"{title} is left out: {error}", flush=True)
    print("\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
