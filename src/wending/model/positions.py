"""Which rotary positions a model is run with: plain, or stretched by YaRN for a long context.

The choice follows from the checkpoint and the context that was asked for, and from nothing else. It decides
the bytes of an answer, so it must not depend on how much memory happens to be free.
"""

from __future__ import annotations

from dataclasses import replace

from wending.model.config import ModelConfig, RopeScaling, yarn_attention_factor
from wending.model.errors import ContextNotAvailable

PUBLISHED_FACTOR = 4.0
"""How far Qwen2.5's model cards have YaRN stretch a checkpoint that configures none: 32,768 to 131,072."""


def native_length(config: ModelConfig) -> int:
    """Positions that the model has without YaRN."""
    if config.rope_scaling is None:
        return config.max_position_embeddings
    return config.rope_scaling.original_max_position_embeddings


def config_for_context(config: ModelConfig, max_context: int | None) -> ModelConfig:
    """The configuration to run a checkpoint of `config` with, for a context of `max_context` tokens.

    None: the checkpoint's own. Up to the native length: plain rotary positions. Above it: the checkpoint's
    YaRN, or where it has none the one that Qwen2.5 publishes. Raises ContextNotAvailable for a context below
    2 tokens or above what YaRN gives.
    """
    if max_context is None:
        return config
    native = native_length(config)
    stretched = replace(config, rope_scaling=config.rope_scaling or _published_yarn(native))
    if not 2 <= max_context <= stretched.max_context:
        raise ContextNotAvailable(
            f"max_context must be 2 to {stretched.max_context}, the {native} positions of this model "
            f"stretched by YaRN; got {max_context}"
        )
    if max_context > native:
        return stretched
    return replace(config, rope_scaling=None, max_position_embeddings=native)


def describe_positions(length: int, yarn_factor: float | None, language: str = "en") -> str:
    """ "native RoPE, to 32,768" or "YaRN x4, to 131,072": one text for each way to compute positions, in
    English or Chinese ("zh")."""
    if language == "zh":
        kind = "原生 RoPE" if yarn_factor is None else f"YaRN x{yarn_factor:g}"
        return f"{kind}，至 {length:,}"
    kind = "native RoPE" if yarn_factor is None else f"YaRN x{yarn_factor:g}"
    return f"{kind}, to {length:,}"


def _published_yarn(native: int) -> RopeScaling:
    return RopeScaling(PUBLISHED_FACTOR, native, yarn_attention_factor(PUBLISHED_FACTOR))
