"""Weights to start from: random, but with the two attention heads that copying needs already in place.

Repeating what stands in the prompt takes a head that looks at the previous token and a later one that looks
for where the current token stood before and brings what followed it (Olsson et al. 2022,
https://arxiv.org/abs/2209.11895).  Small models find this pair late, if at all; here it is written into the
first two layers (in the spirit of Trockman & Kolter 2023, https://arxiv.org/abs/2305.09828).  Left free, the
first layer's attention soon drowns what it carries; so it is held as it is, and training shapes the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.model import Qwen2, Qwen2Shape

PAIRS_FOR_POSITION = 8
"""So many rotary pairs, the quickest, tell the previous token from the others."""
POSITION_STRENGTH = 8.0
LONGEST_MATCH = 400
"""Rotary pairs that turn less than a radian over this many tokens can compare tokens at any such distance."""
MATCH_STRENGTH = 2.0
EMBEDDING_DEVIATION = 0.04
LOGIT_SCALE = 2.0
LOOK_BACK_GAIN, COPY_GAIN = 0.1, 0.8
"""How loudly the heads write, to be heard beside embeddings of this size."""


def random_weights(model: Qwen2, generator: torch.Generator) -> None:
    """Normal(0, 0.02) as published; the two matrices that write to the residual stream are scaled down by
    sqrt(2 × layers) (Radford et al. 2019)."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            writes_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
            scale = (2 * model.shape.num_hidden_layers) ** -0.5 if writes_residual else 1.0
            deviation = EMBEDDING_DEVIATION if "embed_tokens" in name else 0.02 * scale
            torch.nn.init.normal_(parameter, std=deviation, generator=generator)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)


def rotary_frequencies(shape: Qwen2Shape) -> Tensor:
    return shape.rope_theta ** (-torch.arange(0, shape.head_dim, 2, dtype=torch.float32) / shape.head_dim)


def look_back(model: Qwen2, offset: int, directions: Tensor, places: Tensor) -> None:
    """The first head of group `offset` - 1 in layer 0 looks `offset` tokens back, by its biases alone, and
    writes `directions` of what it finds to `places`.

    A query (cos kf, -sin kf) and a key (1, 0) in the pair of frequency f give cos((distance - k) f) when both
    are rotated.
    """
    shape, attention = model.shape, model.attention(0)
    width, half, group = shape.head_dim, shape.head_dim // 2, offset - 1
    head = group * (shape.num_attention_heads // shape.num_key_value_heads)
    angle = offset * rotary_frequencies(shape)[:PAIRS_FOR_POSITION]
    pairs = torch.arange(PAIRS_FOR_POSITION)
    attention.k_proj.bias[group * width + pairs] = POSITION_STRENGTH
    attention.q_proj.bias[head * width + pairs] = POSITION_STRENGTH * torch.cos(angle)
    attention.q_proj.bias[head * width + pairs + half] = -POSITION_STRENGTH * torch.sin(angle)
    attention.v_proj.weight[group * width :][:width] = directions
    attention.o_proj.weight[:, head * width :][:, :width] = LOOK_BACK_GAIN * places.T


def induction_head(model: Qwen2, group: int, query: Tensor, key: Tensor, brought: Tensor) -> None:
    """The first head of a group in layer 1 looks where `key` of the past equals `query` of the present, and
    writes `brought` directions of what it finds back to where they stood."""
    shape, attention = model.shape, model.attention(1)
    width = shape.head_dim
    slow = (rotary_frequencies(shape) * LONGEST_MATCH < 1).repeat(2).float().unsqueeze(1)
    head = group * (shape.num_attention_heads // shape.num_key_value_heads)
    attention.q_proj.weight[head * width :][:width] = MATCH_STRENGTH * slow * query
    attention.k_proj.weight[group * width :][:width] = MATCH_STRENGTH * slow * key
    attention.v_proj.weight[group * width :][:width] = brought
    attention.o_proj.weight[:, head * width :][:, :width] = COPY_GAIN * brought.T


@torch.no_grad()
def initialize(model: Qwen2, seed: int) -> None:
    """Sets all weights. The planted heads take two key-value groups and four heads' width of hidden size."""
    generator = torch.Generator().manual_seed(seed)

    def rotation(size: int) -> Tensor:
        orthogonal: Tensor = torch.linalg.qr(torch.randn(size, size, generator=generator)).Q
        return orthogonal

    random_weights(model, generator)
    model.model.norm.weight.fill_(LOGIT_SCALE)
    width, size = model.shape.head_dim, model.shape.hidden_size
    one_back, two_back, *brought = torch.split(rotation(size), width)
    directions, turn = rotation(size)[:width], rotation(width)
    look_back(model, 1, directions, one_back)
    look_back(model, 2, directions, two_back)
    for group in range(2):
        induction_head(model, group, directions + turn @ one_back, one_back + turn @ two_back, brought[group])


def held(model: Qwen2) -> list[torch.nn.Parameter]:
    """What training leaves alone: the attention of layer 0."""
    return list(model.attention(0).parameters())
