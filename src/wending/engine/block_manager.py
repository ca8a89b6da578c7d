"""Which KV blocks are in use, which are free, and what the free ones still hold. The memory behind the block
numbers belongs to the KV cache.

A block in use is in one or more block tables; its references are counted. A full block whose content is
registered under its hash (block_hash.py) can be shared, and stays findable after its last reference is gone
until it is taken for something else, the least recently used first: that is the prefix cache. Only full
blocks are ever shared, and nobody writes to a full block, so none is ever copied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain


class BlockManager:
    """A pool of `num_blocks` blocks, each with room for the K/V of `block_size` tokens."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        if num_blocks < 1 or block_size < 1:
            raise ValueError(f"need at least one block of one token, got {num_blocks} of {block_size}")
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._references = [0] * num_blocks
        self._empty = list(
            range(num_blocks - 1, -1, -1)
        )  # a stack: the block freed last is likely still in a CPU cache
        self._idle: dict[int, None] = {}  # free blocks with known content, least recently used first
        self._block_of: dict[bytes, int] = {}
        self._hash_of: dict[int, bytes] = {}

    @property
    def num_free_blocks(self) -> int:
        """Blocks in no block table, whether or not they hold something that may be of use again."""
        return len(self._empty) + len(self._idle)

    @property
    def num_used_blocks(self) -> int:
        """Blocks in some block table."""
        return self.num_blocks - self.num_free_blocks

    @property
    def num_cached_blocks(self) -> int:
        """Blocks that the prefix cache can find, in use or not."""
        return len(self._hash_of)

    def blocks_for(self, num_tokens: int) -> int:
        """How many blocks `num_tokens` tokens need."""
        return -(-num_tokens // self.block_size)

    def find(self, hashes: Iterable[bytes]) -> list[int]:
        """The blocks that hold the longest known beginning of `hashes`. They are not taken yet."""
        found: list[int] = []
        for content in hashes:
            block = self._block_of.get(content)
            if block is None:
                break
            found.append(block)
        return found

    def num_idle(self, blocks: Iterable[int]) -> int:
        """How many of these blocks count as free now, and would not any more if they were shared."""
        return sum(block in self._idle for block in blocks)

    def share(self, blocks: Sequence[int]) -> None:
        """Add a reference to each of these blocks, which `find` has found."""
        for block in blocks:
            self._idle.pop(block, None)
            self._references[block] += 1

    def allocate(self, count: int) -> list[int]:
        """Take `count` free blocks, the caller's until released. RuntimeError if there are too few."""
        if count > self.num_free_blocks:
            raise RuntimeError(f"{count} KV blocks were asked for and {self.num_free_blocks} are free")
        blocks = [self._empty.pop() if self._empty else self._evict() for _ in range(count)]
        for block in blocks:
            self._references[block] = 1
        return blocks

    def release(self, blocks: Sequence[int]) -> None:
        """Give up one reference to each block of a table. RuntimeError if one of them is free already.

        The last blocks of the table are forgotten first: nobody can use a block without those before it.
        """
        for block in reversed(blocks):
            if self._references[block] == 0:
                raise RuntimeError(f"KV block {block} was freed twice")
            self._references[block] -= 1
            if self._references[block] == 0:
                if block in self._hash_of:
                    self._idle[block] = None
                else:
                    self._empty.append(block)

    def register(self, block: int, content: bytes) -> None:
        """Let the prefix cache find a block in use by its hash. Nothing changes where it has such a block."""
        if content not in self._block_of and block not in self._hash_of:
            self._block_of[content] = block
            self._hash_of[block] = content

    def forget(self, blocks: Iterable[int]) -> None:
        """Have nobody find these blocks any more. Whoever has them in a table keeps them."""
        for block in blocks:
            content = self._hash_of.pop(block, None)
            if content is not None:
                del self._block_of[content]
            if block in self._idle:
                del self._idle[block]
                self._empty.append(block)

    def check_integrity(self, block_tables: Iterable[list[int]]) -> None:
        """RuntimeError unless the references are those of `block_tables` and all other blocks are free."""
        counted = Counter(chain.from_iterable(block_tables))
        for block, references in enumerate(self._references):
            if counted[block] != references:
                raise RuntimeError(
                    f"KV block {block} has {references} references and is in {counted[block]} block tables"
                )
        free = [*self._empty, *self._idle]
        if len(set(free)) != len(free) or not counted.keys().isdisjoint(free):
            raise RuntimeError(f"KV blocks in more than one place: {len(free)} free, {len(counted)} in use")
        if len(free) + len(counted) != self.num_blocks:
            lost = self.num_blocks - len(free) - len(counted)
            raise RuntimeError(f"{lost} of {self.num_blocks} KV blocks are lost")
        if {block: content for content, block in self._block_of.items()} != self._hash_of:
            raise RuntimeError("the prefix cache names blocks that do not name it")
        if any(block not in self._hash_of for block in self._idle):
            raise RuntimeError("a block is kept for a content that nobody can find")

    def _evict(self) -> int:
        """The least recently used block that is kept for its content only; the content is forgotten."""
        block = next(iter(self._idle))
        del self._idle[block]
        del self._block_of[self._hash_of.pop(block)]
        return block
