"""The least time a machine can take for a work: weights must be read, and products must be computed.

For each step: max(bytes / read bandwidth, operations / peak operations). A step that decodes reads all
weights once and the KV cache of every sequence, and computes 2 operations per weight and sequence. The prompt
is one step that computes the layers' weights for all its tokens, and the head for the last token of each
sequence. What sequences share of their prompts is computed once and, in each step, read once. Attention's own
arithmetic is left out, so no engine can quite reach the limit of a long prompt.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.peers.works import Work


@dataclass(frozen=True, slots=True)
class Limits:
    """What was measured in the same run."""

    bandwidth: float
    """Bytes a second that are read from memory."""
    operations: Mapping[str, float]
    """Multiplications and additions a second, by precision of the weights (bf16, int8, int4)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that matter to the limit."""

    layer_weights: int
    """Weights in all the layers' matrices."""
    head_weights: int
    weight_bytes: Mapping[str, int]
    """What one step reads of the layers and the head, by precision."""
    kv_bytes_per_token: int


def median_limits(measured: Sequence[Mapping[str, Any]]) -> Limits | None:
    """One Limits from those of every round; None without any."""
    if not measured:
        return None
    return Limits(
        statistics.median(one["bandwidth"] for one in measured),
        {
            precision: statistics.median(one["operations"][precision] for one in measured)
            for precision in measured[0]["operations"]
        },
    )


def seconds_at_the_limit(work: Work, shape: Shape, precision: str, limits: Limits) -> tuple[float, float]:
    """Least seconds until the first tokens, and from then to the end."""
    bandwidth, peak = limits.bandwidth, limits.operations[precision]
    weight_bytes = shape.weight_bytes[precision]
    head = 2 * shape.head_weights * work.sequences
    computed = 2 * shape.layer_weights * work.computed_prompt_tokens + head
    prompt = max(weight_bytes / bandwidth, computed / peak)
    decode = 0.0
    for length in range(work.prompt_tokens + 1, work.length):
        kv_tokens = work.shared_tokens + work.sequences * (length - work.shared_tokens)
        read = weight_bytes + kv_tokens * shape.kv_bytes_per_token
        decode += max(read / bandwidth, (2 * shape.layer_weights * work.sequences + head) / peak)
    return prompt, decode
