"""What a grammar costs and saves: speed of JSON against free text, and time of the grammar in a step.

    python bench/structured.py CHECKPOINT [--quant int8] [--streams 1 16] [--tokens 200] [--repeats 3]
        [--spaces usual]

CHECKPOINT should have Qwen2.5's tokenizer: with 151,665 tokens masks are as large as they are in use. With
random weights the model does not write JSON by itself, but the grammar makes it: an array of employees with
name, age, department and date. Tokens that must follow are not computed one by one, so JSON is written
faster than free text; with guesses more so, since the array repeats its keys. White space between the parts
would be of every kind, so a bias has it set as models do, `{"name": "…", "age": 33}`; `--spaces any` is
without. The last column is the share of a step that the grammar takes: masks, its own steps, and the way to a
complete text.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.token_gap import engine_like

from wending.engine.completion import Completion
from wending.engine.constraint import Constraint
from wending.engine.engine import Engine
from wending.engine.grammar.guide import Guide
from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams
from wending.model.tokenizer import Tokenizer

EMPLOYEES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer", "minimum": 18, "maximum": 99},
            "department": {"enum": ["engineering", "sales", "human resources"]},
            "entry_date": {"type": "string", "format": "date"},
        },
        "required": ["name", "age", "department", "entry_date"],
        "additionalProperties": False,
    },
}

USUAL_PARTS = ('":', ' "', '",', "},", ' {"', '"},')
"""Tokens that stand between values, with the spaces that models set."""


def bias_of(tokenizer: Tokenizer, usual_spaces: bool) -> dict[int, float]:
    """Random weights would end the list after an employee or two. With `usual_spaces` they also write no
    other white space than blanks, and most of the time one or none."""
    octets = {token: tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size)}
    bias = {token: -100.0 for token in octets if b"]" in octets[token]}
    if usual_spaces:
        blank = tokenizer.encode(" ")[0]
        spaces = [token for token in octets if b"\n" in octets[token] or octets[token].isspace()]
        bias |= dict.fromkeys(spaces, -100.0) | {blank: 2.0}
        bias |= {tokenizer.encode(part)[0]: 8.0 for part in USUAL_PARTS}
    return bias


class Timed:
    """A function that adds up its time."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seconds = 0.0

    def __get__(self, instance: Any, owner: Any = None) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            try:
                return self.function(instance, *arguments)
            finally:
                self.seconds += time.perf_counter() - start

        return call


def run(
    engine: Engine,
    streams: int,
    tokens: int,
    budget: int,
    constraint: Constraint | None,
    bias: dict[int, float],
    seed: int,
) -> tuple[float, float]:
    """Tokens per second of all streams until each has so many, and the grammar's share of that time."""
    prompt = engine.tokenizer.encode("Write a list of employees as JSON.\n")
    said = dict.fromkeys(map(str, range(streams)), 0)
    for stream, name in enumerate(said):
        params = SamplingParams(
            temperature=0.7,
            seed=seed + stream,
            max_tokens=budget,
            ignore_eos=True,
            constraint=constraint,
            logit_bias=bias,
        )
        engine.add_request(name, prompt, params)
    start, counted, before = time.perf_counter(), 0, 0.0
    while min(said.values()) < tokens:
        begun = all(said.values())
        for name, delta in engine.step():
            if delta.finish_reason is not None:
                raise RuntimeError(f"stream {name} has ended: {delta.error or delta.finish_reason}")
            said[name] += len(delta.token_ids)
            counted += len(delta.token_ids)
        if not begun:
            start, counted, before = time.perf_counter(), 0, _fill.seconds + _take.seconds
    taken = time.perf_counter() - start
    for name in said:
        engine.abort_request(name)
    return counted / taken, (_fill.seconds + _take.seconds - before) / taken


_fill, _take = Timed(Completion.fill_allowed), Timed(Guide.take)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path, nargs="?", help="default: the bundled model")
    parser.add_argument("--quant", default="auto")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--budget", type=int, default=1024, help="max_tokens of the request")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--spaces", choices=["usual", "any"], default="usual")
    options = parser.parse_args()
    Completion.fill_allowed, Guide.take = _fill, _take  # type: ignore[assignment,method-assign]
    loaded = load_engine(options.checkpoint, quant=options.quant)
    constraint = Constraint("json_schema", json.dumps(EMPLOYEES))
    goes_on = bias_of(loaded.engine.tokenizer, usual_spaces=False)
    bias = bias_of(loaded.engine.tokenizer, usual_spaces=options.spaces == "usual")
    start = time.perf_counter()
    loaded.engine.grammars.get(constraint)
    print(
        f"{loaded.info.name}, {loaded.info.precision}; first grammar in {time.perf_counter() - start:.2f} s"
    )
    print(f"{'streams':>7} {'guesses':>8} {'free tok/s':>11} {'JSON tok/s':>11} {'ratio':>6} {'grammar':>8}")
    for streams in options.streams:
        for speculate in (False, True):
            engine = engine_like(loaded.engine, None, speculate=speculate)
            engine.grammars = loaded.engine.grammars
            rows = []
            for repeat in range(1 + options.repeats):
                seed, size = 100 * repeat, (streams, options.tokens, options.budget)
                free, _ = run(engine, *size, None, goes_on, seed)
                bound, share = run(engine, *size, constraint, bias, seed)
                rows.append((free, bound, bound / free, share))
            free, bound, ratio, share = (statistics.median(column) for column in zip(*rows[1:], strict=True))
            print(
                f"{streams:7} {'yes' if speculate else 'no':>8} {free:11.1f} {bound:11.1f} {ratio:6.2f} "
                f"{share:8.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
