"""Conversations to prompts: the checkpoint's own Jinja template, in transformers' sandbox and settings.

`encode` keeps users' text from acting as control tokens: the first and the last character of every added
token are replaced in all strings of the conversation before the template sees them, so that a control token
can only be one that the template wrote; afterwards they are put back and tokenised as plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from wending.model.errors import ChatTemplateError, CheckpointError
from wending.model.json_file import read_json_object
from wending.model.tokenizer import Tokenizer

Messages = Sequence[Mapping[str, Any]]
Tools = Sequence[Mapping[str, Any]]
PRIVATE_USE = range(0xE000, 0xF900)


class ChatTemplate:
    """A chat template; make one with `ChatTemplate.load`."""

    def __init__(self, path: Path, source: str) -> None:
        self.source = source
        try:
            self._template = _compile(source)
        except TemplateError as error:
            raise CheckpointError(path, f"the chat template is not valid Jinja: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> ChatTemplate:
        """Reads `folder`/chat_template.jinja, else `chat_template` of tokenizer_config.json.

        Raises CheckpointError when there is neither, or the template does not compile.
        """
        path = folder / "chat_template.jinja"
        if path.exists():
            try:
                return cls(path, path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise CheckpointError(path, f"cannot be read: {error}") from error
        path = folder / "tokenizer_config.json"
        source = read_json_object(path).get("chat_template") if path.exists() else None
        if not isinstance(source, str):
            raise CheckpointError(
                folder, "has no chat_template.jinja and no chat_template in tokenizer_config.json"
            )
        return cls(path, source)

    def render(
        self, messages: Messages, tools: Tools | None = None, add_generation_prompt: bool = True
    ) -> str:
        """The prompt as text; contents given as a list of text parts are joined by line breaks.

        Raises ChatTemplateError when the template refuses the conversation. In the result its control
        tokens and those in the messages cannot be told apart: tokenise with `encode`.
        """
        plain_messages = [_with_joined_content(message) for message in messages]
        try:
            return self._template.render(
                messages=plain_messages, tools=tools, add_generation_prompt=add_generation_prompt
            )
        except Exception as error:  # a template can raise anything, such as TypeError
            raise ChatTemplateError(f"the chat template refused the conversation: {error}") from error

    def encode(
        self,
        tokenizer: Tokenizer,
        messages: Messages,
        tools: Tools | None = None,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
    ) -> list[int]:
        """The prompt as token ids; control tokens inside messages and tools are tokenised as plain text.

        With `continue_final_message` it ends where the text of the last message does, within its turn, and
        begins no further one. Raises ChatTemplateError when the template refuses the conversation.
        """
        ends = sorted({character for token in tokenizer.added_tokens for character in (token[0], token[-1])})
        seam, *stand_ins = _unused_characters((messages, tools, self.source), 1 + len(ends))
        disguise = dict(zip(ends, stand_ins, strict=True))
        table = str.maketrans(disguise)
        messages = _translate(messages, table)
        if continue_final_message:
            messages, add_generation_prompt = _marked(messages, seam), False
        rendered = self.render(messages, _translate(tools, table) if tools else None, add_generation_prompt)
        if continue_final_message:
            rendered, found, _ = rendered.rpartition(seam)
            if not found:
                raise ChatTemplateError("the chat template leaves the text of the last message out")
        undisguise = str.maketrans({stand_in: character for character, stand_in in disguise.items()})
        ids: list[int] = []
        for piece in _split_at(tokenizer.added_tokens, rendered):
            token_id = tokenizer.added_tokens.get(piece)
            if token_id is not None:
                ids.append(token_id)
            elif piece:
                ids += tokenizer.encode(piece.translate(undisguise))
        return ids


def _unused_characters(strings: Any, count: int) -> list[str]:
    """So many private-use characters that are in no string given."""
    used: set[str] = set()
    for text in _strings(strings):
        used.update(text)
    unused = list(islice((chr(code) for code in PRIVATE_USE if chr(code) not in used), count))
    if len(unused) < count:
        raise ChatTemplateError("the conversation uses every private-use character of Unicode")
    return unused


def _marked(messages: Messages, seam: str) -> list[Mapping[str, Any]]:
    """The messages with `seam` at the end of the last one's text, to find that place in what is rendered."""
    last = _with_joined_content(messages[-1])
    return [*messages[:-1], last | {"content": (last.get("content") or "") + seam}]


def _strings(value: Any) -> Iterable[str]:
    """Every string in a JSON-like value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _translate(value: Any, table: dict[int, str]) -> Any:
    """A copy of a JSON-like value with `table` applied to every string in it, keys included."""
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, Mapping):
        return {_translate(key, table): _translate(item, table) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_translate(item, table) for item in value]
    return value


def _split_at(tokens: Iterable[str], text: str) -> list[str]:
    """Cuts text at every token, the longest where several begin; the tokens are pieces too."""
    longest_first = sorted(tokens, key=len, reverse=True)
    if not longest_first:
        return [text]
    return re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)


def _with_joined_content(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message with a content of text parts, `[{"type": "text", "text": …}, …]`, joined to one string."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    for part in content:
        if (
            not isinstance(part, Mapping)
            or part.get("type") != "text"
            or not isinstance(part.get("text"), str)
        ):
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            raise ChatTemplateError(f"content part of type {kind!r} is not supported; supported: 'text'")
    return {**message, "content": "\n".join(part["text"] for part in content)}


def _compile(source: str) -> Template:
    """Compiles a template with the settings, filter and globals that transformers gives to chat templates."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda pattern: datetime.now().strftime(pattern)
    return environment.from_string(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own tojson escapes HTML characters, which must not happen in a prompt."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)
