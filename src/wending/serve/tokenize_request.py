"""The requests of POST /tokenize and POST /detokenize: which fields there are, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wending.serve.chat_message import ChatMessage
from wending.serve.chat_request import MAX_MESSAGES
from wending.serve.conversation_fields import check_final_message
from wending.serve.openai_errors import APIError, invalid_value
from wending.serve.tool_fields import MAX_TOOLS, Tool
from wending.serve.validation_errors import as_api_error


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    model: str | None = None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """The request in a JSON object. Raises APIError 400, which names the first field at fault."""
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise as_api_error(error) from error


class TokenizeRequest(_Request):
    """A text, or a conversation, which is put into the model's chat template. vLLM's names.

    `add_special_tokens` is without effect, because Qwen2.5 adds none to a text.
    """

    prompt: str | None = None
    messages: list[ChatMessage] | None = Field(default=None, min_length=1, max_length=MAX_MESSAGES)
    tools: list[Tool] | None = Field(default=None, max_length=MAX_TOOLS)
    add_special_tokens: bool | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool | None = None
    return_token_strs: bool | None = None

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        request = super().parse(body)
        if (request.prompt is None) == (request.messages is None):
            param = "prompt" if request.prompt is None else "messages"
            message = "One of 'prompt' and 'messages' is required, and not both."
            raise APIError(400, message, param=param, code="invalid_value")
        if request.tools and request.messages is None:
            raise invalid_value("tools", "they need 'messages'")
        if request.messages:
            last_message = request.messages[-1].for_template()
            check_final_message(request.continue_final_message, request.add_generation_prompt, last_message)
        elif request.continue_final_message:
            raise invalid_value("continue_final_message", "it needs 'messages'")
        elif request.add_generation_prompt is False:
            raise invalid_value("add_generation_prompt", "without 'messages' there is none")
        return request


class DetokenizeRequest(_Request):
    """Token ids, whose text is wanted."""

    tokens: list[int]
