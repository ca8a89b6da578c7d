"""Finds the pieces of a text that are meant to be JSON: from a bracket to the one that closes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REASONING = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\s*```\w*\n(.*?)\s*```\s*", re.DOTALL)
_HALF_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class JSONPiece:
    """A part of a text that begins with a bracket, or what stands in a code fence that has no bracket."""

    whole: str
    """The text that this is a part of, from `start` to `end`."""
    start: int
    end: int
    closed_text: str
    """`text`, or if it was cut off: what of it was complete, and what closes it."""
    was_cut_off: bool = False

    @property
    def text(self) -> str:
        return self.whole[self.start : self.end]

    @property
    def around(self) -> str:
        """Everything else of the whole text, that of other pieces included."""
        return self.whole[: self.start] + self.whole[self.end :]

    @property
    def lacks_only_brackets(self) -> bool:
        """Whether it was cut off where nothing but closing brackets is missing, as far as it shows."""
        text = self.text.rstrip()
        added = self.closed_text.removeprefix(text)
        return self.was_cut_off and self.closed_text.startswith(text) and not added.strip("}]")


def json_pieces(text: str) -> list[JSONPiece]:
    """The outermost bracketed parts of `text`, in order. What a model has thought aloud is not looked at.

    A piece that is never closed reaches to the end, so nothing of it is taken for a whole.
    """
    begin = end_of_thoughts(text)
    pieces = []
    while (start := _first_bracket(text, begin)) >= 0:
        scan = _Scan(text, start)
        pieces.append(JSONPiece(text, start, scan.end, scan.closed_text(), bool(scan.open_brackets)))
        begin = scan.end
    if not pieces:
        fenced = _FENCED.fullmatch(text, begin)
        start, end = fenced.span(1) if fenced else (begin, len(text))
        pieces = [JSONPiece(text, start, end, text[start:end])]
    return pieces


def end_of_thoughts(text: str) -> int:
    """Where the answer begins behind what a model has thought aloud."""
    thought = _REASONING.match(text)
    return thought.end() if thought else 0


def _first_bracket(text: str, begin: int) -> int:
    found = [i for i in (text.find("{", begin), text.find("[", begin)) if i >= 0]
    return min(found, default=-1)


class _Scan:
    """Reads the value that begins at `start` as far as it goes, and knows where its last member begins."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.end = len(text)
        self.open_brackets: list[str] = []
        self.in_string = False
        self.member_start = start
        self.value_start: int | None = None  # None: before the colon of a member of an object
        escaped = False
        for i in range(start, len(text)):
            character = text[i]
            if self.in_string:
                self.in_string = escaped or character != '"'
                escaped = character == "\\" and not escaped
            elif character == '"':
                self.in_string, escaped = True, False
            elif character in "{[":
                self.open_brackets.append(character)
                self._begin_member(i + 1)
            elif character in "}]":
                self.open_brackets.pop()
                self.member_start = i + 1  # what is closed is complete
                self.value_start = None
                if not self.open_brackets:
                    self.end = i + 1
                    break
            elif character == ",":
                self._begin_member(i + 1)
            elif character == ":":
                self.value_start = i + 1

    def _begin_member(self, at: int) -> None:
        self.member_start = at
        self.value_start = at if self.open_brackets[-1] == "[" else None

    def closed_text(self) -> str:
        """The value, closed if it was not.

        A string that had begun is kept as far as it got; a half number, a half literal or a key without its
        value is not: 12 may be the beginning of 1234.
        """
        if not self.open_brackets:
            return self.text[self.start : self.end]
        value = "" if self.value_start is None else self.text[self.value_start :].lstrip()
        if self.in_string and value:
            kept = _HALF_ESCAPE.sub(r"\1", self.text[self.start :]) + '"'
        elif value.startswith('"') or value[-1:].isspace():
            kept = self.text[self.start :]
        else:
            kept = self.text[self.start : self.member_start]
        closing = "".join(_CLOSING[bracket] for bracket in reversed(self.open_brackets))
        return kept.rstrip().removesuffix(",") + closing
