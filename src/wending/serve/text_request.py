"""The request of POST /v1/completions: prompts as they are, without a chat template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from wending.serve.openai_errors import APIError
from wending.serve.sampling_fields import SamplingFields
from wending.serve.unsupported import refuse_unsupported_text
from wending.serve.validation_errors import as_api_error

MAX_PROMPTS = 256
DEFAULT_MAX_TOKENS = 16  # OpenAI's, for this endpoint only

Prompt = str | list[int]
"""Text, or token ids."""


def _prompts(prompt: Any) -> list[Prompt]:
    """A list of prompts, of which one alone is a special case."""
    several = [prompt] if isinstance(prompt, str) or _is_token_ids(prompt) else prompt
    if not isinstance(several, list) or not several or len(several) > MAX_PROMPTS:
        raise PydanticCustomError(
            "prompt_type",
            "must be text, token ids, or a list of 1 to {most} of one of them",
            {"most": MAX_PROMPTS},
        )
    if not (all(isinstance(one, str) for one in several) or all(map(_is_token_ids, several))):
        raise PydanticCustomError("prompt_type", "its items must all be text or all lists of token ids")
    return several


def _is_token_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)


_TOKEN_IDS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
_PROMPT_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_PROMPTS},
        _TOKEN_IDS,
        {"type": "array", "items": _TOKEN_IDS, "minItems": 1, "maxItems": MAX_PROMPTS},
    ]
}


class TextRequest(SamplingFields):
    """The fields of a text completion."""

    prompt: Annotated[list[Prompt], PlainValidator(_prompts), WithJsonSchema(_PROMPT_SCHEMA)]
    """Text, token ids, or a list of up to 256 of one of them. Control tokens in text are plain text."""
    echo: bool | None = None
    """Whether the text begins with the prompt. Not with "logprobs"."""
    logprobs: int | None = None
    """0 to 20: report log-probabilities, of the chosen token and of so many most likely ones."""
    best_of: int | None = Field(default=None, ge=1)
    """Only as many as "n"."""

    param_of_field: ClassVar[Mapping[str, str]] = {"prompt_token_ids": "prompt"}

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            request = cls.model_validate(refuse_unsupported_text(body))
        except ValidationError as error:
            raise as_api_error(error) from error
        request.check_combinations()
        return request

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
