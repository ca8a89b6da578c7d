"""The paged store of keys and values of all layers. Who owns which block is the engine's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from wending.model.config import ModelConfig

CacheDtype = Literal["bfloat16", "float32", "int8"]
KVQuant = Literal["auto", "bf16", "f32", "int8"]
"""What a user may ask for; "auto": float32 beside float32 weights, else BF16."""
CACHE_DTYPES: Mapping[str, CacheDtype] = {"bf16": "bfloat16", "f32": "float32", "int8": "int8"}
ITEM_BYTES = {"bfloat16": 2, "float32": 4, "int8": 1}
CHANNELS_OF_A_SCALE, SCALE_BYTES = 32, 2  # in int8, of each key and value
BLOCK_SIZE_STEP = 16  # keys are stored in groups of 16, one per vector lane


def check_kv_quant(kv_cache: str) -> None:
    """Raises ValueError for what is no precision of a KV cache."""
    if kv_cache != "auto" and kv_cache not in CACHE_DTYPES:
        raise ValueError(f"kv_cache must be auto, {', '.join(CACHE_DTYPES)}; is {kv_cache!r}")


class KVCache:
    """Keys and values in `num_blocks` blocks of `block_size` positions, for every layer.

    Slot s is position s % block_size of block s // block_size. Memory is reserved at once and
    touched as it is used. Raises ValueError for a block size that is not a multiple of 16 or a dtype other
    than bfloat16, float32 and int8. In int8, at most 32 channels of a head share a scale; each token is
    quantised by itself.
    """

    def __init__(
        self, config: ModelConfig, num_blocks: int, block_size: int, dtype: CacheDtype = "bfloat16"
    ) -> None:
        if block_size <= 0 or block_size % BLOCK_SIZE_STEP:
            raise ValueError(f"block_size must be a positive multiple of {BLOCK_SIZE_STEP}, is {block_size}")
        if num_blocks <= 0:
            raise ValueError(f"num_blocks must be positive, is {num_blocks}")
        self.num_blocks = num_blocks
        self.block_size = block_size
        self.dtype = dtype
        self.nbytes = num_blocks * block_size * self.bytes_per_token(config, dtype)
        from wending import _kernels

        self.storage = _kernels.KeyValueCache(
            config.num_hidden_layers,
            num_blocks,
            block_size,
            config.num_key_value_heads,
            config.head_dim,
            dtype,
        )

    @staticmethod
    def bytes_per_token(config: ModelConfig, dtype: CacheDtype = "bfloat16") -> int:
        """Bytes one position takes, over all layers, keys and values together."""
        if dtype not in ITEM_BYTES:
            raise ValueError(f"KV cache dtype must be one of {sorted(ITEM_BYTES)}, is {dtype!r}")
        head = config.head_dim * ITEM_BYTES[dtype]
        if dtype == "int8":
            head += -(-config.head_dim // CHANNELS_OF_A_SCALE) * SCALE_BYTES
        return 2 * config.num_hidden_layers * config.num_key_value_heads * head
