"""What a level of load must keep."""

from __future__ import annotations

from dataclasses import dataclass

MISS_SHARE = 0.05
"""The share of requests that may miss a limit of time: the 95 % quantile must keep it."""


@dataclass(frozen=True, slots=True)
class Objective:
    """95 % of the requests have their first token in `max_ttft_s` and run at `min_tokens_per_s`, no more than
    `max_error_rate` fail, and `min_valid_share` of the answers are valid.

    Without a share, no fewer than with one stream alone, as far as the counts can tell: what a model gets
    wrong without any load is no limit of capacity. But where none of several is valid, nothing is kept.
    """

    max_ttft_s: float = 2.0
    min_tokens_per_s: float = 10.0
    max_error_rate: float = 0.01
    min_valid_share: float | None = None

    def may_miss(self, requests: int) -> int:
        """How many of so many requests may be late, and how many slow; none below twenty."""
        return int(MISS_SHARE * requests + 1e-9)

    def may_fail(self, requests: int) -> int:
        return int(self.max_error_rate * requests + 1e-9)
