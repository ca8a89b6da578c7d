"""Text in, token ids out, and back: done in the caller's own thread, around the engine's work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wending.engine.errors import InvalidRequest
from wending.model.chat_template import ChatTemplate
from wending.model.errors import ChatTemplateError
from wending.model.tokenizer import Tokenizer


class PromptEncoder:
    """A checkpoint's tokenizer and chat template. Holds no state between calls; any thread may use it."""

    def __init__(self, tokenizer: Tokenizer, chat_template: ChatTemplate) -> None:
        self._tokenizer = tokenizer
        self._chat_template = chat_template

    def encode_chat(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        continue_final_message: bool = False,
    ) -> list[int]:
        """Token ids of a conversation up to where the assistant's text begins or goes on; see
        EngineClient.encode_chat."""
        try:
            return self._chat_template.encode(
                self._tokenizer, messages, tools, continue_final_message=continue_final_message
            )
        except ChatTemplateError as error:
            raise InvalidRequest("messages", str(error)) from error

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text."""
        return self._tokenizer.encode(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        """Visible text of token ids."""
        return self._tokenizer.decode(token_ids)
