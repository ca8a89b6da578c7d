"""A plain Qwen2 decoder in torch, equal to transformers' ``Qwen2ForCausalLM``, for training and evaluation.

Architecture: RMSNorm (Zhang & Sennrich 2019), rotary positions (Su et al. 2021), grouped-query attention
(Ainslie et al. 2023) with bias on Q, K and V, SwiGLU (Shazeer 2020), tied embeddings.  Parameter names are
those of the published checkpoints, so ``state_dict()`` is the checkpoint.  It knows nothing of tokenizers,
files or dialogues.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Qwen2Shape:
    """The sizes of a Qwen2 decoder; the names are those of config.json."""

    vocab_size: int
    hidden_size: int = 256
    num_hidden_layers: int = 7
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    intermediate_size: int = 704
    max_position_embeddings: int = 4096
    rope_theta: float = 1000000.0
    rms_norm_eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def config(self) -> dict[str, Any]:
        """The part of config.json that these sizes decide."""
        return asdict(self)


Cache = list[tuple[Tensor, Tensor]]


def rotary_table(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine, each float32 (..., head_dim), for integer positions (...)."""
    inverse = 1.0 / theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angle = positions.float().unsqueeze(-1) * inverse
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates x (batch, heads, length, head_dim); the pairs are (i, i + head_dim / 2)."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine.to(x.dtype) + torch.cat((-second, first), dim=-1) * sine.to(x.dtype)


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    def __init__(self, shape: Qwen2Shape) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = (
            shape.num_attention_heads,
            shape.num_key_value_heads,
            shape.head_dim,
        )
        query, key_value = self.heads * self.head_dim, self.kv_heads * self.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, query, bias=True)
        self.k_proj = nn.Linear(shape.hidden_size, key_value, bias=True)
        self.v_proj = nn.Linear(shape.hidden_size, key_value, bias=True)
        self.o_proj = nn.Linear(query, shape.hidden_size, bias=False)

    def forward(
        self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, length, _ = x.shape

        def split(y: Tensor, heads: int) -> Tensor:
            return y.view(batch, length, heads, self.head_dim).transpose(1, 2)

        q = rotate(split(self.q_proj(x), self.heads), *rope)
        k = rotate(split(self.k_proj(x), self.kv_heads), *rope)
        v = split(self.v_proj(x), self.kv_heads)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        repeat = self.heads // self.kv_heads
        out = F.scaled_dot_product_attention(
            q,
            k.repeat_interleave(repeat, dim=1),
            v.repeat_interleave(repeat, dim=1),
            attn_mask=mask,
            is_causal=mask is None and past is None,
        )
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1)), (k, v)


class MLP(nn.Module):
    def __init__(self, shape: Qwen2Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    def __init__(self, shape: Qwen2Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = MLP(shape)
        self.input_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)

    def forward(
        self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        attended, present = self.self_attn(self.input_layernorm(x), rope, mask, past)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), present


class Decoder(nn.Module):
    def __init__(self, shape: Qwen2Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = RMSNorm(shape.hidden_size, shape.rms_norm_eps)


class Qwen2(nn.Module):
    """The decoder with its tied output head; the head has no tensor of its own."""

    def __init__(self, shape: Qwen2Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)

    def attention(self, layer: int) -> Attention:
        return cast(Layer, self.model.layers[layer]).self_attn

    def hidden(
        self,
        ids: Tensor,
        positions: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> tuple[Tensor, Cache]:
        """Final hidden states (batch, length, hidden) of ids (batch, length), and the keys and values so far.

        Without `mask` attention is causal over the whole row; with it, (batch, 1, length, keys), queries look
        where it is True. `positions` (batch, length) defaults to 0, 1, 2 …
        """
        if positions is None:
            positions = torch.arange(ids.shape[1]).unsqueeze(0)
        cosine, sine = rotary_table(positions, self.shape.head_dim, self.shape.rope_theta)
        rope = (cosine.unsqueeze(1), sine.unsqueeze(1))
        x = self.model.embed_tokens(ids)
        presents: Cache = []
        for index, layer in enumerate(self.model.layers):
            x, present = layer(x, rope, mask, cache[index] if cache is not None else None)
            presents.append(present)
        return self.model.norm(x), presents

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocab) of hidden states (..., hidden)."""
        return F.linear(hidden, self.model.embed_tokens.weight.to(hidden.dtype))

    def loss(self, ids: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Weighted sum of the cross-entropies of targets (batch, length), weights (batch, length).

        The head is computed only where the weight is not 0.
        """
        hidden, _ = self.hidden(ids)
        wanted = weights > 0
        each = F.cross_entropy(self.logits(hidden[wanted]).float(), targets[wanted], reduction="none")
        return (each * weights[wanted]).sum()
