"""llama.cpp through llama-cpp-python's low-level interface, the way its own server runs several sequences.

Each sequence has its own id in one context; prompts go in together, n_batch tokens at a time, then a step
computes one token of every sequence. A beginning that prompts share is computed in the first sequence and
copied to the others. Batch sizes, flash attention and cache type are llama.cpp's defaults.
"""

from __future__ import annotations

import argparse
import ctypes
import time

import llama_cpp
import numpy as np
from adapter import Tokens, main, shared_length

CELLS = 256
"""llama.cpp rounds the context of a sequence up to this many tokens."""
UNIFIED_FROM = 1024  # tokens of a sequence


class LlamaCpp:
    def __init__(self, options: argparse.Namespace) -> None:
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(str(options.model).encode(), params)
        if not self._model:
            raise ValueError(f"llama.cpp cannot load {options.model}")
        self._threads = options.threads
        self._vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))
        self._room = (0, 0)
        self._context = None
        self.facts = {
            "version": llama_cpp.__version__,
            "system": llama_cpp.llama_print_system_info().decode(),
            "threads": options.threads,
        }

    def prepare(self, sequences: int, length: int) -> None:
        """A context for so many sequences, with a cache of its own for each or one for all."""
        room = (sequences, -(-length // CELLS) * CELLS)
        if room == self._room:
            return
        if self._context:
            llama_cpp.llama_free(self._context)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = room[0] * room[1]
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = self._threads
        # Its batches of long sequences are those that share a beginning, and for them one cache is faster.
        params.kv_unified = sequences > 1 and length >= UNIFIED_FROM
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            raise ValueError(f"llama.cpp cannot make a context of {sequences} x {room[1]} tokens")
        self._room = room
        self._n_batch = llama_cpp.llama_n_batch(self._context)
        self.facts |= {"n_batch": self._n_batch, "n_ubatch": llama_cpp.llama_n_ubatch(self._context)}

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        batch = llama_cpp.llama_batch_init(self._n_batch, 0, 1)
        try:
            return self._generate(batch, prompts, output_tokens)
        finally:
            llama_cpp.llama_batch_free(batch)

    def _generate(
        self, batch: llama_cpp.llama_batch, prompts: Tokens, output_tokens: int
    ) -> tuple[Tokens, float]:
        shared = shared_length(prompts)
        self._share(batch, prompts[0][:shared], len(prompts))
        entries = [
            (token, position, sequence, position == len(prompt) - 1)
            for sequence, prompt in enumerate(prompts)
            for position, token in enumerate(prompt[shared:], shared)
        ]
        newest: list[int] = []
        for first in range(0, len(entries), self._n_batch):
            newest += self._decode(batch, entries[first : first + self._n_batch])
        first_token_at = time.perf_counter()
        completions = [[token] for token in newest]
        for step in range(output_tokens - 1):
            entries = [
                (token, len(prompts[sequence]) + step, sequence, True)
                for sequence, token in enumerate(newest)
            ]
            newest = self._decode(batch, entries)
            for completion, token in zip(completions, newest, strict=True):
                completion.append(token)
        return completions, first_token_at

    def _share(self, batch: llama_cpp.llama_batch, tokens: list[int], sequences: int) -> None:
        """Puts `tokens` at the beginning of every sequence, computed once."""
        entries = [(token, position, 0, False) for position, token in enumerate(tokens)]
        for first in range(0, len(entries), self._n_batch):
            self._decode(batch, entries[first : first + self._n_batch])
        if tokens:
            memory = llama_cpp.llama_get_memory(self._context)
            for sequence in range(1, sequences):
                llama_cpp.llama_memory_seq_cp(memory, 0, sequence, -1, -1)

    def _decode(self, batch: llama_cpp.llama_batch, entries: list[tuple[int, int, int, bool]]) -> list[int]:
        """Computes (token, position, sequence, whether its logits are wanted); the greedy tokens of those."""
        for index, (token, position, sequence, wanted) in enumerate(entries):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wanted
        batch.n_tokens = len(entries)
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise RuntimeError(f"llama_decode of {len(entries)} tokens answered {status}")
        wanted_rows = sum(entry[3] for entry in entries)
        if wanted_rows == 0:
            return []
        logits = ctypes.cast(
            llama_cpp.llama_get_logits(self._context), ctypes.POINTER(ctypes.c_float * self._vocabulary)
        )
        rows = np.ctypeslib.as_array(
            ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (wanted_rows, self._vocabulary)
        )
        return rows.argmax(axis=1).tolist()


if __name__ == "__main__":
    main(LlamaCpp)
