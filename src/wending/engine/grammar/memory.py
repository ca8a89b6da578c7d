"""How much memory grammars take. Imports nothing, so that it can be planned before llguidance is needed."""

from __future__ import annotations

BYTES_OF_A_TOKEN = 460
"""Of the vocabulary: llguidance's trie and slices, and the lists of token bytes that they are made from.
Measured: 437 to 463 with the first 10,000, 50,000, 100,000 and all 151,665 tokens of Qwen2.5."""
BYTES_BESIDE = 24 << 20
"""llguidance itself (3 to 15 MiB, by what else was imported), the grammars that are kept, 64 of some hundred
bytes of source (8 MiB), and where 64 running completions are in theirs (3 MiB)."""


def grammar_bytes(vocab_size: int) -> int:
    """What the engine's process takes from the first constrained request on, for so many tokens.

    Large grammars come on top, with some 90 bytes for each byte of their source.
    """
    return BYTES_BESIDE + BYTES_OF_A_TOKEN * vocab_size
