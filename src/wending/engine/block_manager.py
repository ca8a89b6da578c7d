"""Which KV blocks are free. Hands out block numbers; the memory behind them belongs to the KV cache.

Every block is either free or in exactly one sequence's block table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain


class BlockManager:
    """A pool of `num_blocks` blocks, each with room for the K/V of `block_size` tokens."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        if num_blocks < 1 or block_size < 1:
            raise ValueError(f"need at least one block of one token, got {num_blocks} of {block_size}")
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._free = list(
            range(num_blocks - 1, -1, -1)
        )  # a stack: the block freed last is likely still in a CPU cache
        self._is_free = bytearray(b"\1" * num_blocks)

    @property
    def num_free_blocks(self) -> int:
        """Blocks in no block table."""
        return len(self._free)

    @property
    def num_used_blocks(self) -> int:
        """Blocks in some block table."""
        return self.num_blocks - len(self._free)

    def blocks_for(self, num_tokens: int) -> int:
        """How many blocks `num_tokens` tokens need."""
        return -(-num_tokens // self.block_size)

    def allocate(self, count: int) -> list[int]:
        """Take `count` free blocks, the caller's until freed. RuntimeError if there are too few."""
        if count > len(self._free):
            raise RuntimeError(f"{count} KV blocks were asked for and {len(self._free)} are free")
        blocks = [self._free.pop() for _ in range(count)]
        for block in blocks:
            self._is_free[block] = 0
        return blocks

    def free(self, blocks: Iterable[int]) -> None:
        """Give blocks back. RuntimeError if one of them is free already."""
        for block in blocks:
            if self._is_free[block]:
                raise RuntimeError(f"KV block {block} was freed twice")
            self._is_free[block] = 1
            self._free.append(block)

    def check_integrity(self, block_tables: Iterable[list[int]]) -> None:
        """RuntimeError unless the free blocks and all `block_tables` make up the pool, each block once."""
        owned = [*self._free, *chain.from_iterable(block_tables)]
        if len(set(owned)) != len(owned):
            doubled = sorted(block for block, count in Counter(owned).items() if count > 1)
            raise RuntimeError(f"KV blocks in more than one place: {doubled}")
        if len(owned) != self.num_blocks:
            raise RuntimeError(f"{self.num_blocks - len(owned)} of {self.num_blocks} KV blocks are lost")
