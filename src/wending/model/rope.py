"""The rotary frequencies of a configuration, plain or stretched by YaRN."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wending.model.config import ModelConfig, RopeScaling


def inverse_frequencies(config: ModelConfig) -> NDArray[np.float32]:
    """Radians per position of each pair of lanes, float32 [head_dim / 2] (Su et al. 2021).

    The arithmetic is in float32 step by step as in transformers, because at thousands of positions a
    difference in the last bit becomes visible.
    """
    exponents = np.arange(0, config.head_dim, 2, dtype=np.float32) / np.float32(config.head_dim)
    wavelengths = np.power(config.rope_theta, exponents.astype(np.float64)).astype(np.float32)
    if config.rope_scaling is None:
        return np.float32(1.0) / wavelengths
    return _yarn(config, config.rope_scaling, wavelengths)


def attention_factor(config: ModelConfig) -> float:
    """What cosine and sine are multiplied with: 1, or YaRN's factor."""
    return 1.0 if config.rope_scaling is None else config.rope_scaling.attention_factor


def _yarn(config: ModelConfig, scaling: RopeScaling, wavelengths: NDArray[np.float32]) -> NDArray[np.float32]:
    """YaRN's frequencies (Peng et al. 2023, section 3.2): fast pairs keep theirs, slow pairs are divided
    by the factor, and those between are blended along a ramp."""

    def pair_with(rotations: float) -> float:
        """The (fractional) pair that turns `rotations` times over the original context."""
        length = scaling.original_max_position_embeddings
        turns = math.log(length / (rotations * 2 * math.pi))
        return config.head_dim * turns / (2 * math.log(config.rope_theta))

    low, high = pair_with(scaling.beta_fast), pair_with(scaling.beta_slow)
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, config.head_dim - 1)
    if low == high:
        high += 0.001  # the ramp must have a width
    pairs = np.arange(config.head_dim // 2, dtype=np.float32)
    ramp = np.clip((pairs - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
    kept = np.float32(1.0) - ramp
    stretched = np.float32(1.0) / (np.float32(scaling.factor) * wavelengths)
    blended: NDArray[np.float32] = stretched * ramp + np.float32(1.0) / wavelengths * kept
    return blended
