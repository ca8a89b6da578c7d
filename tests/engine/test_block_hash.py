from __future__ import annotations

from array import array

from wending.engine.block_hash import HASH_BYTES, extend_block_hashes


def hashes_of(token_ids: list[int], blocks: int, block_size: int = 2) -> list[bytes]:
    hashes: list[bytes] = []
    extend_block_hashes(hashes, array("i", token_ids), block_size, blocks)
    return hashes


def test_equal_beginnings_have_equal_hashes_and_no_others() -> None:
    one, other = hashes_of([1, 2, 3, 4, 5, 6], 3), hashes_of([1, 2, 3, 4, 5, 7], 3)
    assert one[:2] == other[:2]
    assert one[2] != other[2]
    assert {len(each) for each in one} == {HASH_BYTES}


def test_a_block_is_named_by_what_is_before_it_too() -> None:
    assert hashes_of([1, 2, 3, 4], 2)[1] != hashes_of([9, 2, 3, 4], 2)[1]
    assert hashes_of([3, 4, 3, 4], 2)[0] != hashes_of([3, 4, 3, 4], 2)[1]


def test_extending_adds_what_is_missing() -> None:
    token_ids = array("i", [1, 2, 3, 4])
    hashes: list[bytes] = []
    extend_block_hashes(hashes, token_ids, 2, 1)
    first = list(hashes)
    extend_block_hashes(hashes, token_ids, 2, 2)
    assert hashes[:1] == first
    assert hashes == hashes_of([1, 2, 3, 4], 2)
    extend_block_hashes(hashes, token_ids, 2, 1)
    assert len(hashes) == 2
