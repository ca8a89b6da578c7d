"""Reads config.json of a Qwen2 checkpoint, strictly: what would be computed wrongly is refused by name.

Both spellings are understood: that of transformers 4 (`rope_theta`, `rope_scaling`) and that of
transformers 5 (`rope_parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wending.model.errors import CheckpointError
from wending.model.json_file import read_json_object, token_id_tuple

ARCHITECTURE = "Qwen2ForCausalLM"
MODEL_TYPE = "qwen2"
HEAD_DIM_STEP = 16  # the kernels work on 16 lanes and hold a head in registers
LARGEST_HEAD_DIM = 256
DEFAULT_ROPE_THETA = 10_000.0  # of transformers, for a config that names none
YARN_KEYS = {
    *("rope_type", "type", "rope_theta", "partial_rotary_factor"),
    *("factor", "original_max_position_embeddings", "attention_factor"),
    *("beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate"),
}


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """YaRN (Peng et al. 2023, https://arxiv.org/abs/2309.00071) as a checkpoint configures it.

    `attention_factor` multiplies cosine and sine; 0.1 ln(factor) + 1 unless the checkpoint gives another.
    """

    factor: float
    original_max_position_embeddings: int
    attention_factor: float
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = True


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The sizes and constants of a Qwen2 decoder; the names are those of config.json."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    rms_norm_eps: float
    rope_theta: float
    rope_scaling: RopeScaling | None
    max_position_embeddings: int
    tie_word_embeddings: bool
    eos_token_ids: tuple[int, ...]

    @classmethod
    def from_folder(cls, folder: Path) -> ModelConfig:
        """Reads `folder`/config.json.

        Raises CheckpointError when the file is missing or damaged, a size is absent or impossible, or
        the model is of a kind that is not supported.
        """
        path = folder / "config.json"
        return cls.from_values(path, read_json_object(path))

    @classmethod
    def from_values(cls, path: Path, values: Mapping[str, Any]) -> ModelConfig:
        """The configuration out of the keys of a config.json; errors name `path` and the key."""
        return _ConfigFile(path, values).model_config()

    @property
    def max_context(self) -> int:
        """Positions the model may use: with YaRN the stretched length, else `max_position_embeddings`."""
        if self.rope_scaling is None:
            return self.max_position_embeddings
        return int(self.rope_scaling.factor * self.rope_scaling.original_max_position_embeddings)


class _ConfigFile:
    """config.json while it is being read: typed access to its keys, with errors that name key and file."""

    def __init__(self, path: Path, values: Mapping[str, Any]) -> None:
        self.path, self.values = path, values

    def model_config(self) -> ModelConfig:
        self.check_supported()
        heads = self.positive_integer("num_attention_heads")
        key_value_heads = self.positive_integer("num_key_value_heads", default=heads)
        if heads % key_value_heads:
            raise self.error(
                f"num_attention_heads {heads} is not a multiple of num_key_value_heads {key_value_heads}"
            )
        hidden_size = self.positive_integer("hidden_size")
        rope_theta, rope_scaling = self.rope()
        return ModelConfig(
            hidden_size=hidden_size,
            intermediate_size=self.positive_integer("intermediate_size"),
            num_hidden_layers=self.positive_integer("num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=key_value_heads,
            head_dim=self.head_dim(hidden_size, heads),
            vocab_size=self.positive_integer("vocab_size"),
            rms_norm_eps=self.positive_number(self.values, "rms_norm_eps", default=1e-6),
            rope_theta=rope_theta,
            rope_scaling=rope_scaling,
            max_position_embeddings=self.positive_integer("max_position_embeddings"),
            tie_word_embeddings=self.boolean(self.values, "tie_word_embeddings", default=False),
            eos_token_ids=token_id_tuple(self.path, "eos_token_id", self.values.get("eos_token_id")),
        )

    def check_supported(self) -> None:
        values = self.values
        architectures = values.get("architectures")
        if values.get("model_type") != MODEL_TYPE or architectures not in (None, [ARCHITECTURE]):
            raise self.error(
                f"model_type {values.get('model_type')!r} with architectures {architectures!r} "
                f"is not supported; supported: model_type {MODEL_TYPE!r} with {ARCHITECTURE} (Qwen2, Qwen2.5)"
            )
        if values.get("hidden_act", "silu") != "silu":
            raise self.error(f"hidden_act {values['hidden_act']!r} is not supported; supported: 'silu'")
        if values.get("use_sliding_window") or "sliding_attention" in (values.get("layer_types") or ()):
            raise self.error("sliding-window attention is switched on; supported: full attention only")
        if values.get("partial_rotary_factor", 1.0) != 1.0:
            raise self.error("partial_rotary_factor other than 1 is not supported")

    def head_dim(self, hidden_size: int, heads: int) -> int:
        if self.values.get("head_dim") is None and hidden_size % heads:
            raise self.error(f"hidden_size {hidden_size} is not a multiple of num_attention_heads {heads}")
        head_dim = self.positive_integer("head_dim", default=hidden_size // heads)
        if head_dim % HEAD_DIM_STEP or head_dim > LARGEST_HEAD_DIM:
            raise self.error(
                f"head_dim {head_dim} is not supported; supported: multiples of {HEAD_DIM_STEP} "
                f"up to {LARGEST_HEAD_DIM}"
            )
        return head_dim

    def rope(self) -> tuple[float, RopeScaling | None]:
        """`rope_theta` and the scaling, from whichever of the two spellings the file uses."""
        parameters = self.values.get("rope_scaling") or self.values.get("rope_parameters") or {}
        if not isinstance(parameters, dict):
            raise self.error(f"rope_scaling must be an object, is {parameters!r}")
        holder = parameters if parameters.get("rope_theta") is not None else self.values
        theta = self.positive_number(holder, "rope_theta", default=DEFAULT_ROPE_THETA)
        kind = parameters.get("rope_type", parameters.get("type", "default"))
        if parameters.get("partial_rotary_factor", 1.0) != 1.0:
            raise self.error("partial_rotary_factor other than 1 is not supported")
        if kind == "default":
            return theta, None
        if kind != "yarn":
            raise self.error(f"rope_scaling of type {kind!r} is not supported; supported: 'yarn', 'default'")
        return theta, self.yarn(parameters)

    def yarn(self, parameters: Mapping[str, Any]) -> RopeScaling:
        unknown = sorted(set(parameters) - YARN_KEYS)
        if unknown:
            raise self.error(f"rope_scaling has unknown keys {unknown}; supported: {sorted(YARN_KEYS)}")
        original = self.positive_integer(
            "original_max_position_embeddings",
            default=self.positive_integer("max_position_embeddings"),
            holder=parameters,
        )
        factor = self.positive_number(parameters, "factor")
        if factor < 1.0:
            raise self.error(f"rope_scaling factor must be at least 1, is {factor:g}")
        given = parameters.get("attention_factor")
        return RopeScaling(
            factor=factor,
            original_max_position_embeddings=original,
            attention_factor=(
                yarn_attention_factor(factor, parameters.get("mscale"), parameters.get("mscale_all_dim"))
                if given is None
                else self.positive_number(parameters, "attention_factor")
            ),
            beta_fast=self.positive_number(parameters, "beta_fast", default=32.0),
            beta_slow=self.positive_number(parameters, "beta_slow", default=1.0),
            truncate=self.boolean(parameters, "truncate", default=True),
        )

    def positive_integer(
        self, key: str, default: int | None = None, holder: Mapping[str, Any] | None = None
    ) -> int:
        value = (self.values if holder is None else holder).get(key)
        value = default if value is None else value
        if type(value) is not int or value <= 0:
            raise self.error(f"{key} must be a positive integer, is {value!r}")
        return value

    def positive_number(self, holder: Mapping[str, Any], key: str, default: float | None = None) -> float:
        value = holder.get(key)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self.error(f"{key} must be a positive number, is {value!r}")
        return float(value)

    def boolean(self, holder: Mapping[str, Any], key: str, default: bool) -> bool:
        value = holder.get(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, is {value!r}")
        return value

    def error(self, message: str) -> CheckpointError:
        return CheckpointError(self.path, message)


def yarn_attention_factor(factor: float, mscale: Any = None, mscale_all_dim: Any = None) -> float:
    """The attention factor of YaRN, equation 22 of the paper, or its form with two parameters."""

    def scale(multiplier: float) -> float:
        return 1.0 if factor <= 1.0 else 0.1 * multiplier * math.log(factor) + 1.0

    if mscale and mscale_all_dim:
        return scale(mscale) / scale(mscale_all_dim)
    return scale(1.0)
