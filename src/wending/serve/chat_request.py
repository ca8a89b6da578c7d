"""The request of POST /v1/chat/completions: which fields there are, and what is refused.

Types are strict: "5" is no number and true is no 1. Ranges are those of SamplingParams, which checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from wending.engine.errors import InvalidRequest
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency
from wending.serve.chat_message import ChatMessage
from wending.serve.openai_errors import invalid_value
from wending.serve.response_format import ConstraintFields, refuse_stop_strings
from wending.serve.unsupported import refuse_unsupported
from wending.serve.validation_errors import as_api_error

MAX_MESSAGES = 4096
MAX_STOP_STRINGS = 16  # OpenAI allows 4


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    include_usage: bool = False
    include_obfuscation: Literal[False] = False


def _as_list(stop: Any) -> Any:
    return [stop] if isinstance(stop, str) else stop


def _token_ids(logit_bias: dict[str, float]) -> dict[int, float]:
    for key in logit_bias:
        if not (key.isascii() and key.isdigit() and len(key) <= 10):
            raise PydanticCustomError(
                "logit_bias_key", "its keys must be token ids, not {key}", {"key": repr(key[:40])}
            )
    return {int(key): bias for key, bias in logit_bias.items()}


class ChatRequest(ConstraintFields):
    """OpenAI's fields, then those that other engines have added to them. null is the same as absent."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    model: str
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True)
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    top_p: float | None = None
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=1000)]] | None,
        BeforeValidator(_as_list),
    ] = Field(default=None, max_length=MAX_STOP_STRINGS)
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: Annotated[dict[str, float], AfterValidator(_token_ids)] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    # Identifiers that change nothing in an answer.
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop_token_ids: list[int] | None = Field(default=None, fail_fast=True)
    ignore_eos: bool | None = None
    # When to serve a request, not how: the lower priority goes first; seconds in which it must be complete.
    priority: int | None = None
    deadline_s: float | None = None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            request = cls.model_validate(refuse_unsupported(body))
        except ValidationError as error:
            raise as_api_error(error) from error
        request._check_combinations()
        return request

    def _check_combinations(self) -> None:
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) == 2:
            raise invalid_value(
                "max_completion_tokens",
                f"{self.max_completion_tokens} contradicts 'max_tokens', which is {self.max_tokens}",
            )
        if self.top_logprobs is not None and not self.logprobs:
            raise invalid_value("top_logprobs", "it needs 'logprobs': true")
        refuse_stop_strings(self.constraint(), self.stop)
        if self.stream_options is not None and not self.stream:
            raise invalid_value("stream_options", "it needs 'stream': true")

    def template_messages(self) -> list[dict[str, Any]]:
        return [message.for_template() for message in self.messages]

    def urgency(self) -> Urgency:
        """When to serve it. Raises InvalidRequest."""
        return Urgency(self.priority or 0, self.deadline_s)

    def sampling_params(self) -> SamplingParams:
        """How to sample: OpenAI's defaults where nothing is asked for. Raises InvalidRequest."""
        given: dict[str, Any] = {
            name: value for name in _SAMPLING_FIELDS if (value := getattr(self, name)) is not None
        }
        if self.max_completion_tokens is not None:
            given["max_tokens"] = self.max_completion_tokens
        if self.logprobs:
            given["logprobs"] = self.top_logprobs or 0
        try:
            return SamplingParams(**given, constraint=self.constraint())
        except InvalidRequest as error:
            if error.field == "max_tokens" and self.max_tokens is None:
                error.field = "max_completion_tokens"
            raise


_SAMPLING_FIELDS = (
    "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "logit_bias", "seed", "stop", "stop_token_ids", "max_tokens", "n", "ignore_eos",
)  # fmt: skip
