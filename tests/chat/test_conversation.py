from __future__ import annotations

import json
from pathlib import Path

import pytest

from wending.chat.conversation import Conversation


def filled() -> Conversation:
    conversation = Conversation("Be brief.")
    conversation.ask("你好")
    conversation.answered("Hello.")
    conversation.ask("Again?")
    return conversation


def test_messages_are_those_of_a_chat_api() -> None:
    assert filled().messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Again?"},
    ]
    assert Conversation().messages == []


def test_undo_takes_a_question_with_its_answer() -> None:
    conversation = filled()
    assert conversation.undo() == "Again?"
    assert conversation.undo() == "你好"
    assert conversation.undo() is None
    assert conversation.messages == [{"role": "system", "content": "Be brief."}]


def test_clear_keeps_the_system_prompt() -> None:
    conversation = filled()
    conversation.clear()
    assert conversation.messages == [{"role": "system", "content": "Be brief."}]


def test_save_writes_what_can_be_read_again_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    filled().save(file)
    assert json.loads(file.read_text(encoding="utf-8")) == filled().messages
    assert "你好" in file.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError):
        Conversation().save(file)
