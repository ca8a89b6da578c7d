"""Batched generation with the torch model and a key-value cache, for evaluation only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from train.dialogues import Message
from train.model import Qwen2
from train.tokenizer import ChatRenderer, token_id


def choose(logits: Tensor, temperature: float, top_p: float, generator: torch.Generator) -> Tensor:
    """The next ids (rows,) of logits (rows, vocab): the largest at temperature 0, else one of the smallest
    set whose probability reaches `top_p` (Holtzman et al. 2020)."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    probability, order = torch.softmax(logits / temperature, dim=-1).sort(dim=-1, descending=True)
    probability[probability.cumsum(dim=-1) - probability >= top_p] = 0
    drawn = torch.multinomial(probability, 1, generator=generator)
    return order.gather(1, drawn).squeeze(1)


@torch.inference_mode()
def generate(
    model: Qwen2,
    tokenizer: Tokenizer,
    prompts: Sequence[Sequence[Message]],
    max_tokens: int = 600,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[str]:
    """One answer for each conversation, in the order given; they run as one batch padded on the left."""
    render, generator = ChatRenderer(), torch.Generator().manual_seed(seed)
    end, padding = token_id(tokenizer, "<|im_end|>"), token_id(tokenizer, "<|endoftext|>")
    encoded = [tokenizer.encode(render(prompt, add_generation_prompt=True)).ids for prompt in prompts]
    length = max(map(len, encoded))
    ids = torch.tensor([[padding] * (length - len(row)) + row for row in encoded])
    visible = torch.tensor([[False] * (length - len(row)) + [True] * len(row) for row in encoded])
    positions = (visible.cumsum(dim=1) - 1).clamp(min=0)
    # A padding query sees itself, lest its softmax be over nothing.
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    mask = (causal & visible[:, None, :] | torch.eye(length, dtype=torch.bool))[:, None]
    hidden, cache = model.hidden(ids, positions, mask)
    real = tokenizer.get_vocab_size()
    answers: list[list[int]] = [[] for _ in prompts]
    open_rows = torch.ones(len(prompts), dtype=torch.bool)
    position = positions[:, -1:]
    for _ in range(max_tokens):
        token = choose(model.logits(hidden[:, -1])[:, :real], temperature, top_p, generator)
        open_rows &= token != end
        for row in open_rows.nonzero().flatten().tolist():
            answers[row].append(int(token[row]))
        if not open_rows.any():
            break
        position = position + 1
        visible = torch.cat((visible, torch.ones(len(prompts), 1, dtype=torch.bool)), dim=1)
        hidden, cache = model.hidden(token.unsqueeze(1), position, visible[:, None, None, :], cache)
    return [tokenizer.decode(answer, skip_special_tokens=False) for answer in answers]
