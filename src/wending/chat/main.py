"""`wending chat`: reads a line, streams the answer, and so on until /quit or the end of the input.

Answers go to standard output and everything else to standard error, so that a pipe carries answers alone.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from wending.chat.answerer import Answerer, AnswerFailed
from wending.chat.conversation import Conversation
from wending.chat.local_model import LocalModel
from wending.chat.remote_model import RemoteModel
from wending.engine.errors import CheckpointError, InvalidRequest, NotEnoughMemory
from wending.engine.llm import LLM

DEFAULT_TEMPERATURE = 0.7  # of a model in this process; a server has its own
INTERRUPTED = 130  # what a shell gives a program that Ctrl-C has ended

# What a model writes must not move the cursor or worse: control characters other than tab and line feed.
_CONTROL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A})

_HELP = (
    """/system TEXT  set the system prompt; /system alone shows it, /system - removes it
/undo         take the last question and its answer back
/clear        begin anew, with the same system prompt
/save FILE    write the conversation as JSON into a new file
/quit         end (also Ctrl-D); Ctrl-C stops an answer
//...         a message that begins with one slash""",
    """/system 文本  设置系统提示词；单独 /system 显示，/system - 删除
/undo         撤回上一个问题及其回答
/clear        重新开始，保留系统提示词
/save 文件    将对话以 JSON 写入新文件
/quit         退出（或 Ctrl-D）；Ctrl-C 停止当前回答
//...         以一个斜杠开头的消息""",
)


def run_chat(
    target: str | None,
    *,
    system: str = "",
    temperature: float | None = None,
    model: str | None = None,
    key: str | None = None,
    language: str = "en",
) -> int:
    """Chat with `target`: a checkpoint folder or GGUF file, the URL of an API, None for the bundled model.

    `model` and `key` are for an API. The result is the exit code: 0; 1 if the model cannot be had, or a
    question of an input that is no terminal was not answered; 130 after Ctrl-C while none was being answered.
    """
    try:
        answerer = _answerer(target, temperature, model, key)
        return Chat(answerer, Conversation(system), language).run()
    except (AnswerFailed, CheckpointError, InvalidRequest, NotEnoughMemory, OSError) as error:
        print(f"wending chat: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


def _answerer(target: str | None, temperature: float | None, model: str | None, key: str | None) -> Answerer:
    if target is not None and target.startswith(("http://", "https://")):
        return RemoteModel(target, model, key, temperature)
    return LocalModel(LLM(target), DEFAULT_TEMPERATURE if temperature is None else temperature)


class Chat:
    """A conversation with a person, or with the lines of a pipe."""

    def __init__(self, answerer: Answerer, conversation: Conversation, language: str) -> None:
        self._answerer = answerer
        self._conversation = conversation
        self._language = language
        self._is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._has_colours = self._is_terminal and "NO_COLOR" not in os.environ

    def run(self) -> int:
        """Until the input ends or asks to. The result is the exit code."""
        if self._is_terminal:
            with suppress(ImportError):
                import readline  # noqa: F401 - gives input() its editing and history
            self._note(f"{self._answerer.name} · /help", f"{self._answerer.name} · /help 查看命令")
        while (line := self._read()) is not None:
            if line.startswith("/") and not line.startswith("//"):
                if not self._command(line):
                    break
            elif line.strip() and not self._answer(line.removeprefix("/")) and not self._is_terminal:
                return 1
        return 0

    def _read(self) -> str | None:
        """The next line, or None at the end. Ctrl-C throws away what was typed."""
        if not self._is_terminal:
            line = sys.stdin.readline()
            return line.rstrip("\r\n") if line else None
        while True:
            try:
                # The marks tell readline that the colour takes no room.
                return input("\001\033[1m\002> \001\033[0m\002" if self._has_colours else "> ")
            except EOFError:
                print()
                return None
            except KeyboardInterrupt:
                print()
                self._note("Ctrl-D or /quit ends.", "按 Ctrl-D 或输入 /quit 退出。")

    def _answer(self, question: str) -> bool:
        """Ask, and show the answer as it comes; whether there is one. One that was stopped stays."""
        self._conversation.ask(question)
        pieces: list[str] = []
        reason = failure = None
        try:
            reason = self._answerer.answer(self._conversation.messages, lambda text: self._show(text, pieces))
        except KeyboardInterrupt:
            reason = "stopped"
        except AnswerFailed as error:
            failure = str(error)
        if pieces:
            print(flush=True)
        if failure is not None:
            self._conversation.undo()
            self._note(f"No answer: {failure}", f"没有回答：{failure}")
            return False
        if reason == "stopped":
            self._note("(stopped)", "（已停止）")
        elif reason == "length":
            self._note("(cut at the limit of tokens)", "（已达 token 上限，回答被截断）")
        self._conversation.answered("".join(pieces))
        return True

    def _show(self, text: str, pieces: list[str]) -> None:
        if text:
            pieces.append(text)
            print(text.translate(_CONTROL) if self._is_terminal else text, end="", flush=True)

    def _command(self, line: str) -> bool:
        """Do what a line with a slash asks for; whether to go on."""
        name, _, argument = line[1:].strip().partition(" ")
        argument = argument.strip()
        match name:
            case "quit" | "exit":
                return False
            case "help":
                self._note(*_HELP)
            case "system":
                self._system(argument)
            case "clear":
                self._conversation.clear()
                self._note("The conversation is empty.", "对话已清空。")
            case "undo":
                question = self._conversation.undo()
                if question is None:
                    self._note("There is nothing to take back.", "没有可撤回的内容。")
                else:
                    self._note(f"Taken back: {question}", f"已撤回：{question}")
            case "save":
                self._save(argument)
            case _:
                self._note(f"There is no /{name}; see /help.", f"没有 /{name} 命令，参见 /help。")
        return True

    def _system(self, text: str) -> None:
        if text:
            self._conversation.system = "" if text == "-" else text
        shown = self._conversation.system
        self._note(f"System prompt: {shown or 'none'}", f"系统提示词：{shown or '无'}")

    def _save(self, name: str) -> None:
        if not name:
            self._note("Into which file? /save FILE", "请给出文件名：/save 文件")
            return
        try:
            self._conversation.save(Path(name).expanduser())
        except OSError as error:
            self._note(f"Not saved: {name}: {error.strerror}", f"未保存：{name}：{error.strerror}")
        else:
            self._note(f"Saved: {name}", f"已保存：{name}")

    def _note(self, english: str, chinese: str) -> None:
        text = chinese if self._language == "zh" else english
        print(f"\033[2m{text}\033[0m" if self._has_colours else text, file=sys.stderr, flush=True)
