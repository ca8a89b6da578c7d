"""The fields that requests for chat and for text completions have in common: above all how to sample.

Types are strict: "5" is no number and true is no 1. Ranges are those of SamplingParams, which checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

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
from wending.serve.openai_errors import invalid_value
from wending.serve.response_format import ConstraintFields, refuse_stop_strings
from wending.serve.tally import UsageInStream
from wending.serve.validation_errors import as_api_error

MAX_STOP_STRINGS = 16  # OpenAI allows 4


class StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    include_usage: bool = False
    """Whether the stream ends with the usage."""
    continuous_usage_stats: bool = False
    """Whether each chunk has the usage so far, as in vLLM; only together with include_usage."""
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


class SamplingFields(ConstraintFields):
    """OpenAI's fields, then those that other engines have added to them. null is the same as absent."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    model: str
    """The name that GET /v1/models tells."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    """0 to 2; 0 takes the most likely token. Default 1."""
    top_p: float | None = None
    """Above 0, at most 1: sample from the most likely tokens whose probabilities sum to this. Default 1."""
    n: int | None = None
    """How many completions of the prompt, 1 to 128. Default 1."""
    max_tokens: int | None = None
    """Most tokens to generate; clamped to what the context leaves."""
    stop: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=1000)]] | None,
        BeforeValidator(_as_list, json_schema_input_type=str | list[str] | None),
    ] = Field(default=None, max_length=MAX_STOP_STRINGS)
    """Up to 16 strings that end a completion; they are not part of the text."""
    seed: int | None = None
    """64 bits. The same request with the same seed gives the same bytes. Drawn if absent."""
    presence_penalty: float | None = None
    """-2 to 2, for each token that is in the completion already."""
    frequency_penalty: float | None = None
    """-2 to 2, for each time that a token is in the completion already."""
    logit_bias: Annotated[dict[str, float], AfterValidator(_token_ids)] | None = None
    """-100 to 100 by token id, added to the token's logit."""
    stream: bool | None = None
    """Whether the answer comes as server-sent events."""
    stream_options: StreamOptions | None = None
    """With "stream" only."""
    user: str | None = None
    """Changes nothing."""

    top_k: int | None = None
    """Sample from so many most likely tokens; 0 and -1: from all. Default 0."""
    min_p: float | None = None
    """0 to 1: sample from tokens at least this fraction as likely as the most likely one. Default 0."""
    repetition_penalty: float | None = None
    """0.01 to 100, for tokens in prompt or completion. Default 1, which is off."""
    stop_token_ids: list[int] | None = Field(default=None, fail_fast=True)
    """Tokens that end a completion; they are not part of the text."""
    ignore_eos: bool | None = None
    """Whether to go on behind the model's end of sequence."""
    min_tokens: int | None = None
    """So many tokens come before an end of sequence, stop token or stop string counts. Default 0."""
    priority: int | None = None
    """When to serve the request, not how: the lower goes first. Default 0."""
    deadline_s: float | None = None
    """Seconds in which the answer must be complete; it ends with an error otherwise."""
    wending_report: bool | None = None
    """Whether the answer tells what was effectively used, in "wending"."""

    param_of_field: ClassVar[Mapping[str, str]] = {}
    """What the engine calls a part of the request, where the API has another name for it."""

    @property
    def include_usage(self) -> bool:
        """Whether a stream is to end with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def usage_in_stream(self) -> UsageInStream:
        """Which chunks of a stream have the usage."""
        if self.stream_options is None or not self.stream_options.include_usage:
            return "none"
        return "each" if self.stream_options.continuous_usage_stats else "last"

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            request = cls.model_validate(cls.supported(body))
        except ValidationError as error:
            raise as_api_error(error) from error
        request.check_combinations()
        return request

    @classmethod
    def supported(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` without the fields that are refused by name. Raises APIError 400 for one that asks for
        something."""
        return dict(body)

    def check_combinations(self) -> None:
        """Raises APIError 400 for fields that contradict each other."""
        refuse_stop_strings(self.constraint(), self.stop)
        if self.stream_options is not None and not self.stream:
            raise invalid_value("stream_options", "it needs 'stream': true")

    def param_of(self, field: str) -> str:
        """The API's name of what the engine calls `field`."""
        return self.param_of_field.get(field, field)

    def urgency(self) -> Urgency:
        """When to serve it. Raises InvalidRequest."""
        return Urgency(self.priority or 0, self.deadline_s)

    def sampling_params(self, defaults: Mapping[str, Any] | None = None) -> SamplingParams:
        """How to sample: `defaults`, then OpenAI's, where nothing is asked for. Raises InvalidRequest."""
        given = {name: value for name in _SAMPLING_FIELDS if (value := getattr(self, name)) is not None}
        try:
            values = {**(defaults or {}), **given, **self.further_params()}
            return SamplingParams(**values, constraint=self.constraint())
        except InvalidRequest as error:
            error.field = self.param_of(error.field)
            raise

    def further_params(self) -> dict[str, Any]:
        """Values of SamplingParams that are not in a field of the same name and meaning."""
        return {}


_SAMPLING_FIELDS = (
    "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "logit_bias", "seed", "stop", "stop_token_ids", "max_tokens", "min_tokens", "n", "ignore_eos",
)  # fmt: skip
