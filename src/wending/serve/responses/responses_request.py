"""The request of POST /v1/responses: which fields there are, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from wending.serve.chat_request import MAX_MESSAGES
from wending.serve.response_format import JSONObject, NamedSchema, Text
from wending.serve.sampling_fields import StreamOptions
from wending.serve.tool_fields import MAX_TOOLS, Function
from wending.serve.unsupported import refuse_unsupported_responses
from wending.serve.validation_errors import as_api_error

MAX_ITEMS = MAX_MESSAGES - 1
"""The instructions are a message, too."""

_FORMAT = re.compile(r"^text\.format\.(text|json_object|json_schema)(?=\.)")
"""Pydantic names the type of a format between it and its fields."""


class FlatSchema(NamedSchema):
    type: Literal["json_schema"]


class TextSettings(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    format: Annotated[Text | JSONObject | FlatSchema, Field(discriminator="type")] | None = None
    verbosity: Literal["medium"] | None = None


class _OfAFunction(BaseModel):
    """Its field is looked at first, before others are missed that another type does not have."""

    type: Literal["function"]


class FlatTool(Function, _OfAFunction):
    pass


class FlatToolChoice(BaseModel):
    """OpenAI writes the first three as a text."""

    model_config = ConfigDict(strict=True, extra="forbid")

    type: Literal["auto", "none", "required", "function"]
    name: str | None = None

    def as_given(self) -> Any:
        """A text, but for one function."""
        return self.type if self.name is None else self.model_dump()


def _is_input(given: Any) -> Any:
    if not isinstance(given, str | list):
        raise PydanticCustomError("input_type", "must be a text or a list of items")
    if isinstance(given, list) and not 1 <= len(given) <= MAX_ITEMS:
        message = "must have at least 1 and at most {most} items, not {number}"
        raise PydanticCustomError("input_length", message, {"most": MAX_ITEMS, "number": len(given)})
    return given


def _as_choice(choice: Any) -> Any:
    if isinstance(choice, str) and choice in ("auto", "none", "required"):
        return {"type": choice}
    if not isinstance(choice, dict | None):
        raise PydanticCustomError("choice", "must be 'auto', 'none', 'required' or an object")
    if choice is not None and choice.get("type") == "function" and choice.get("name") is None:
        raise PydanticCustomError("choice", "must say which one: 'name' is absent")
    return choice


class ResponsesRequest(BaseModel):
    """The fields of a response. Those that are not OpenAI's mean what they do for a chat completion."""

    model_config = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)

    model: str
    """The name that GET /v1/models tells."""
    input: Annotated[
        Any,
        BeforeValidator(_is_input, json_schema_input_type=str | list[dict[str, Any]]),
    ]
    """A text of the user, or the conversation: messages, function_call and function_call_output items."""
    instructions: str | None = None
    """A system message before the conversation."""
    max_output_tokens: int | None = None
    """Most tokens to generate; clamped to what the context leaves."""
    text: TextSettings | None = None
    """{"format": {"type": "text" | "json_object" | "json_schema", …}}"""
    tools: list[FlatTool] | None = Field(default=None, max_length=MAX_TOOLS)
    """Up to 128 functions that the model may call."""
    tool_choice: Annotated[
        FlatToolChoice | None, BeforeValidator(_as_choice, json_schema_input_type=str | FlatToolChoice | None)
    ] = None
    """As a text "auto" (the default), "none" or "required"; or which one: {"type": "function", "name"}."""
    parallel_tool_calls: bool | None = None
    """Whether there may be several calls. Default true."""
    include: list[Literal["message.output_text.logprobs", "reasoning.encrypted_content"]] | None = None
    """Log-probabilities of the text, if so asked for."""
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    """0 to 20: of so many most likely tokens too."""
    truncation: Literal["auto", "disabled"] | None = None
    """What happens to a conversation that is too long: it is refused, or with "auto" its oldest turns are
    left out."""
    stream: bool | None = None
    """Whether the answer comes as server-sent events."""
    stream_options: StreamOptions | None = None
    """With "stream" only. The usage comes in any case."""
    metadata: dict[str, str] | None = None
    """Comes back with the answer."""
    user: str | None = None
    """Changes nothing."""
    safety_identifier: str | None = None
    """Changes nothing."""
    prompt_cache_key: str | None = None
    """Changes nothing."""
    temperature: float | None = None
    """As for a chat completion."""
    top_p: float | None = None
    """As for a chat completion."""
    top_k: int | None = None
    """As for a chat completion."""
    min_p: float | None = None
    """As for a chat completion."""
    presence_penalty: float | None = None
    """As for a chat completion."""
    frequency_penalty: float | None = None
    """As for a chat completion."""
    repetition_penalty: float | None = None
    """As for a chat completion."""
    seed: int | None = None
    """As for a chat completion."""
    min_tokens: int | None = None
    """As for a chat completion."""
    ignore_eos: bool | None = None
    """As for a chat completion."""
    priority: int | None = None
    """As for a chat completion."""
    deadline_s: float | None = None
    """As for a chat completion."""
    restate_system: int | None = None
    """As for a chat completion."""
    wending_report: bool | None = None
    """As for a chat completion."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            return cls.model_validate(refuse_unsupported_responses(body))
        except ValidationError as error:
            refused = as_api_error(error)
            refused.rename(_FORMAT.sub("text.format", refused.param or ""))
            raise refused from error
