from __future__ import annotations

import gc
import weakref

import pytest

from wending.serve import garbage
from wending.serve.garbage import FEW_REQUESTS, collect_if_due, full_collections_on_call


class Node:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def old_garbage() -> weakref.ref[Node]:
    """Garbage that has outlived the collections of young objects."""
    node = Node()
    gc.collect(1)
    gc.collect(1)
    return weakref.ref(node)


@pytest.mark.parametrize("requests", [0, FEW_REQUESTS, FEW_REQUESTS + 1])
def test_full_collections_wait_for_the_crowd_to_go(requests: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    with full_collections_on_call():
        gone = old_garbage()
        for _ in range(garbage.WHEN_QUIET + 5):
            gc.collect(1)
        assert gone() is not None
        collect_if_due(requests)
        assert (gone() is None) == (requests <= FEW_REQUESTS)
        monkeypatch.setattr(garbage, "IN_ANY_CASE", garbage.WHEN_QUIET)
        collect_if_due(requests)
        assert gone() is None
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_nothing_is_done_without_need() -> None:
    with full_collections_on_call():
        gone = old_garbage()
        collect_if_due(0)
        assert gone() is not None
