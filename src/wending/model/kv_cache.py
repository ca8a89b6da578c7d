"""The paged store of keys and values of all layers. Who owns which block is the engine's business."""

from __future__ import annotations

from typing import Literal

from wending.model.config import ModelConfig

CacheDtype = Literal["bfloat16", "float32"]
ITEM_BYTES = {"bfloat16": 2, "float32": 4}
BLOCK_SIZE_STEP = 16  # keys are stored in groups of 16, one per vector lane


class KVCache:
    """Keys and values in `num_blocks` blocks of `block_size` positions, for every layer.

    Slot s is position s % block_size of block s // block_size. Memory is reserved at once and
    touched as it is used. Raises ValueError for a block size that is not a multiple of 16 or a dtype other
    than bfloat16 and float32.
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
        values = config.num_hidden_layers * config.num_key_value_heads * config.head_dim
        return 2 * values * ITEM_BYTES[dtype]
