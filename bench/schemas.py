"""How many real JSON schemas can be enforced, and how short the ways are that complete their texts.

    python bench/schemas.py SCHEMAS [--tokenizer FOLDER]

SCHEMAS: a file with a JSON object in each line: "schema", and "tests", a list of {"data", "valid"}; such as
those of MaskBench (github.com/guidance-ai/jsonschemabench). TOKENIZER: a folder with tokenizer.json; the
default is the bundled model's. Also checked: that the grammar lets every valid instance pass and no invalid
one, and that the shortest text found is valid. The exit status is 1 if not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.ending import completes
from wending.engine.grammar.grammar import Grammar, Grammars
from wending.engine.load import checkpoint_path
from wending.model.tokenizer import Tokenizer


def wrong_instances(grammar: Grammar, grammars: Grammars, tests: list[dict[str, Any]]) -> int:
    """How many instances the grammar judges otherwise than it should."""
    texts = (json.dumps(test["data"], ensure_ascii=False).encode() for test in tests)
    found = [completes(grammar.start, grammars.endings.tokenize(text)) for text in texts]
    return sum(passes != test["valid"] for passes, test in zip(found, tests, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("schemas", type=Path)
    parser.add_argument("--tokenizer", type=Path, default=checkpoint_path(None))
    options = parser.parse_args()
    tokenizer = Tokenizer.load(options.tokenizer)
    grammars = Grammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))
    refused: Counter[str] = Counter()
    seconds: list[float] = []
    wrong = invalid = longer = compared = 0
    lines = options.schemas.read_text("utf-8").splitlines()
    for line in map(json.loads, lines):
        schema, tests = line["schema"], line.get("tests", [])
        try:
            grammar = grammars.get(Constraint("json_schema", json.dumps(schema)))
        except InvalidRequest as error:
            refused[error.message.split(" at /")[0][:60]] += 1
            continue
        start = time.perf_counter()
        ending = grammars.endings.find(grammar.start, grammar.hints) or []
        seconds.append(time.perf_counter() - start)
        text = b"".join(map(tokenizer.token_bytes, ending))
        invalid += not jsonschema_rs.is_valid(schema, json.loads(text))
        wrong += wrong_instances(grammar, grammars, tests)
        valid = [json.dumps(test["data"], separators=(",", ":")) for test in tests if test["valid"]]
        compared += bool(valid)
        longer += bool(valid) and len(ending) > min(len(tokenizer.encode(text)) for text in valid)
    print(f"{len(seconds)} of {len(lines)} schemas are enforced; {wrong} instances judged wrongly")
    print(f"shortest texts: {invalid} invalid, {longer} of {compared} longer than the shortest instance")
    print(f"found in {1e3 * statistics.mean(seconds):.1f} ms on average, {1e3 * max(seconds):.0f} ms at most")
    for reason, count in refused.most_common(6):
        print(f"{count:5} refused: {reason}")
    return int(bool(wrong or invalid))


if __name__ == "__main__":
    sys.exit(main())
