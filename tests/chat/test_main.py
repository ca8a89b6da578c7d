"""The chat as a pipe uses it, and as a person at a terminal does."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server, wait_until

from wending.chat.answerer import AnswerFailed, Message
from wending.chat.conversation import Conversation
from wending.chat.main import Chat, run_chat


class Parrot:
    """Answers with what it was asked, in two pieces, or as the test says."""

    name = "parrot"

    def __init__(self) -> None:
        self.asked: list[list[Message]] = []
        self.reason = "stop"
        self.failure: BaseException | None = None

    def answer(self, messages: list[Message], on_text: Callable[[str], None]) -> str:
        self.asked.append(list(messages))
        text = messages[-1]["content"]
        on_text(text[:1])
        if self.failure is not None:
            raise self.failure
        on_text(text[1:])
        return self.reason


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
def chat(
    parrot: Parrot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Gives the lines to a chat; its exit code, its answers and its notes."""

    def run(*lines: str, language: str = "en") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status = Chat(parrot, Conversation("Be brief."), language).run()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def contents(messages: list[Message]) -> list[str]:
    return [message["content"] for message in messages]


def test_a_pipe_gets_the_answers_alone(chat: Callable[..., tuple[int, str, str]], parrot: Parrot) -> None:
    assert chat("one", "", "  ", "two", "//three") == (0, "one\ntwo\n/three\n", "")
    assert contents(parrot.asked[-1]) == ["Be brief.", "one", "one", "two", "two", "/three"]


def test_commands(chat: Callable[..., tuple[int, str, str]], parrot: Parrot, tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    status, answers, notes = chat(
        "one",
        "/undo",
        "/undo",
        "/system Be kind.",
        "two",
        f"/save {file}",
        f"/save {file}",
        "/save",
        "/clear",
        "/system -",
        "/system",
        "three",
        "/dance",
        "/help",
        "/quit",
        "four",
    )
    assert status == 0
    assert answers == "one\ntwo\nthree\n"
    assert [contents(messages) for messages in parrot.asked] == [
        ["Be brief.", "one"],
        ["Be kind.", "two"],
        ["three"],
    ]
    assert contents(json.loads(file.read_text())) == ["Be kind.", "two", "two"]
    for said in (
        *("Taken back: one", "nothing to take back", "System prompt: Be kind.", f"Saved: {file}"),
        *("Not saved", "File exists", "Into which file?", "is empty", "System prompt: none"),
        *("no /dance", "/save FILE"),
    ):
        assert said in notes


def test_notes_in_chinese(chat: Callable[..., tuple[int, str, str]]) -> None:
    _, _, notes = chat("/help", "/undo", "/dance", language="zh")
    for said in ("设置系统提示词", "没有可撤回的内容", "没有 /dance 命令"):
        assert said in notes


def test_an_answer_that_is_stopped_or_cut_stays(
    chat: Callable[..., tuple[int, str, str]], parrot: Parrot
) -> None:
    parrot.reason = "length"
    assert "cut at the limit" in chat("one")[2]
    parrot.failure = KeyboardInterrupt()
    status, answers, notes = chat("two", "three")
    assert (status, answers) == (0, "t\nt\n")
    assert notes.count("(stopped)") == 2
    assert contents(parrot.asked[-1]) == ["Be brief.", "two", "t", "three"]


def test_a_pipe_ends_at_the_first_question_without_an_answer(
    chat: Callable[..., tuple[int, str, str]], parrot: Parrot
) -> None:
    parrot.failure = AnswerFailed("the engine has stopped")
    assert chat("one", "two") == (1, "o\n", "No answer: the engine has stopped\n")
    assert len(parrot.asked) == 1


def test_what_cannot_be_had_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_chat(str(tmp_path / "nowhere")) == 1
    assert run_chat("http://127.0.0.1:9") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("wending chat: ") for line in lines)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wending", "chat", *arguments]


def test_the_bundled_model_in_a_pipe(demo_folder: Path) -> None:
    if not (demo_folder / "model.safetensors").is_file():
        pytest.skip("the demonstration model is not in this checkout")
    finished = subprocess.run(
        command("--temperature", "0"), input="What are you?\n", capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip()
    assert finished.stderr == ""


class Terminal:
    """A program that runs in a terminal of its own."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            arguments,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=os.environ | {"LC_ALL": "C.UTF-8", "TERM": "xterm"} | environment,
        )
        os.close(theirs)
        self.text = ""
        self._looked_at = 0

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, said: str) -> None:
        """Reads until `said` is shown, after what was waited for before; a time limit ends a wait in vain."""
        while (found := self.text.find(said, self._looked_at)) < 0:
            self.text += os.read(self._ours, 4096).decode(errors="replace")
        self._looked_at = found + len(said)

    def interrupt_until(self, said: str) -> None:
        """Ctrl-C, again and again: one that comes between two prompts, or before one, may be lost."""
        while self.text.find(said, self._looked_at) < 0:
            self.process.send_signal(signal.SIGINT)
            while select.select([self._ours], [], [], 1.0)[0]:
                self.text += os.read(self._ours, 4096).decode(errors="replace")
                if self.text.find(said, self._looked_at) >= 0:
                    break
        self.until(said)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_at_a_terminal_ctrl_c_stops_the_answer_and_ctrl_d_the_program() -> None:
    with live_server(FakeClient("x\033[2Jy" * 1000, delay_s=0.05, max_context=100_000)) as server:
        terminal = Terminal(command(server.url))
        try:
            terminal.until("> ")
            terminal.type("Hi\n")
            terminal.until("yx")
            wait_until(lambda: len(server.client.running) == 1)
            terminal.interrupt_until("(stopped)")  # as the terminal does for Ctrl-C
            wait_until(lambda: server.client.running == set())
            terminal.until("> ")
            terminal.interrupt_until("/quit ends")
            terminal.until("> ")
            terminal.type("\x04")
            assert terminal.process.wait(timeout=30) == 0
        finally:
            terminal.close()
    assert "\033[2J" not in terminal.text  # what the model writes does not reach the terminal's controls
