from __future__ import annotations

import pytest

from wending.engine.request import Request
from wending.engine.selftest.mixed_requests import mixed_requests


def test_the_same_seed_gives_the_same_requests_however_many() -> None:
    few, many = mixed_requests(5, 1, 1000, 4096), mixed_requests(50, 1, 1000, 4096)
    assert many[:5] == few
    assert mixed_requests(5, 2, 1000, 4096) != few


def test_requests_are_of_all_kinds() -> None:
    made = mixed_requests(400, 1, 1000, 4096)
    params = [one.params for one in made]
    assert {one.greedy for one in params} == {True, False}
    assert {one.n for one in params} == {1, 2}
    assert any(one.stop for one in params)
    assert 0.05 < sum(one.constraint is not None for one in params) / len(params) < 0.25
    assert any(one.repetition_penalty != 1 for one in params)
    assert all(one.seed is not None and one.logprobs == 2 for one in params)
    lengths = [len(one.prompt_token_ids) for one in made]
    assert min(lengths) == 1
    assert max(lengths) >= 300
    beginnings = [tuple(one.prompt_token_ids[:30]) for one in made if len(one.prompt_token_ids) >= 30]
    assert len(set(beginnings)) < 0.7 * len(beginnings)


@pytest.mark.parametrize(("vocab_size", "max_context"), [(2, 4), (280, 64), (151_665, 32_768)])
def test_every_request_can_be_admitted(vocab_size: int, max_context: int) -> None:
    for one in mixed_requests(100, 3, vocab_size, max_context):
        Request.admit("r", one.prompt_token_ids, one.params, vocab_size=vocab_size, max_context=max_context)
        assert one.num_tokens < max_context
