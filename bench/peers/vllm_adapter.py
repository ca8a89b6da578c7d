"""vLLM for CPU, in this process, with its prefix cache: its engine steps until all requests are done."""

from __future__ import annotations

import argparse
import os
import time

from adapter import Tokens, main

KV_CACHE_GIB = 2
MAX_SEQUENCES = 64
SHARE_OF_MEMORY = 0.3
"""Of all memory, weights and workspace included. With the default of 0.92 it does not start beside others."""


class Vllm:
    def __init__(self, options: argparse.Namespace) -> None:
        cores = sorted(os.sched_getaffinity(0))[: options.threads]
        os.environ |= {
            "VLLM_CPU_KVCACHE_SPACE": str(KV_CACHE_GIB),
            "VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, cores)),
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
        import vllm

        self._params = vllm.SamplingParams
        self._engine = vllm.LLM(
            model=str(options.model),
            dtype="bfloat16",
            enable_prefix_caching=True,
            max_model_len=options.context,
            max_num_seqs=MAX_SEQUENCES,
            gpu_memory_utilization=SHARE_OF_MEMORY,  # also CPU memory, despite its name
            seed=0,
        ).llm_engine
        self._jobs = 0
        self.facts = {"version": vllm.__version__, "threads": options.threads}

    def prepare(self, sequences: int, length: int) -> None:
        pass

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        self._jobs += 1
        params = self._params(temperature=0.0, max_tokens=output_tokens, ignore_eos=True, detokenize=False)
        completions: dict[str, list[int]] = {}
        for index, prompt in enumerate(prompts):
            request_id = f"{self._jobs}-{index}"
            completions[request_id] = []
            self._engine.add_request(request_id, {"prompt_token_ids": prompt}, params)
        first_token_at = 0.0
        while self._engine.has_unfinished_requests():
            for output in self._engine.step():
                completions[output.request_id] = list(output.outputs[0].token_ids)
            if not first_token_at and all(completions.values()):
                first_token_at = time.perf_counter()
        return list(completions.values()), first_token_at


if __name__ == "__main__":
    main(Vllm)
