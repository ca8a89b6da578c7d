"""Statistics for reports: nothing here gives a figure that its count cannot carry."""

from __future__ import annotations

from wending.assess.stats.items import MeanOverItems, RateOverItems, mean_over_items, rate_over_items
from wending.assess.stats.proportion import Interval, exact, most_without_failure, wilson
from wending.assess.stats.quantile import median, min_count, quantile, quantile_bounds
from wending.assess.stats.repeats import Divergence, divergence, pairwise_agreement, pass_at_k, pass_hat_k

__all__ = [
    "Divergence",
    "Interval",
    "MeanOverItems",
    "RateOverItems",
    "divergence",
    "exact",
    "mean_over_items",
    "median",
    "min_count",
    "most_without_failure",
    "pairwise_agreement",
    "pass_at_k",
    "pass_hat_k",
    "quantile",
    "quantile_bounds",
    "rate_over_items",
    "wilson",
]
