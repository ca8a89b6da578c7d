"""The request of POST /v1/completions: prompts as they are, without a chat template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from wending.serve.openai_errors import APIError
from wending.serve.prompts import Prompts
from wending.serve.sampling_fields import SamplingFields
from wending.serve.unsupported import refuse_unsupported_text

DEFAULT_MAX_TOKENS = 16  # OpenAI's, for this endpoint only


class TextRequest(SamplingFields):
    """The fields of a text completion."""

    prompt: Prompts
    """Text, token ids, or a list of up to 256 of one of them. Control tokens in text are plain text."""
    echo: bool | None = None
    """Whether the text begins with the prompt. Not with "logprobs"."""
    logprobs: int | None = None
    """0 to 20: report log-probabilities, of the chosen token and of so many most likely ones."""
    best_of: int | None = Field(default=None, ge=1)
    """Only as many as "n"."""

    param_of_field: ClassVar[Mapping[str, str]] = {"prompt_token_ids": "prompt"}

    @classmethod
    def supported(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        return refuse_unsupported_text(body)

    def check_combinations(self) -> None:
        super().check_combinations()
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise _not_supported("best_of", "completions are not ranked: it must be as many as 'n'")
        if self.echo and self.logprobs is not None:
            raise _not_supported("echo", "with 'logprobs': a prompt's tokens get no log-probabilities")

    def further_params(self) -> dict[str, Any]:
        further: dict[str, Any] = {} if self.max_tokens is not None else {"max_tokens": DEFAULT_MAX_TOKENS}
        if self.logprobs is not None:
            further["logprobs"] = self.logprobs
        return further


def _not_supported(param: str, why: str) -> APIError:
    message = f"'{param}' is not supported by this version of wending as asked for: {why}."
    return APIError(400, message, param=param, code="unsupported_parameter")
