from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from wending.engine.errors import InvalidRequest
from wending.engine.sampling_params import SamplingParams


def test_defaults_change_nothing() -> None:
    params = SamplingParams()
    assert (params.temperature, params.top_p, params.top_k, params.min_p) == (1.0, 1.0, 0, 0.0)
    assert (params.repetition_penalty, params.n, params.max_tokens, params.logprobs) == (1.0, 1, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("top_k", -2),
        ("top_k", 1.5),
        ("top_k", 2**63),
        ("max_tokens", 2**63),
        ("min_p", -0.1),
        ("min_p", 1.1),
        ("presence_penalty", 2.1),
        ("frequency_penalty", -2.1),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", 1e9),
        ("logit_bias", {-1: 1.0}),
        ("logit_bias", {1: 101.0}),
        ("logit_bias", {"1": 1.0}),
        ("logit_bias", [1]),
        ("seed", 2**64),
        ("seed", 1.0),
        ("stop", ("",)),
        ("stop", (1,)),
        ("stop", 5),
        ("stop_token_ids", (-1,)),
        ("stop_token_ids", 5),
        ("max_tokens", 0),
        ("max_tokens", True),
        ("n", 0),
        ("n", 129),
        ("logprobs", -1),
        ("logprobs", 21),
        ("ignore_eos", 1),
        ("hidden_state", True),
        ("hidden_state", "first"),
        ("min_tokens", -1),
        ("min_tokens", 1.0),
    ],
)
def test_refuses_a_value_out_of_range_and_names_field_and_value(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        SamplingParams(**{field: value})
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: must")


def test_min_tokens_above_max_tokens_are_refused_with_both_numbers() -> None:
    SamplingParams(min_tokens=3, max_tokens=3)
    with pytest.raises(InvalidRequest, match="min_tokens: must be at most max_tokens, which is 3, got 4"):
        SamplingParams(min_tokens=4, max_tokens=3)


def test_normalises_lists_and_a_single_stop_string() -> None:
    params = SamplingParams(stop="END", stop_token_ids=[1, 2])  # type: ignore[arg-type]
    assert params.stop == ("END",)
    assert params.stop_token_ids == (1, 2)


def test_keeps_its_own_copy_of_the_biases() -> None:
    biases = {1: 1.0}
    params = SamplingParams(logit_bias=biases)
    biases[1] = 5.0
    assert params.logit_bias == {1: 1.0}


def test_invalid_request_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(InvalidRequest("prompt", "too long", code="context_length_exceeded")))
    assert (error.field, error.message, error.code) == ("prompt", "too long", "context_length_exceeded")
