"""A run of tokens as the scheduler sees it: how many there are, how many are computed, where their K/V lie.

Knows no text, no sampling and no arrays.
"""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """Where a sequence stands. Only a running one holds KV blocks."""

    NEW = "new"
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


class Sequence:
    """The tokens of a prompt and of one completion of it."""

    __slots__ = (
        "block_table",
        "max_total_tokens",
        "num_computed_tokens",
        "num_prompt_tokens",
        "sequence_id",
        "status",
        "token_ids",
    )

    def __init__(self, sequence_id: int, prompt_token_ids: list[int], max_total_tokens: int) -> None:
        self.sequence_id = sequence_id
        """Counts up in order of arrival: of two sequences, the one with the larger id is the newer."""
        self.token_ids = list(prompt_token_ids)
        self.num_prompt_tokens = len(prompt_token_ids)
        self.max_total_tokens = max_total_tokens
        """Prompt and completion together never grow beyond this."""
        self.num_computed_tokens = 0
        """Tokens whose K/V are in the cache: the first so many of `token_ids`."""
        self.block_table: list[int] = []
        """KV blocks in order: token i lies in block block_table[i // block_size]."""
        self.status = Status.NEW

    @property
    def num_completion_tokens(self) -> int:
        """Tokens generated so far."""
        return len(self.token_ids) - self.num_prompt_tokens

    @property
    def num_uncomputed_tokens(self) -> int:
        """Tokens the model has yet to see; 1 while decoding, more while prefilling."""
        return len(self.token_ids) - self.num_computed_tokens

    def __repr__(self) -> str:
        return (
            f"Sequence({self.sequence_id}, {self.status.value}, {self.num_computed_tokens} of "
            f"{len(self.token_ids)} tokens computed, {len(self.block_table)} blocks)"
        )
