"""This project's engine, driven directly: no text, no HTTP."""

from __future__ import annotations

import argparse
import time

from adapter import Tokens, main

import wending
from wending import _kernels
from wending.engine.load import load_engine
from wending.engine.sampling_params import SamplingParams

CONTEXTS_KEPT = 4
"""The engine's KV cache holds so many of the longest context."""


class Wending:
    def __init__(self, options: argparse.Namespace) -> None:
        context = max(options.context, -(-options.tokens // CONTEXTS_KEPT))
        loaded = load_engine(
            options.model,
            quant=options.precision,
            max_context=context,
            threads=options.threads,
            speculate=False,  # the others do not either
        )
        self._engine = loaded.engine
        self.facts = {
            "version": wending.__version__,
            "precision": loaded.info.precision,
            "instruction_set": loaded.info.instruction_set,
            "threads": _kernels.threads(),
        }

    def prepare(self, sequences: int, length: int) -> None:
        pass

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        params = SamplingParams(temperature=0.0, max_tokens=output_tokens, ignore_eos=True)
        completions: dict[str, list[int]] = {}
        for index, prompt in enumerate(prompts):
            completions[str(index)] = []
            self._engine.add_request(str(index), prompt, params)
        first_token_at, waiting = 0.0, len(prompts)
        while self._engine.has_work:
            for request_id, delta in self._engine.step():
                waiting -= not completions[request_id]
                completions[request_id] += delta.token_ids
            if waiting == 0 and not first_token_at:
                first_token_at = time.perf_counter()
        return list(completions.values()), first_token_at


if __name__ == "__main__":
    main(Wending)
