"""The request of POST /v1/chat/completions: which fields there are, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from wending.engine.constraint import Constraint
from wending.serve.chat_message import ChatMessage
from wending.serve.conversation_fields import ConversationFields
from wending.serve.openai_errors import invalid_value
from wending.serve.sampling_fields import SamplingFields
from wending.serve.tool_fields import ToolFields
from wending.serve.tool_messages import in_order_of_calls
from wending.serve.unsupported import refuse_unsupported

MAX_MESSAGES = 4096


class ChatRequest(ConversationFields, SamplingFields, ToolFields):
    """The fields of a chat completion."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True)
    """The conversation, which is put into the model's chat template."""
    max_completion_tokens: int | None = None
    """Another name of max_tokens."""
    logprobs: bool | None = None
    """Whether to report log-probabilities."""
    top_logprobs: int | None = None
    """0 to 20: of so many most likely tokens too. With "logprobs" only."""
    metadata: dict[str, str] | None = None
    """Changes nothing."""
    safety_identifier: str | None = None
    """Changes nothing."""
    prompt_cache_key: str | None = None
    """Changes nothing."""

    param_of_field: ClassVar[Mapping[str, str]] = {
        "prompt_token_ids": "messages",
        "prompt": "messages",
        "logprobs": "top_logprobs",
    }

    @classmethod
    def supported(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        return refuse_unsupported(body)

    def check_combinations(self) -> None:
        self.check_tools()
        super().check_combinations()
        limits = {self.max_tokens, self.max_completion_tokens} - {None}
        if len(limits) == 2:
            raise invalid_value(
                "max_completion_tokens",
                f"{self.max_completion_tokens} contradicts 'max_tokens', which is {self.max_tokens}",
            )
        if self.top_logprobs is not None and not self.logprobs:
            raise invalid_value("top_logprobs", "it needs 'logprobs': true")
        self.check_continuing(self.messages[-1].for_template(), self.answer_tokens)
        self.check_cut(bool(self.logprobs), self.constraint())

    @property
    def answer_tokens(self) -> int | None:
        """The length that is asked for, by either of its names."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def message_so_far(self) -> str:
        """What stands before the answer's text in the same message."""
        return str(self.messages[-1].for_template()["content"]) if self.continue_final_message else ""

    def constraint(self) -> Constraint | None:
        """What the answer must look like. Raises APIError 400."""
        return self.tools_constraint(super().constraint())

    def template_messages(self) -> list[dict[str, Any]]:
        """The conversation as the chat template takes it. Raises APIError 400 for an answer to no call."""
        return [message.for_template() for message in in_order_of_calls(self.messages)]

    def param_of(self, field: str) -> str:
        if field == "max_tokens" and self.max_tokens is None:
            return "max_completion_tokens"
        return super().param_of(field)

    def further_params(self) -> dict[str, Any]:
        further: dict[str, Any] = {}
        if self.answer_tokens is not None:
            further["max_tokens"] = self.answer_tokens * (1 + (self.continue_ or 0))
        if self.logprobs:
            further["logprobs"] = self.top_logprobs or 0
        return further
