"""What a conversation is made of in the Responses API: messages, calls of functions, and their outputs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, ValidationError
from pydantic_core import PydanticCustomError

from wending.serve.chat_message import JSONObjectText
from wending.serve.openai_errors import invalid_value
from wending.serve.validation_errors import as_api_error

Status = Literal["in_progress", "completed", "incomplete"]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class TextPart(_Strict):
    """Of a message. What an answer had beside its text comes back with it and says nothing new."""

    type: Literal["input_text", "output_text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


def _as_parts(content: Any) -> Any:
    if isinstance(content, str):
        return [{"type": "input_text", "text": content}]
    if not isinstance(content, list):
        raise PydanticCustomError("content_type", "must be a string or a list of text parts")
    return content


Content = Annotated[list[TextPart], FailFast(), BeforeValidator(_as_parts)]


class MessageItem(_Strict):
    """A turn of the conversation."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Content
    id: str | None = None
    status: Status | None = None
    phase: str | None = None


class FunctionCallItem(_Strict):
    """A call that the model made."""

    type: Literal["function_call"]
    call_id: str
    name: str = Field(min_length=1)
    arguments: JSONObjectText
    id: str | None = None
    status: Status | None = None


class FunctionCallOutputItem(_Strict):
    """What the function returned."""

    type: Literal["function_call_output"]
    call_id: str
    output: Content
    id: str | None = None
    status: Status | None = None


InputItem = MessageItem | FunctionCallItem | FunctionCallOutputItem

_KINDS: dict[Any, type[InputItem]] = {
    "message": MessageItem,
    "function_call": FunctionCallItem,
    "function_call_output": FunctionCallOutputItem,
}


def input_items(given: str | list[Any]) -> list[InputItem]:
    """The items of a request; a text is a message of the user. Raises APIError 400."""
    if isinstance(given, str):
        return [MessageItem.model_validate({"role": "user", "content": given})]
    return [_item(item, f"input[{i}]") for i, item in enumerate(given)]


def _item(given: Any, place: str) -> InputItem:
    if not isinstance(given, dict):
        raise invalid_value(place, "it must be an object", "invalid_type")
    # The official client's items, dumped, have all fields that there are, those without a value too.
    given = {name: value for name, value in given.items() if value is not None}
    kind = given.get("type", "message")
    if not isinstance(kind, str) or kind not in _KINDS:
        supported = ", ".join(map(repr, _KINDS))
        raise invalid_value(f"{place}.type", f"{str(kind)[:80]!r} is not supported, only {supported}")
    try:
        return _KINDS[kind].model_validate(given | {"type": kind})
    except ValidationError as error:
        raise as_api_error(error, place) from error
