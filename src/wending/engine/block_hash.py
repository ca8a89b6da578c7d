"""Names a KV block by its content: the hash of its tokens and of all tokens before them.

Keys and values depend on all tokens up to theirs, so equal hashes mean equal keys and values. The hash is
cryptographic: no prompt can be made to look like the beginning of somebody else's.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

HASH_BYTES = 16


def extend_block_hashes(hashes: list[bytes], token_ids: array[int], block_size: int, blocks: int) -> None:
    """Lengthen `hashes`, those of the first blocks of `token_ids`, to so many blocks."""
    for block in range(len(hashes), blocks):
        before = hashes[-1] if hashes else b""
        tokens = token_ids[block * block_size : (block + 1) * block_size].tobytes()
        hashes.append(blake2b(before + tokens, digest_size=HASH_BYTES).digest())
