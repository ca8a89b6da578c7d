from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wending.engine.block_manager import BlockManager


def test_free_and_used_make_up_the_pool() -> None:
    manager = BlockManager(8, 16)
    table = manager.allocate(3)
    assert (manager.num_free_blocks, manager.num_used_blocks) == (5, 3)
    assert len(set(table)) == 3
    manager.check_integrity([table])
    manager.release(table)
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
    manager.release([block])
    with pytest.raises(RuntimeError, match=f"KV block {block} was freed twice"):
        manager.release([block])


def test_a_registered_block_is_found_while_in_use_and_afterwards() -> None:
    manager = BlockManager(4, 16)
    table = manager.allocate(2)
    manager.register(table[0], b"a")
    manager.register(table[1], b"b")
    assert manager.find([b"a", b"b", b"c"]) == table
    assert manager.find([b"c", b"a"]) == []
    manager.release(table)
    assert manager.num_free_blocks == 4
    assert manager.find([b"a", b"b"]) == table
    assert manager.num_idle(table) == 2


def test_a_shared_block_is_free_when_all_have_released_it() -> None:
    manager = BlockManager(4, 16)
    table = manager.allocate(1)
    manager.register(table[0], b"a")
    manager.share(table)
    manager.check_integrity([table, table])
    manager.release(table)
    assert manager.num_free_blocks == 3
    manager.release(table)
    assert manager.num_free_blocks == 4
    manager.share(manager.find([b"a"]))
    assert manager.num_free_blocks == 3
    manager.check_integrity([table])


def test_empty_blocks_are_taken_first_then_the_least_recently_used() -> None:
    manager = BlockManager(3, 16)
    old, new = manager.allocate(1), manager.allocate(1)
    manager.register(old[0], b"old")
    manager.register(new[0], b"new")
    manager.release(old)
    manager.release(new)
    manager.allocate(1)
    assert manager.num_cached_blocks == 2
    assert manager.allocate(1) == old
    assert (manager.find([b"old"]), manager.find([b"new"])) == ([], new)


def test_use_makes_a_block_recent() -> None:
    manager = BlockManager(2, 16)
    first, second = manager.allocate(1), manager.allocate(1)
    manager.register(first[0], b"first")
    manager.register(second[0], b"second")
    manager.release(first)
    manager.release(second)
    manager.share(first)
    manager.release(first)
    assert manager.allocate(1) == second


def test_the_end_of_a_table_is_forgotten_before_its_beginning() -> None:
    manager = BlockManager(3, 16)
    table = manager.allocate(3)
    for block, content in zip(table, (b"1", b"2", b"3"), strict=True):
        manager.register(block, content)
    manager.release(table)
    manager.allocate(1)
    assert manager.find([b"1", b"2", b"3"]) == table[:2]


def test_a_content_has_one_block_and_a_block_one_content() -> None:
    manager = BlockManager(2, 16)
    first, second = manager.allocate(1), manager.allocate(1)
    manager.register(first[0], b"a")
    manager.register(second[0], b"a")
    manager.register(first[0], b"b")
    assert manager.find([b"a"]) == first
    assert manager.find([b"b"]) == []
    manager.check_integrity([first, second])


def test_forgotten_blocks_are_not_found_and_stay_with_their_owners() -> None:
    manager = BlockManager(2, 16)
    used, idle = manager.allocate(1), manager.allocate(1)
    manager.register(used[0], b"used")
    manager.register(idle[0], b"idle")
    manager.release(idle)
    manager.forget([*used, *idle])
    assert manager.find([b"used"]) == manager.find([b"idle"]) == []
    manager.check_integrity([used])
    manager.release(used)
    assert manager.num_free_blocks == 2


def test_integrity_finds_miscounted_and_lost_blocks() -> None:
    manager = BlockManager(4, 16)
    table = manager.allocate(2)
    with pytest.raises(RuntimeError, match="has 1 references and is in 2 block tables"):
        manager.check_integrity([table, table])
    with pytest.raises(RuntimeError, match="has 1 references and is in 0 block tables"):
        manager.check_integrity([])
    manager._empty.pop()
    with pytest.raises(RuntimeError, match="1 of 4 KV blocks are lost"):
        manager.check_integrity([table])


@pytest.mark.parametrize(("num_blocks", "block_size"), [(0, 16), (4, 0)])
def test_refuses_an_empty_pool(num_blocks: int, block_size: int) -> None:
    with pytest.raises(ValueError, match="at least one block"):
        BlockManager(num_blocks, block_size)


class BlockManagerMachine(RuleBasedStateMachine):
    """Tables come, grow, share, are forgotten and go; a model of what each content's block holds."""

    NUM_BLOCKS = 6

    def __init__(self) -> None:
        super().__init__()
        self.manager = BlockManager(self.NUM_BLOCKS, 16)
        self.tables: list[list[int]] = []
        self.holds: dict[int, bytes] = {}  # what was last written to each block
        self.contents = 0

    @rule(hashes=st.lists(st.integers(0, 3), min_size=1, max_size=3))
    def start(self, hashes: list[int]) -> None:
        contents = [bytes(hashes[: index + 1]) for index in range(len(hashes))]
        found = self.manager.find(contents)
        for block, content in zip(found, contents, strict=False):
            assert self.holds[block] == content, "another content than asked for"
        missing = len(contents) - len(found)
        if missing > self.manager.num_free_blocks - self.manager.num_idle(found):
            return
        self.manager.share(found)
        table = [*found, *self.manager.allocate(missing)]
        for block, content in list(zip(table, contents, strict=True))[len(found) :]:
            self.holds[block] = content
            self.manager.register(block, content)
        self.tables.append(table)

    @precondition(lambda self: self.tables)
    @rule(data=st.data(), distrusted=st.booleans())
    def stop(self, data: st.DataObject, distrusted: bool) -> None:
        table = self.tables.pop(data.draw(st.integers(0, len(self.tables) - 1)))
        if distrusted:
            self.manager.forget(table)
        self.manager.release(table)

    @invariant()
    def books_balance(self) -> None:
        self.manager.check_integrity(self.tables)
        assert self.manager.num_used_blocks == len({block for table in self.tables for block in table})


TestBlockManagerMachine = BlockManagerMachine.TestCase
TestBlockManagerMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
