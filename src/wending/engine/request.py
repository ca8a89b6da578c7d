"""A request that was admitted: what was asked for, checked against what the engine can do."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from wending.engine.errors import InvalidRequest
from wending.engine.random_numbers import draw_seed
from wending.engine.sampling_params import SamplingParams


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt and how to complete it. Together with the weights it determines every byte of the answer."""

    request_id: str
    prompt_token_ids: array[int]
    params: SamplingParams
    seed: int
    """The seed in use: that of `params`, or the one drawn at admission."""
    max_total_tokens: int
    """Prompt and completion together end here at the latest: at max_tokens or at the end of the context."""

    @classmethod
    def admit(
        cls,
        request_id: str,
        prompt_token_ids: Sequence[int],
        params: SamplingParams,
        *,
        vocab_size: int,
        max_context: int,
    ) -> Request:
        """Check a request against the vocabulary and the context. Raises InvalidRequest with the numbers.

        `max_tokens` beyond the context is clamped to it; a prompt that leaves no room for one token, or for
        `min_tokens`, is refused.
        """
        length = len(prompt_token_ids)
        if length == 0:
            raise InvalidRequest("prompt", "must not be empty")
        if length >= max_context:
            raise InvalidRequest(
                "prompt",
                f"has {length} tokens; the context holds {max_context}, the answer needs at least one",
                code="context_length_exceeded",
            )
        if params.min_tokens > max_context - length:
            raise InvalidRequest(
                "min_tokens",
                f"is {params.min_tokens}; behind the prompt's {length} tokens the context of {max_context} "
                f"has room for {max_context - length}",
            )
        for name, ids in (
            ("prompt", prompt_token_ids),
            ("stop_token_ids", params.stop_token_ids),
            ("logit_bias", params.logit_bias),
        ):
            for token_id in ids:
                if type(token_id) is not int or not 0 <= token_id < vocab_size:
                    raise InvalidRequest(name, f"token ids are 0 to {vocab_size - 1}, got {token_id!r}")
        return cls(
            request_id=request_id,
            prompt_token_ids=array("i", prompt_token_ids),
            params=params,
            seed=draw_seed() if params.seed is None else params.seed,
            max_total_tokens=min(length + (params.max_tokens or max_context), max_context),
        )
