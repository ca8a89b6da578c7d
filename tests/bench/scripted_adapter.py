"""An adapter without an engine, for tests of the protocol: it "generates" from the prompt alone.

The model is a file that says how it behaves: {"fail": [...]} with any of "load", "job", "short" and "end".
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "peers"))

from adapter import Tokens, main


class Scripted:
    def __init__(self, options: argparse.Namespace) -> None:
        self._failures = json.loads(options.model.read_text())["fail"]
        if "load" in self._failures:
            raise ValueError("no such model")
        print("an engine may print what it likes")
        self.facts = {"version": "1.2", "process": os.getpid()}
        self._room = (0, 0)

    def prepare(self, sequences: int, length: int) -> None:
        self._room = (sequences, length)

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        assert self._room == (len(prompts), len(prompts[0]) + output_tokens)
        if "end" in self._failures:
            os._exit(3)
        if "job" in self._failures:
            raise RuntimeError("out of memory")
        first_token_at = time.perf_counter()
        tokens = output_tokens - 1 if "short" in self._failures else output_tokens
        return [[sum(prompt) + index for index in range(tokens)] for prompt in prompts], first_token_at


if __name__ == "__main__":
    main(Scripted)
