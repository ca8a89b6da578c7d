"""transformers: `generate` on one batch of prompts of equal length."""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
import transformers
from adapter import Tokens, main


class FirstToken(transformers.StoppingCriteria):
    """Notes when it is first asked whether to stop: after the first token of all sequences."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self, input_ids: torch.Tensor, scores: Any, **rest: Any) -> torch.Tensor:  # noqa: ARG002
        self.at = self.at or time.perf_counter()
        return torch.zeros(len(input_ids), dtype=torch.bool)


class Transformers:
    def __init__(self, options: argparse.Namespace) -> None:
        torch.set_num_threads(options.threads)
        self._model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16)
        self._model.eval()
        # Without the checkpoint's sampling settings and without an end of text.
        self._model.generation_config = transformers.GenerationConfig(do_sample=False, pad_token_id=0)
        self.facts = {
            "version": transformers.__version__,
            "torch": torch.__version__,
            "attention": self._model.config._attn_implementation,
            "threads": torch.get_num_threads(),
        }

    def prepare(self, sequences: int, length: int) -> None:
        pass

    @torch.inference_mode()
    def generate(self, prompts: Tokens, output_tokens: int) -> tuple[Tokens, float]:
        first = FirstToken()
        ids = torch.tensor(prompts)
        found = self._model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=output_tokens,
            stopping_criteria=[first],
        )
        return found[:, ids.shape[1] :].tolist(), first.at


if __name__ == "__main__":
    main(Transformers)
