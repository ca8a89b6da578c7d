from __future__ import annotations

from typing import Any

import pytest

from wending.engine.errors import InvalidRequest
from wending.engine.request import Request
from wending.engine.sampling_params import SamplingParams


def admit(prompt: list[Any], params: SamplingParams | None = None) -> Request:
    return Request.admit("r", prompt, params or SamplingParams(), vocab_size=100, max_context=20)


def test_max_tokens_is_clamped_to_the_rest_of_the_context() -> None:
    assert admit([1] * 5, SamplingParams(max_tokens=10)).max_total_tokens == 15
    assert admit([1] * 5, SamplingParams(max_tokens=10**12)).max_total_tokens == 20
    assert admit([1] * 5).max_total_tokens == 20
    assert admit([1] * 19).max_total_tokens == 20


def test_a_prompt_that_fills_the_context_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidRequest, match="has 20 tokens; the context holds 20") as caught:
        admit([1] * 20)
    assert (caught.value.field, caught.value.code) == ("prompt", "context_length_exceeded")


def test_min_tokens_that_the_context_has_no_room_for_are_refused_with_the_numbers() -> None:
    assert admit([1] * 5, SamplingParams(min_tokens=15)).max_total_tokens == 20
    with pytest.raises(InvalidRequest, match=r"is 16; behind the prompt's 5 tokens .* 20 has room for 15"):
        admit([1] * 5, SamplingParams(min_tokens=16))


@pytest.mark.parametrize("bad", [100, -1, True, 1.0, "a"])
def test_ids_outside_the_vocabulary_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="token ids are 0 to 99, got") as caught:
        admit([1, bad])
    assert caught.value.field == "prompt"


@pytest.mark.parametrize("field", ["stop_token_ids", "logit_bias"])
def test_parameters_that_name_unknown_ids_are_refused(field: str) -> None:
    value: Any = (100,) if field == "stop_token_ids" else {100: 1.0}
    with pytest.raises(InvalidRequest, match="token ids are 0 to 99, got 100") as caught:
        admit([1], SamplingParams(**{field: value}))
    assert caught.value.field == field


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must not be empty"):
        admit([])


def test_the_seed_is_the_given_one_or_a_new_one() -> None:
    assert admit([1], SamplingParams(seed=0)).seed == 0
    assert admit([1]).seed != admit([1]).seed


def test_later_changes_to_the_prompt_list_do_not_reach_the_request() -> None:
    prompt = [1, 2]
    request = admit(prompt)
    prompt.append(3)
    assert list(request.prompt_token_ids) == [1, 2]
