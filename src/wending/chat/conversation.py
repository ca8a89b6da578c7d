"""The history of a chat: a system prompt, and questions with their answers."""

from __future__ import annotations

import json
from pathlib import Path

from wending.chat.answerer import Message


class Conversation:
    """Questions and answers alternate; the last question may be without an answer."""

    def __init__(self, system: str = "") -> None:
        self.system = system
        self._turns: list[Message] = []

    @property
    def messages(self) -> list[Message]:
        """All of it, as a chat API takes it."""
        head = [{"role": "system", "content": self.system}] if self.system else []
        return head + self._turns

    def ask(self, question: str) -> None:
        self._turns.append({"role": "user", "content": question})

    def answered(self, answer: str) -> None:
        self._turns.append({"role": "assistant", "content": answer})

    def undo(self) -> str | None:
        """Take the last question back, with its answer if it has one. None if there is none."""
        while self._turns:
            turn = self._turns.pop()
            if turn["role"] == "user":
                return turn["content"]
        return None

    def clear(self) -> None:
        """Forget all but the system prompt."""
        self._turns.clear()

    def save(self, path: Path) -> None:
        """Write the messages as JSON into a new file. Raises OSError, FileExistsError among them."""
        with path.open("x", encoding="utf-8") as file:
            json.dump(self.messages, file, ensure_ascii=False, indent=2)
            file.write("\n")
