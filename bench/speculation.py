"""What guessing tokens saves, and what it costs where it does not help.

    python bench/speculation.py CHECKPOINT [--quant int8] [--tokenizer FOLDER] [--tokens 256] [--repeats 3]

Random weights write nothing worth copying, so the text is given: the model computes every step in full, and
then the next token of the given text gets the largest logit. What is measured is thereby the speed of the
engine on real texts: source code with an edit, JSON over tickets that stand in the prompt as text,
prose that nothing was said of before, and, as the hardest case, tokens among which every guess finds a
match and few come true. `--tokenizer`: a folder with Qwen2.5's tokenizer.json, for real token borders.
One stream and several; guesses on and off take turns. What guesses cost on a machine is learned on one
text before, as a service has before long; how well they do is learned anew by every answer. The ratio is
the median over pairs of runs that follow each other: a shared machine changes its speed within minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wending.engine.engine import Engine
from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams
from wending.model.batch import ForwardBatch
from wending.model.kv_cache import KVCache
from wending.model.model import Model
from wending.model.tokenizer import Tokenizer

ROOT = Path(__file__).parent.parent
NAMES = (
    ["Amara", "Boris", "Chen", "Dagny", "Emil", "Farid", "Greta", "Hiroshi"],
    ["Miller", "Tanaka", "Okafor", "Novak", "Lindqvist", "Haddad", "Moreau", "Castillo"],
)
COMPLAINTS = (
    [
        "The invoice of last month",
        "A parcel with spare parts",
        "The heating in the second office",
        "My contract",
    ],
    [
        "was sent to the wrong address",
        "has not arrived after three weeks",
        "stopped working on Monday morning",
    ],
    ["and nobody answers the telephone.", "although I had called twice before.", "so we cannot go on."],
)
Text = tuple[list[int], list[int]]
"""A prompt and its answer, as token ids."""


class DictatedModel:
    """A model that says a given text, whatever it has computed. All sequences of a batch say the same."""

    def __init__(self, model: Model, text: Sequence[int]) -> None:
        self._model = model
        self._text = np.array([*text, 0], dtype=np.int64)
        self.config, self.precision = model.config, model.precision

    def forward(self, batch: ForwardBatch, cache: KVCache) -> NDArray[np.float32]:
        logits = self._model.forward(batch, cache)
        following = self._text[np.minimum(batch.positions[batch.logit_rows] + 1, len(self._text) - 1)]
        logits[np.arange(len(logits)), following] = 1e4
        return logits


def texts(tokenizer: Tokenizer, tokens: int) -> dict[str, Text]:
    """Each of the four kinds, its answer cut to so many tokens."""
    numbers = random.Random(1)
    code = (ROOT / "src/wending/engine/scheduler.py").read_text("utf-8")[3000:9000]
    edited = code.replace("victim", "loser").replace("budget", "tokens_left")
    rows = [
        {
            "ticket": numbers.randrange(10_000, 99_999),
            "customer": " ".join(numbers.choice(part) for part in NAMES),
            "opened": str(date(2015, 1, 1) + timedelta(numbers.randrange(4000))),
            "complaint": " ".join(numbers.choice(part) for part in COMPLAINTS),
        }
        for _ in range(24)
    ]
    listed = "\n".join("; ".join(map(str, row.values())) for row in rows)
    prose = (ROOT / "docs/performance-log.md").read_text("utf-8")
    few = [numbers.randrange(1000, 1008) for _ in range(512 + tokens)]
    made = {
        "code with an edit": (f"Rename victim and budget:\n{code}\n", edited),
        "JSON over given text": (f"Write as JSON:\n{listed}\n", json.dumps(rows, indent=1)),
        "new prose": ("Write about performance.\n", prose),
    }
    encoded = {
        name: (tokenizer.encode(prompt), tokenizer.encode(answer)[:tokens])
        for name, (prompt, answer) in made.items()
    }
    return {**encoded, "few tokens at random": (few[:512], few[512:])}


def seconds(engine: Engine, text: Text, streams: int) -> float:
    """From the first token of the last stream to the end: `streams` times the same text, decoded together."""
    prompt, answer = text
    params = SamplingParams(temperature=0, max_tokens=len(answer), ignore_eos=True)
    names = [str(stream) for stream in range(streams)]
    for name in names:
        engine.add_request(name, prompt, params)
    said: dict[str, list[int]] = {name: [] for name in names}
    start = time.perf_counter()
    while engine.has_work:
        begun = all(said.values())
        for name, delta in engine.step():
            said[name] += delta.token_ids
        if not begun:
            start = time.perf_counter()
    taken = time.perf_counter() - start
    if any(tokens != answer for tokens in said.values()):
        raise RuntimeError("the engine did not say the given text")
    return taken


def engine_like(engine: Engine, tokenizer: Tokenizer, text: Text, speculate: bool, streams: int) -> Engine:
    """An engine over the same weights that says the text; its cache is no larger than it needs."""
    scheduler, model = engine.scheduler, engine.model
    context = len(text[0]) + len(text[1]) + 16
    block_size = scheduler.block_manager.block_size
    num_blocks = streams * (context // block_size + 2)
    dictated: Any = DictatedModel(model, [*text[0], *text[1]])
    return Engine(
        dictated,
        KVCache(model.config, num_blocks, block_size, engine.cache.dtype),
        tokenizer,
        eos_token_ids=frozenset(),
        max_context=context,
        num_blocks=num_blocks,
        block_size=block_size,
        max_tokens_per_step=scheduler.max_tokens_per_step,
        max_running=scheduler.max_running,
        speculate=speculate,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, nargs="?", help="default: the bundled model")
    parser.add_argument("--quant", default="auto")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    loaded = load_engine(options.checkpoint, quant=options.quant)
    tokenizer = loaded.engine.tokenizer
    if options.tokenizer is not None:
        tokenizer = Tokenizer.load(options.tokenizer)
    print(f"{loaded.info.name}, {loaded.info.precision}, medians of {options.repeats}")
    print(f"{'text':24} {'streams':>7} {'plain tok/s':>12} {'guessing':>9} {'ratio':>6}  came true")
    for name, text in texts(tokenizer, options.tokens).items():
        for streams in options.streams:
            engines = [engine_like(loaded.engine, tokenizer, text, guess, streams) for guess in (False, True)]
            taken: list[list[float]] = [[], []]
            for _ in range(1 + options.repeats):
                for engine, times in zip(engines, taken, strict=True):
                    times.append(seconds(engine, text, streams))
            stats = engines[1].stats()
            plain, guessing = (statistics.median(times[1:]) for times in taken)
            ratio = statistics.median(off / on for off, on in zip(taken[0][1:], taken[1][1:], strict=True))
            tokens = streams * (len(text[1]) - 1)
            print(
                f"{name:24} {streams:7} {tokens / plain:12.1f} {tokens / guessing:9.1f} "
                f"{ratio:6.2f}  {stats.drafts_accepted_total} of {stats.tokens_drafted_total}",
                flush=True,
            )


if __name__ == "__main__":
    main()
