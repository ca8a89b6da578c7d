from __future__ import annotations

import pytest

from wending.serve.tool_calls import Arguments, CallBegin, CallEnd, Piece, Text, ToolCallReader

Read = tuple[str, list[tuple[str, str]]]


def call(name: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


TEXTS: list[tuple[str, Read]] = [
    ("", ("", [])),
    ("Hello.", ("Hello.", [])),
    ("ends in a line\n", ("ends in a line\n", [])),
    ("a <tool_cal", ("a <tool_cal", [])),
    ("1 < 2 <tool> </tool_call>", ("1 < 2 <tool> </tool_call>", [])),
    (call("now", "{}"), ("", [("now", "{}")])),
    ("Let me see.\n" + call("now", "{}"), ("Let me see.", [("now", "{}")])),
    (
        "看\n\n" + call("天气", '{"城市": "巴黎"}') + "\n" + call("b", '{"x": [1, {"y": {}\n}\n]\n}'),
        ("看", [("天气", '{"城市": "巴黎"}'), ("b", '{"x": [1, {"y": {}\n}\n]\n}')]),
    ),
    (
        call("a", r'{"tag": "}\n</tool_call>", "name": "\", \"arguments\": "}'),
        ("", [("a", r'{"tag": "}\n</tool_call>", "name": "\", \"arguments\": "}')]),
    ),
]


def read(pieces: list[Piece]) -> Read:
    said, calls, ended = "", [], []
    for piece in pieces:
        match piece:
            case Text():
                assert not calls
                said += piece.text
            case CallBegin():
                assert piece.index == len(calls) == len(ended)
                assert piece.id.startswith("call_")
                calls.append((piece.name, ""))
            case Arguments():
                name, arguments = calls[piece.index]
                calls[piece.index] = name, arguments + piece.text
            case CallEnd():
                ended.append(piece.index)
    assert ended == list(range(len(calls)))
    return said, calls


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_the_same_however_it_comes(text: str, expected: Read) -> None:
    for size in range(1, len(text) + 2):
        reader = ToolCallReader()
        pieces = [piece for i in range(0, len(text), size) for piece in reader.feed(text[i : i + size])]
        assert read(pieces + reader.finish()) == expected, size


def test_nothing_waits_that_is_certain() -> None:
    reader = ToolCallReader()
    assert reader.feed("Hello\n") == [Text("Hello")]
    assert reader.feed("you <") == [Text("\nyou ")]
    text, begin, arguments = reader.feed('<tool_call>\n{"name": "f", "arguments": {"a": 1')
    assert text == Text("<")
    assert isinstance(begin, CallBegin)
    assert begin.name == "f"
    assert arguments == Arguments(0, '{"a": 1')
    assert reader.feed("}") == []  # it may be the end of the call
    assert reader.feed("}") == [Arguments(0, "}")]
