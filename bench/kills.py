"""Kills the engine's process at random moments under load, and counts what the clients notice.

    python bench/kills.py /models/Qwen2.5-0.5B-Instruct --quant int8 --kills 50

First every request is answered by an engine of this process, alone and undisturbed. Then streams ask the same
over and over while signals of all kinds kill worker after worker, some while they load; each answer must be
what it was: tokens, text and log-probabilities, bit for bit.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.invariance.answers import Answer, answers

from wending.engine.load import load_engine
from wending.engine.process_client import ProcessClient, load_client
from wending.engine.sampling_params import SamplingParams

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT)
WHILE_LOADING = 0.15  # of the kills; never two in a row, for a worker that never comes up is given up
SAMPLED = SamplingParams(temperature=0.9, top_p=0.95, repetition_penalty=1.1, logprobs=3)
GREEDY = SamplingParams(temperature=0, logprobs=2, ignore_eos=True, seed=0)

Request = tuple[list[int], SamplingParams]


@dataclass
class Outcome:
    """What the clients noticed."""

    kills: int = 0
    requests: int = 0
    lost: int = 0
    """Requests that ended with an error."""
    changed: int = 0
    """Requests whose answer was another one."""
    longest_pause_s: float = 0.0
    """Between two pieces of an answer."""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.requests} requests, {self.lost} lost, {self.changed} changed, "
            f"longest pause {self.longest_pause_s:.2f} s"
        )


def requests(count: int, vocab_size: int, longest_prompt: int, most_tokens: int, seed: int) -> list[Request]:
    """Short and long prompts, greedy and sampled by turns, one to three completions, some stop strings."""
    numbers = random.Random(seed)
    made = []
    for number in range(count):
        length = min(numbers.choice([1, 15, 16, 33, 70, 300]), longest_prompt)
        prompt = [numbers.randrange(min(vocab_size, 256)) for _ in range(length)]
        params = replace(SAMPLED, seed=number, n=1 + number % 3) if number % 2 else GREEDY
        params = replace(params, max_tokens=most_tokens // (1 + number % 2))
        made.append((prompt, replace(params, stop=("the", "稳")) if number % 5 == 0 else params))
    return made


async def kill_under_load(
    client: ProcessClient,
    asked: Sequence[Request],
    expected: Sequence[list[Answer]],
    *,
    kills: int,
    streams: int,
    apart_s: float,
    seed: int,
) -> Outcome:
    """Kill `kills` workers, at random moments up to `apart_s` after each has made its first tokens."""
    outcome = Outcome()
    order = itertools.cycle(range(len(asked)))
    killing = asyncio.create_task(_kill(client, outcome, kills, apart_s, random.Random(seed)))
    asking = [
        asyncio.create_task(_ask(client, asked, expected, order, killing, outcome)) for _ in range(streams)
    ]
    await killing
    await asyncio.gather(*asking)
    return outcome


async def _kill(
    client: ProcessClient, outcome: Outcome, kills: int, apart_s: float, numbers: random.Random
) -> None:
    while_loading = False
    while outcome.kills < kills:
        while_loading = not while_loading and outcome.kills > 0 and numbers.random() < WHILE_LOADING
        if while_loading:
            while not client.stats().restarting:
                await asyncio.sleep(0.001)
            await asyncio.sleep(numbers.random() * 0.3)
        else:
            await _until_it_makes_tokens(client)
            await asyncio.sleep(numbers.random() * apart_s)
        worker = client.worker
        if not worker.exited.done():
            os.kill(worker.pid, numbers.choice(SIGNALS))
            outcome.kills += 1


async def _until_it_makes_tokens(client: ProcessClient) -> None:
    while client.stats().restarting:
        await asyncio.sleep(0.001)
    before = client.stats().tokens_generated_total
    while client.stats().tokens_generated_total == before:
        await asyncio.sleep(0.001)


async def _ask(
    client: ProcessClient,
    asked: Sequence[Request],
    expected: Sequence[list[Answer]],
    order: Iterator[int],
    killing: asyncio.Task[None],
    outcome: Outcome,
) -> None:
    """One request after the other until the killing is over."""
    while not killing.done():
        number = next(order)
        prompt, params = asked[number]
        collected = [Answer() for _ in range(params.n)]
        newest: float | None = None
        try:
            async with aclosing(client.generate(prompt, params, "r")) as deltas:
                async for delta in deltas:
                    now = time.perf_counter()
                    if newest is not None:
                        outcome.longest_pause_s = max(outcome.longest_pause_s, now - newest)
                    newest = now
                    collected[delta.index].add(delta)
        except Exception as error:
            print(f"request {number} was lost: {error}", flush=True)
            outcome.lost += 1
        else:
            outcome.lost += any(one.finish_reason == "error" for one in collected)
            outcome.changed += collected != expected[number]
        outcome.requests += 1


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", type=Path, help="checkpoint (default: the bundled one)")
    parser.add_argument("--quant", choices=("auto", "bf16", "f32", "int8", "int4"), default="auto")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--requests", type=int, default=32, help="different ones, asked over and over")
    parser.add_argument("--prompt", type=int, default=300, help="tokens of the longest")
    parser.add_argument("--tokens", type=int, default=120, help="most tokens of an answer")
    parser.add_argument("--apart", type=float, default=3.0, help="most seconds between up and killed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("wending").setLevel(logging.CRITICAL)

    loaded = load_engine(options.model, quant=options.quant)
    asked = requests(options.requests, loaded.info.vocab_size, options.prompt, options.tokens, options.seed)
    expected = [answers(loaded.engine, [request])[0] for request in asked]
    del loaded

    async def run() -> Outcome:
        client = await asyncio.to_thread(load_client, options.model, quant=options.quant)
        await client.start()
        outcome = await kill_under_load(
            client,
            asked,
            expected,
            kills=options.kills,
            streams=options.streams,
            apart_s=options.apart,
            seed=options.seed,
        )
        await client.close()
        return outcome

    outcome = asyncio.run(run())
    print(outcome)
    return int(outcome.lost > 0 or outcome.changed > 0)


if __name__ == "__main__":
    sys.exit(main())
