"""When Python looks through all of its objects for garbage: between crowds of requests, not within one.

A full collection takes time in proportion to all that lives, and nothing else is done meanwhile: 100 to 200
ms with 1,280 requests in progress. Young objects are collected as ever, which takes about a millisecond.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

FEW_REQUESTS = 64
# Collections of the middle generation, each of which stands for some 7,000 new objects, after which a full
# one is made: when few requests are in progress, and in any case.
WHEN_QUIET, IN_ANY_CASE = 10, 300

_NEVER = 2**31 - 1  # as a threshold of automatic full collections


@contextmanager
def full_collections_on_call() -> Iterator[None]:
    """While the context lasts, a full collection is made by `collect_if_due` alone, and what is there already
    is not looked at, because most of it stays for good."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds[:2], _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def collect_if_due(requests: int) -> None:
    """Make a full collection if there may be garbage and so many requests in progress allow it."""
    if gc.get_count()[2] >= (WHEN_QUIET if requests <= FEW_REQUESTS else IN_ANY_CASE):
        gc.collect()
