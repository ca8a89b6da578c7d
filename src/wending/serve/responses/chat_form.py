"""A request of the Responses API as the chat completion that answers it.

So that both APIs understand a conversation, its tools and its limits alike, there is one way through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from wending.engine.constraint import Constraint
from wending.serve.chat_request import ChatRequest
from wending.serve.conversation_settings import ContextPolicy
from wending.serve.openai_errors import APIError, invalid_value
from wending.serve.responses.input_items import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputItem,
    MessageItem,
    TextPart,
    input_items,
)
from wending.serve.responses.responses_request import (
    FlatSchema,
    FlatToolChoice,
    ResponsesRequest,
    TextSettings,
)

_SAME = (
    "model", "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty",
    "repetition_penalty", "seed", "min_tokens", "ignore_eos", "priority", "deadline_s", "restate_system",
    "wending_report", "stream", "parallel_tool_calls",
)  # fmt: skip
_NAMES = (
    (r"^max(_completion)?_tokens$", "max_output_tokens"),
    (r"^response_format(\.json_schema)?", "text.format"),
    (r"^(tools\[\d+\])\.function", r"\1"),
    (r"^tool_choice\.function", "tool_choice"),
    (r"^messages$", "input"),
    (r"^context_policy$", "truncation"),
)
"""What chat completions call a field, as a pattern, and what responses call it."""
TRUNCATION: dict[ContextPolicy, str] = {"drop-oldest": "auto", "refuse": "disabled"}
"""What responses call a policy for conversations that are too long."""
_POLICIES = {name: policy for policy, name in TRUNCATION.items()}


class ChatForm(ChatRequest):
    """Made of a ResponsesRequest. Its errors name the fields of that."""

    @classmethod
    def of(cls, request: ResponsesRequest) -> Self:
        """Raises APIError 400."""
        messages = _messages(input_items(request.input), request.instructions)
        try:
            return cls.parse(_body(request, messages))
        except APIError as error:
            error.rename(_name(error.param or ""))
            raise

    def param_of(self, field: str) -> str:
        return _name(super().param_of(field))

    def constraint(self) -> Constraint | None:
        """What the answer must look like, with the name of its field here. Raises APIError 400."""
        constraint = super().constraint()
        return None if constraint is None else replace(constraint, field=_name(constraint.field))


def _name(field: str) -> str:
    for pattern, name in _NAMES:
        field = re.sub(pattern, name, field)
    return field


def _body(request: ResponsesRequest, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    logprobs = bool(request.top_logprobs) or "message.output_text.logprobs" in (request.include or ())
    return {name: getattr(request, name) for name in _SAME} | {
        "messages": messages,
        "max_tokens": request.max_output_tokens,
        "logprobs": logprobs,
        "top_logprobs": request.top_logprobs if logprobs else None,
        "stream_options": None if request.stream_options is None else request.stream_options.model_dump(),
        "response_format": None if request.text is None else _response_format(request.text),
        "tools": [_nested(tool.model_dump(exclude_unset=True)) for tool in request.tools or ()],
        "tool_choice": None if request.tool_choice is None else _tool_choice(request.tool_choice),
        "context_policy": None if request.truncation is None else _POLICIES[request.truncation],
    }


def _messages(items: Sequence[InputItem], instructions: str | None) -> list[dict[str, Any]]:
    """Raises APIError 400 for the output of no call."""
    messages: list[dict[str, Any]] = []
    if instructions is not None:
        messages.append({"role": "system", "content": instructions})
    calls: list[dict[str, Any]] = []
    """Those of the newest message of the assistant that has any."""
    for i, item in enumerate(items):
        match item:
            case MessageItem():
                messages.append({"role": item.role, "content": _text(item.content)})
            case FunctionCallItem():
                if not messages or messages[-1]["role"] != "assistant":
                    messages.append({"role": "assistant", "content": ""})
                calls = messages[-1].setdefault("tool_calls", [])
                function = {"name": item.name, "arguments": item.arguments}
                calls.append({"id": item.call_id, "type": "function", "function": function})
            case FunctionCallOutputItem():
                if item.call_id not in [call["id"] for call in calls]:
                    message = f"no function_call of the newest ones before has the id {item.call_id[:80]!r}"
                    raise invalid_value(f"input[{i}].call_id", message)
                output = {"role": "tool", "tool_call_id": item.call_id, "content": _text(item.output)}
                messages.append(output)
    return messages


def _text(parts: Sequence[TextPart]) -> str:
    return "\n".join(part.text for part in parts)


def _response_format(text: TextSettings) -> dict[str, Any] | None:
    if isinstance(text.format, FlatSchema):
        named = text.format.model_dump(by_alias=True, exclude_unset=True, exclude={"type"})
        return {"type": "json_schema", "json_schema": named}
    return None if text.format is None else text.format.model_dump()


def _tool_choice(choice: FlatToolChoice) -> Any:
    return choice.type if choice.name is None else _nested(choice.model_dump())


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    return {"type": flat.pop("type"), "function": flat}
