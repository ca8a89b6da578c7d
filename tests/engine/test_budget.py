from __future__ import annotations

from typing import Any

import pytest

from wending.engine.budget import MemoryBudget, NotEnoughMemory, format_bytes, plan_memory

MIB = 2**20


def plan(**changes: Any) -> MemoryBudget:
    """A model of 100 MiB with a context of 4,096 tokens of 1 KiB each, on a machine with 1 GiB free."""
    numbers: dict[str, Any] = {
        "weights": 100 * MIB,
        "workspace": 10 * MIB,
        "kv_bytes_per_token": 1024,
        "model_context": 4096,
        "block_size": 16,
        "available": 1024 * MIB,
    }
    return plan_memory(**numbers | changes)


def test_with_room_the_cache_holds_four_contexts() -> None:
    budget = plan()
    assert budget.kv_tokens == 4 * 4096
    assert budget.kv_cache == 16 * MIB
    assert budget.max_context == 4096
    assert budget.total == 126 * MIB


def test_unasked_the_cache_takes_half_of_what_is_left() -> None:
    budget = plan(available=126 * MIB)
    assert budget.kv_tokens == 8 * MIB // 1024
    assert budget.max_context == 4096


def test_told_how_much_it_may_take_it_uses_all_of_it() -> None:
    assert plan(memory=118 * MIB).kv_tokens == 8 * MIB // 1024


def test_short_of_memory_the_context_is_shortened_and_the_lines_say_so() -> None:
    budget = plan(memory=112 * MIB)
    assert budget.max_context == budget.kv_tokens == 2048
    assert "2,048 tokens (the model has 4,096)" in "\n".join(budget.lines())
    assert "2,048 个词元（模型支持 4,096）" in "\n".join(budget.lines("zh"))


def test_a_context_that_was_asked_for_is_never_shortened() -> None:
    assert plan(max_context=1000).max_context == 1000
    assert plan(max_context=1000).kv_tokens == 4000
    with pytest.raises(NotEnoughMemory, match=r"KV cache of 4,000 tokens \(3.9 MiB\)"):
        plan(memory=112 * MIB, max_context=4000)


def test_not_enough_for_the_weights_is_refused_with_the_numbers() -> None:
    with pytest.raises(NotEnoughMemory) as caught:
        plan(available=90 * MIB)
    for number in ("weights 100.0 MiB", "workspace 10.0 MiB", "1,024 tokens (1.0 MiB)", "free 90.0 MiB"):
        assert number in str(caught.value)


def test_a_limit_above_what_is_free_allows_what_is_free() -> None:
    assert plan(memory=2048 * MIB).limit == 1024 * MIB
    with pytest.raises(NotEnoughMemory, match=r"free 1.0 GiB, allowed 2.0 GiB"):
        plan(memory=2048 * MIB, weights=1020 * MIB)


def test_a_service_counts_its_processes_and_its_requests() -> None:
    budget = plan(memory=168 * MIB, program=30 * MIB, requests=20 * MIB)
    assert budget.kv_tokens == 8 * MIB // 1024
    assert budget.total == budget.limit == 168 * MIB
    for language, program, requests in (("en", "program", "requests"), ("zh", "程序", "请求队列")):
        text = "\n".join(budget.lines(language))
        assert program in text
        assert requests in text
    assert "program" not in "\n".join(plan().lines())
    with pytest.raises(NotEnoughMemory, match=r"program and requests 50.0 MiB"):
        plan(memory=150 * MIB, program=30 * MIB, requests=20 * MIB)


def test_grammars_count_before_there_is_one() -> None:
    budget = plan(memory=148 * MIB, grammars=30 * MIB)
    assert budget.kv_tokens == 8 * MIB // 1024
    assert budget.total == 148 * MIB
    assert "  grammars     30.0 MiB  from the first constrained answer on" in budget.lines()
    assert "  语法       30.0 MiB  首个受约束的回答起占用" in budget.lines("zh")
    with pytest.raises(NotEnoughMemory, match=r"grammars 30.0 MiB"):
        plan(memory=130 * MIB, grammars=30 * MIB)


def test_what_the_program_has_taken_already_is_not_taken_twice() -> None:
    assert plan(available=126 * MIB, program=30 * MIB).kv_tokens == plan(available=126 * MIB).kv_tokens


def test_a_small_context_needs_only_itself() -> None:
    assert plan(model_context=256, memory=111 * MIB).max_context == 256


def test_lines_name_every_part() -> None:
    text = "\n".join(plan().lines())
    for part in (
        "126.0 MiB",
        "1.0 GiB",
        "100.0 MiB",
        "16.0 MiB",
        "16,384 tokens",
        "10.0 MiB",
        "4,096 tokens",
        "positions  native RoPE, to 4,096",
    ):
        assert part in text
    assert len(plan().lines("zh")) == len(plan().lines())


def test_lines_say_that_positions_are_stretched() -> None:
    stretched = plan(model_context=16384, yarn_factor=4.0, max_context=5000)
    assert "  positions  YaRN x4, to 16,384" in stretched.lines()
    assert "  位置编码 YaRN x4，至 16,384" in stretched.lines("zh")


@pytest.mark.parametrize(("count", "text"), [(0, "0.0 MiB"), (MIB, "1.0 MiB"), (3 * 2**29, "1.5 GiB")])
def test_sizes_for_people(count: int, text: str) -> None:
    assert format_bytes(count) == text
