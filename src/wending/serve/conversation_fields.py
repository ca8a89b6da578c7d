"""The fields of a chat request that take care of a conversation: how an answer ends, how one goes on, and
what of a long conversation the model is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from wending.engine.constraint import Constraint
from wending.serve.conversation_settings import MAX_RESTATE_SYSTEM, ContextPolicy
from wending.serve.openai_errors import APIError, invalid_value

MAX_CONTINUE = 16


class ConversationFields(BaseModel):
    """Each means what the server's option says, or nothing, where a request does not have it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    truncation: Literal["none", "sentence"] | None = None
    """With "sentence" a text that ends at "max_tokens" is cut at its last whole sentence. Default "none"."""
    continue_: int | None = Field(default=None, alias="continue", ge=0, le=MAX_CONTINUE)
    """0 to 16: a completion that ends at "max_tokens" goes on, up to so many times "max_tokens" more."""
    continue_final_message: bool | None = None
    """Whether the answer goes on with the last message, which is the assistant's, within its text."""
    add_generation_prompt: bool | None = None
    """Whether the answer is a message of its own: the contrary of "continue_final_message"."""
    context_policy: ContextPolicy | None = None
    """What happens to a conversation that is too long: "refuse", or "drop-oldest" turns of it."""
    restate_system: int | None = Field(default=None, ge=0, le=MAX_RESTATE_SYSTEM)
    """Show the model the system prompt again at every so many user turns; 0 is never."""

    @property
    def cuts_sentences(self) -> bool:
        """Whether a text that reaches max_tokens ends with a whole sentence."""
        return self.truncation == "sentence"

    def check_continuing(self, last_message: Mapping[str, Any], max_tokens: int | None) -> None:
        """Raises APIError 400 for a last message (see `check_final_message`) that cannot be continued, and
        for continuations without a length."""
        check_final_message(self.continue_final_message, self.add_generation_prompt, last_message)
        if self.continue_ and max_tokens is None:
            raise invalid_value("continue", f"{self.continue_} times of what? It needs 'max_tokens'")

    def check_cut(self, logprobs: bool, constraint: Constraint | None) -> None:
        """Raises APIError 400 for what cannot be kept together with a text that is cut."""
        if not self.cuts_sentences:
            return
        if logprobs:
            raise _not_with("logprobs", "tokens would have log-probabilities whose text is cut")
        if constraint is not None:
            raise _not_with(constraint.field, "an answer that keeps to a form is not cut")


def check_final_message(
    continues: bool | None, is_its_own: bool | None, last_message: Mapping[str, Any]
) -> None:
    """Raises APIError 400 for a last message, as the chat template takes it, that cannot be continued though
    "continue_final_message" asks for it, or where "add_generation_prompt" does not ask for the contrary."""
    if is_its_own is not None and is_its_own == bool(continues):
        shown = str(is_its_own).lower()
        message = f"it is {shown}, and so is 'continue_final_message': an answer does one of both"
        raise invalid_value("add_generation_prompt", message)
    if continues and last_message["role"] != "assistant":
        message = f"the last message must be the assistant's, its role is '{last_message['role']}'"
        raise invalid_value("continue_final_message", message)
    if continues and last_message.get("tool_calls"):
        raise invalid_value("continue_final_message", "the last message calls tools: its text is over")


def _not_with(param: str, why: str) -> APIError:
    message = f"'truncation': 'sentence' is not supported together with '{param}': {why}."
    return APIError(400, message, param="truncation", code="unsupported_parameter")
