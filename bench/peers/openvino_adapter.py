"""OpenVINO GenAI: its continuous batching pipeline, which takes the requests and steps until all are done.

Its prefix cache is looked at when a request is added. Where prompts share a beginning, the first of them
therefore goes ahead, and the others are added when it has its first token.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import openvino as ov
import openvino_genai
from adapter import Tokens, main, shared_length

CACHE_GIB = 2


class OpenVino:
    def __init__(self, options: argparse.Namespace) -> None:
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = CACHE_GIB
        scheduler.enable_prefix_caching = True
        self._pipeline = openvino_genai.ContinuousBatchingPipeline(
            str(options.model), scheduler, "CPU", {"INFERENCE_NUM_THREADS": options.threads}
        )
        self._jobs = 0
        self.facts = {
            "version": openvino_genai.__version__,
            "openvino": ov.get_version(),
            "max_num_batched_tokens": scheduler.max_num_batched_tokens,
            "threads": options.threads,
        }

    def prepare(self, sequences: int, length: int) -> None:
        pass

    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        config = openvino_genai.GenerationConfig(
            max_new_tokens=output_tokens, do_sample=False, ignore_eos=True
        )
        completions: Tokens = [[] for _ in prompts]
        handles: list[openvino_genai.GenerationHandle] = []
        ahead = 1 if shared_length(prompts) else len(prompts)
        first_token_at = 0.0
        while not first_token_at or self._pipeline.has_non_finished_requests():
            if all(completions[: len(handles)]):
                count = ahead if not handles else len(prompts)
                handles += [self._add(prompt, config) for prompt in prompts[len(handles) : count]]
            self._pipeline.step()
            for handle, completion in zip(handles, completions, strict=False):
                if handle.can_read():
                    for output in handle.read().values():
                        completion += output.generated_ids
            if not first_token_at and all(completions):
                first_token_at = time.perf_counter()
        return completions, first_token_at

    def _add(
        self, prompt: list[int], config: openvino_genai.GenerationConfig
    ) -> openvino_genai.GenerationHandle:
        self._jobs += 1
        ids = ov.Tensor(np.array([prompt], dtype=np.int64))
        return self._pipeline.add_request(self._jobs, ids, config)


if __name__ == "__main__":
    main(OpenVino)
