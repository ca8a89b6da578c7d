"""One engine as a subprocess: jobs come in as JSON lines, answers go out as JSON lines.

Each adapter runs in its engine's own environment and gives `main` a way to load the engine; the protocol, the
prompts, the clock and the check of the token counts are here and the same for all. Standard library only.

    out  {"event": "ready", "load_seconds": 3.2, "facts": {"version": "1.0"}}
    in   {"sequences": 8, "prompt_tokens": 32, "shared_tokens": 0, "output_tokens": 64,
          "seed": "8x32-64 1", "vocabulary": 100000}
    out  {"event": "done", "seconds": 2.1, "first_token_seconds": 0.3, "output_tokens": 512,
          "completions": [[17, 4, ...], ...]}
    out  {"event": "failed", "error": "..."}

With "only": 3 the job is the fourth sequence of that batch, alone. The adapter ends when its input does.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TextIO

Tokens = list[list[int]]


class PeerEngine(Protocol):
    """What an adapter must provide."""

    facts: dict[str, Any]
    """Versions and settings, to be kept beside the results."""

    def prepare(self, sequences: int, length: int) -> None:
        """Make room for a job of so many sequences of `length` tokens in all. Not timed."""

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        """Complete each prompt greedily by exactly `output_tokens` tokens, all prompts together.

        Returns the completions in the order of the prompts, and the time (`time.perf_counter`) at which every
        sequence had its first token. No text: token ids in, token ids out.
        """


def prompts_of(job: dict[str, Any]) -> Tokens:
    """Random token ids, the same for every engine, of which the first `shared_tokens` are the same in all
    prompts of the job; another seed gives prompts that share no prefix."""
    numbers = random.Random(job["seed"])

    def draw(count: int) -> list[int]:
        return [numbers.randrange(job["vocabulary"]) for _ in range(count)]

    shared = draw(job["shared_tokens"])
    own_tokens = job["prompt_tokens"] - len(shared)
    prompts = [shared + draw(own_tokens) for _ in range(job["sequences"])]
    return prompts if job.get("only") is None else [prompts[job["only"]]]


def shared_length(prompts: Tokens) -> int:
    """How many tokens all prompts begin with, for engines that must be told; 0 for a prompt alone.

    The last token of a prompt never counts: its logits are wanted, so it is computed for each.
    """
    if len(prompts) == 1:
        return 0
    shared = 0
    for tokens in zip(*(prompt[:-1] for prompt in prompts), strict=False):
        if len(set(tokens)) > 1:
            break
        shared += 1
    return shared


def perform(engine: PeerEngine, job: dict[str, Any]) -> dict[str, Any]:
    """Carries a job out and times it. Raises ValueError when the engine did not do all of the work."""
    prompts, wanted = prompts_of(job), job["output_tokens"]
    engine.prepare(len(prompts), job["prompt_tokens"] + wanted)
    start = time.perf_counter()
    completions, first_token_at = engine.generate(prompts, wanted)
    seconds = time.perf_counter() - start
    found = [len(completion) for completion in completions]
    if found != [wanted] * len(prompts):
        raise ValueError(f"{len(prompts)} x {wanted} output tokens were asked for, the engine made {found}")
    return {
        "event": "done",
        "seconds": seconds,
        "first_token_seconds": first_token_at - start,
        "output_tokens": sum(found),
        "completions": [list(map(int, completion)) for completion in completions],
    }


def serve(load: Callable[[], PeerEngine], jobs: TextIO, answers: TextIO) -> None:
    """Loads the engine and does the jobs, one after the other."""

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    start = time.perf_counter()
    try:
        engine = load()
    except Exception as error:
        traceback.print_exc()
        answer({"event": "failed", "error": f"{type(error).__name__}: {error}"})
        return
    answer({"event": "ready", "load_seconds": time.perf_counter() - start, "facts": engine.facts})
    for line in jobs:
        try:
            answer(perform(engine, json.loads(line)))
        except Exception as error:
            traceback.print_exc()
            answer({"event": "failed", "error": f"{type(error).__name__}: {error}"})


def main(load: Callable[[argparse.Namespace], PeerEngine]) -> None:
    """The command line of every adapter. What an engine prints goes to standard error, apart from answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path, help="what this engine loads: a folder or a file")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="bf16", help="for engines that quantise as they load")
    parser.add_argument("--context", type=int, default=8192, help="longest sequence that will be asked for")
    parser.add_argument("--tokens", type=int, default=16384, help="most tokens of all sequences of a job")
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(lambda: load(options), sys.stdin, answers)
