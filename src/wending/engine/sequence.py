"""A run of tokens as the scheduler sees it: how many there are, how many are computed, where their K/V lie.

Knows no text, no sampling and no numpy arrays.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from enum import Enum

from wending.engine.drafter import Drafter


class Status(Enum):
    """Where a sequence stands. Only a running one holds KV blocks."""

    NEW = "new"
    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


class Sequence:
    """The tokens of a prompt and of one completion of it."""

    __slots__ = (
        "block_hashes",
        "block_table",
        "drafter",
        "max_total_tokens",
        "num_cached_tokens",
        "num_computed_tokens",
        "num_prompt_tokens",
        "rank",
        "sequence_id",
        "status",
        "token_ids",
        "uses_prefix_cache",
    )

    def __init__(
        self,
        sequence_id: int,
        prompt_token_ids: Iterable[int],
        max_total_tokens: int,
        rank: float = 0.0,
        drafter: Drafter | None = None,
        uses_prefix_cache: bool = True,
    ) -> None:
        self.sequence_id = sequence_id
        self.token_ids = array("i", prompt_token_ids)  # thousands of long prompts may wait
        self.num_prompt_tokens = len(self.token_ids)
        self.max_total_tokens = max_total_tokens
        """Prompt and completion together never grow beyond this."""
        self.rank = (rank, sequence_id)
        """Sequences are served in this order. Ids count up in order of arrival."""
        self.drafter = drafter
        """Guesses its next tokens; None: no speculation."""
        self.uses_prefix_cache = uses_prefix_cache
        """Whether what others computed counts for it. Others may use what it computes in any case."""
        self.num_computed_tokens = 0
        """Tokens whose K/V are in the cache: the first so many of `token_ids`."""
        self.num_cached_tokens: int | None = None
        """Tokens that were in the prefix cache when it was started first; None before."""
        self.block_table: list[int] = []
        """KV blocks in order: token i lies in block block_table[i // block_size]."""
        self.block_hashes: list[bytes] = []
        """Content hashes of the first full blocks of `token_ids`, as far as they were needed; see
        block_hash.py."""
        self.status = Status.NEW

    @property
    def num_completion_tokens(self) -> int:
        """Tokens generated so far."""
        return len(self.token_ids) - self.num_prompt_tokens

    @property
    def num_uncomputed_tokens(self) -> int:
        """Tokens the model has yet to see; 1 while decoding, more while prefilling."""
        return len(self.token_ids) - self.num_computed_tokens

    @property
    def is_decoding(self) -> bool:
        """Whether the prompt is computed, and what was generated but for the gain of the last step."""
        return self.num_uncomputed_tokens == 1 or self.num_computed_tokens >= self.num_prompt_tokens

    def __repr__(self) -> str:
        return (
            f"Sequence({self.sequence_id}, {self.status.value}, {self.num_computed_tokens} of "
            f"{len(self.token_ids)} tokens computed, {len(self.block_table)} blocks)"
        )
