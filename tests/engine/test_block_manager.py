from __future__ import annotations

import pytest

from wending.engine.block_manager import BlockManager


def test_free_and_used_make_up_the_pool() -> None:
    manager = BlockManager(8, 16)
    table = manager.allocate(3)
    assert (manager.num_free_blocks, manager.num_used_blocks) == (5, 3)
    assert len(set(table)) == 3
    manager.check_integrity([table])
    manager.free(table)
    assert (manager.num_free_blocks, manager.num_used_blocks) == (8, 0)
    manager.check_integrity([])


@pytest.mark.parametrize(("tokens", "blocks"), [(0, 0), (1, 1), (16, 1), (17, 2), (160, 10)])
def test_blocks_for_tokens(tokens: int, blocks: int) -> None:
    assert BlockManager(8, 16).blocks_for(tokens) == blocks


def test_refuses_more_than_there_are_and_takes_nothing() -> None:
    manager = BlockManager(2, 16)
    with pytest.raises(RuntimeError, match="3 KV blocks were asked for and 2 are free"):
        manager.allocate(3)
    assert manager.num_free_blocks == 2


def test_refuses_to_free_twice() -> None:
    manager = BlockManager(2, 16)
    (block,) = manager.allocate(1)
    manager.free([block])
    with pytest.raises(RuntimeError, match=f"KV block {block} was freed twice"):
        manager.free([block])


def test_integrity_finds_shared_and_lost_blocks() -> None:
    manager = BlockManager(4, 16)
    table = manager.allocate(2)
    with pytest.raises(RuntimeError, match="more than one place"):
        manager.check_integrity([table, table])
    with pytest.raises(RuntimeError, match="2 of 4 KV blocks are lost"):
        manager.check_integrity([])


@pytest.mark.parametrize(("num_blocks", "block_size"), [(0, 16), (4, 0)])
def test_refuses_an_empty_pool(num_blocks: int, block_size: int) -> None:
    with pytest.raises(ValueError, match="at least one block"):
        BlockManager(num_blocks, block_size)
