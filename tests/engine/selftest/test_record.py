from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.engine.selftest.record import Record, first_divergence

LOGPROBS = [TokenLogprob(token, "t", [1], -0.5, []) for token in (5, 6, 7)]
WHOLE = Record([5, 6, 7], "abc", LOGPROBS, "length", None, {0: 10, 1: 11, 2: 12})


def test_what_is_delivered_in_pieces_is_recorded_whole() -> None:
    record = Record(logits={0: 10, 1: 11, 2: 12})
    for text, logprob in zip("abc", LOGPROBS, strict=True):
        record.add(CompletionDelta(0, text, [logprob.token_id], [logprob]))
    record.finish_reason = "length"
    assert record == WHOLE
    assert first_divergence((0, 0), WHOLE, record) is None


OTHER_LOGPROB = TokenLogprob(6, "t", [1], -0.25, [])


@pytest.mark.parametrize(
    ("changes", "what", "position"),
    [
        ({"logits": {0: 10, 1: 99, 2: 12}}, "logits", 1),
        ({"logits": {0: 10, 2: 12}}, "logits", 1),
        ({"token_ids": [5, 9, 7]}, "token", 1),
        ({"logprobs": [LOGPROBS[0], OTHER_LOGPROB, LOGPROBS[2]]}, "logprob", 1),
        ({"token_ids": [5, 6], "logprobs": LOGPROBS[:2]}, "length", 2),
        ({"token_ids": [5, 6, 7, 8]}, "length", 3),
        ({"text": "abd"}, "text", 3),
        ({"finish_reason": "stop"}, "finish_reason", 3),
        ({"finish_reason": "error", "error": "lost"}, "finish_reason", 3),
    ],
)
def test_the_first_difference_is_named(changes: dict[str, Any], what: str, position: int) -> None:
    found = first_divergence((4, 1), WHOLE, replace(WHOLE, **changes))
    assert found is not None
    assert (found.key, found.what, found.position) == ((4, 1), what, position)
    assert found.tokens_before == WHOLE.token_ids[:position]


def test_where_logits_cannot_be_seen_the_rest_counts_and_nowhere_else() -> None:
    unseen = replace(WHOLE, logits={})
    assert first_divergence((0, 0), WHOLE, unseen, logits=False) is None
    found = first_divergence((0, 0), WHOLE, unseen)
    assert found is not None
    assert found.what == "logits"


def test_a_lost_completion_differs() -> None:
    found = first_divergence((0, 0), WHOLE, None)
    assert found is not None
    assert found.what == "missing"
