"""One message of a conversation, as OpenAI's chat API takes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, from_json


class TextPart(BaseModel):
    """One part of a message's content."""

    model_config = ConfigDict(strict=True, extra="forbid")

    type: Literal["text"]
    text: str


def _as_parts(content: Any) -> Any:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise PydanticCustomError("content_type", "must be a string or a list of text parts")
    return content


def _json_object(text: str) -> str:
    """Whether the text is a JSON object: the template shows it to the model as one."""
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise PydanticCustomError("arguments", "must be the text of a JSON object")
    return text


JSONObjectText = Annotated[str, AfterValidator(_json_object)]


class FunctionCall(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(min_length=1)
    arguments: JSONObjectText


class ToolCall(BaseModel):
    """A call that the assistant made, as it came in an answer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall
    index: int | None = None
    """Pieces of a stream have it, and clients may keep it."""

    def for_template(self) -> dict[str, Any]:
        arguments = from_json(self.function.arguments)
        return {"type": "function", "function": {"name": self.function.name, "arguments": arguments}}


class ChatMessage(BaseModel):
    """A turn of the conversation. Each role the chat template knows; any other would silently be left out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    """OpenAI's newer name of "system" is "developer"."""
    content: Annotated[
        list[TextPart], FailFast(), BeforeValidator(_as_parts, json_schema_input_type=str | list[TextPart])
    ]
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _content_or_calls(cls, message: Any) -> Any:
        """An assistant's message with calls needs no content."""
        if isinstance(message, dict) and message.get("tool_calls") and message.get("content") is None:
            return message | {"content": ""}
        return message

    @field_validator("tool_calls")
    @classmethod
    def _of_the_assistant(cls, calls: list[ToolCall] | None, info: ValidationInfo) -> list[ToolCall] | None:
        if calls and info.data.get("role") not in ("assistant", None):
            raise PydanticCustomError("tool_calls", "only messages of the assistant may have calls")
        return calls

    def for_template(self) -> dict[str, Any]:
        """The message as the chat template takes it. Several text parts become lines of one text."""
        role = "system" if self.role == "developer" else self.role
        message: dict[str, Any] = {"role": role, "content": "\n".join(part.text for part in self.content)}
        if self.name is not None:
            message["name"] = self.name
        if self.tool_calls:
            message["tool_calls"] = [call.for_template() for call in self.tool_calls]
        if self.tool_call_id is not None:
            message["tool_call_id"] = self.tool_call_id
        return message
