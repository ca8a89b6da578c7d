from __future__ import annotations

import ctypes
import json
import random
import subprocess
import sys
from pathlib import Path

import psutil

from wending.engine.constraint import Constraint
from wending.engine.grammar.memory import BYTES_BESIDE, grammar_bytes


class Vocabulary:
    """Each new token is an earlier one and one to three letters, which makes two nodes of a trie, as the
    tokens of Qwen2.5 do."""

    vocab_size = 60_000
    special_token_ids = frozenset({59_999})

    def __init__(self) -> None:
        numbers = random.Random(0)
        made = [bytes([byte]) for byte in range(256)]
        known = dict.fromkeys(made)
        while len(known) < self.vocab_size - 1:
            letters = bytes(numbers.choices(b"abcdefghijklmnopqrstuvwxyz", k=numbers.randint(1, 3)))
            made.append(made[numbers.randrange(len(made))][:8] + letters)
            known[made[-1]] = None
        self._octets = [*known, b""]
        self.added_tokens = {"<end>": 59_999}

    def token_bytes(self, token_id: int) -> bytes:
        return self._octets[token_id]

    def encode(self, text: str) -> list[int]:
        return list(text.encode())


def measure() -> int:
    """Bytes by which this process grows with the first constraints."""
    vocabulary = Vocabulary()
    ctypes.CDLL(None).malloc_trim(0)  # what was freed must not be used again unseen
    process = psutil.Process()
    before = process.memory_full_info().uss
    from wending.engine.grammar.grammar import Grammars

    grammars = Grammars(vocabulary, vocabulary.special_token_ids)  # type: ignore[arg-type]
    for number in range(64):
        schema = {"type": "object", "properties": {f"field_{number}": {"type": "string"}}}
        grammars.get(Constraint("json_schema", json.dumps(schema), "response_format"))
    return process.memory_full_info().uss - before


def test_what_is_planned_is_what_is_taken() -> None:
    """In a process of its own, which has not used llguidance before."""
    program = f"import {__name__} as here; print(here.measure())"
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True)
    planned = grammar_bytes(Vocabulary.vocab_size)
    assert planned / 2 < int(run.stdout) < planned
    assert grammar_bytes(0) == BYTES_BESIDE
