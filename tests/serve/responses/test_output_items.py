from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.serve.responses.output_items import OutputItems

CALL = '<tool_call>\n{"name": "now", "arguments": {"zone": "UTC"}}\n</tool_call>'


def deltas(text: str, size: int, reason: str = "stop") -> list[CompletionDelta]:
    """The text in pieces of `size` characters, then an end without text, as an end of sequence is."""
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    return [CompletionDelta(0, piece, [1]) for piece in pieces] + [
        CompletionDelta(0, "", [2], None, reason)  # type: ignore[arg-type]
    ]


def taken(items: OutputItems, given: list[CompletionDelta]) -> list[dict[str, Any]]:
    return [event for delta in given for event in items.take(delta)]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types of events, each once where it comes several times on end."""
    names = [event["type"].removeprefix("response.") for event in events]
    return names[:1] + [name for before, name in pairwise(names) if name != before]


MESSAGE_KINDS = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]
CALL_KINDS = [
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
]


def test_a_message() -> None:
    items = OutputItems(with_tools=False)
    events = taken(items, deltas("你好, world", 3))
    assert kinds(events) == MESSAGE_KINDS
    [message] = items.whole()
    assert message["content"] == [
        {"type": "output_text", "text": "你好, world", "annotations": [], "logprobs": []}
    ]
    assert message["status"] == "completed"
    assert message["id"].startswith("msg_")
    assert {event["item_id"] for event in events if "item_id" in event} == {message["id"]}
    assert events[0]["item"]["content"] == []
    assert events[0]["item"]["status"] == "in_progress"
    assert events[1]["part"]["text"] == ""


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_message_and_calls(size: int) -> None:
    items = OutputItems(with_tools=True)
    events = taken(items, deltas(f"Let me see.\n{CALL}\n{CALL}", size))
    assert kinds(events) == MESSAGE_KINDS + CALL_KINDS + CALL_KINDS
    message, first, second = items.whole()
    assert message["content"][0]["text"] == "Let me see."
    for index, call in ((1, first), (2, second)):
        assert (call["name"], call["arguments"], call["status"]) == ("now", '{"zone": "UTC"}', "completed")
        mine = [event for event in events if event["output_index"] == index]
        assert "".join(event.get("delta", "") for event in mine) == '{"zone": "UTC"}'
    assert first["id"].startswith("fc_")
    assert first["call_id"].startswith("call_")
    assert len({first["id"], second["id"], first["call_id"], second["call_id"]}) == 4


def test_calls_alone_have_no_message() -> None:
    items = OutputItems(with_tools=True)
    assert kinds(taken(items, deltas(CALL, 4))) == CALL_KINDS


def test_without_tools_a_tag_is_text() -> None:
    items = OutputItems(with_tools=False)
    taken(items, deltas(CALL, 4))
    assert items.whole()[0]["content"][0]["text"] == CALL


@pytest.mark.parametrize("with_tools", [False, True])
def test_an_empty_answer_is_a_message_too(with_tools: bool) -> None:
    items = OutputItems(with_tools)
    events = taken(items, deltas("", 1))
    assert kinds(events) == [kind for kind in MESSAGE_KINDS if kind != "output_text.delta"]
    assert items.whole()[0]["content"][0]["text"] == ""


def test_what_reaches_its_limit_is_incomplete() -> None:
    items = OutputItems(with_tools=True)
    events = taken(items, deltas("Let me <tool", 1, "length"))
    assert items.whole()[0]["status"] == events[-1]["item"]["status"] == "incomplete"
    assert items.whole()[0]["content"][0]["text"] == "Let me <tool"


def test_what_is_broken_off_is_incomplete_and_what_is_whole_stays_so() -> None:
    items = OutputItems(with_tools=True)
    items.break_off()
    assert items.whole() == []
    taken(items, deltas(f"Now {CALL}\n{CALL[:-20]}", 1)[:-1])
    items.break_off()
    assert [item["status"] for item in items.whole()] == ["completed", "completed", "incomplete"]


@pytest.mark.parametrize("with_tools", [False, True])
def test_every_token_of_a_text_has_its_log_probability(with_tools: bool) -> None:
    def logprob(text: str) -> list[TokenLogprob]:
        return [TokenLogprob(5, text, list(text.encode()), -0.5, [])]

    given = [CompletionDelta(0, text, [5], logprob(text)) for text in ("a", "b", "<tool", "c")]
    given.append(CompletionDelta(0, "", [2], logprob("<|end|>"), "stop"))
    items = OutputItems(with_tools)
    events = taken(items, given)
    [message] = items.whole()
    tokens = [each["token"] for each in message["content"][0]["logprobs"]]
    assert tokens == ["a", "b", "<tool", "c", "<|end|>"]
    streamed = [each for event in events if "delta" in event for each in event["logprobs"]]
    assert [each["token"] for each in streamed] == tokens


def test_tokens_of_calls_have_no_log_probabilities_in_the_message() -> None:
    letters = [
        CompletionDelta(0, letter, [5], [TokenLogprob(5, letter, list(letter.encode()), -0.5, [])])
        for letter in f"Now{CALL}"
    ]
    items = OutputItems(with_tools=True)
    taken(items, [*letters, CompletionDelta(0, "", [2], [], "stop")])
    assert [each["token"] for each in items.whole()[0]["content"][0]["logprobs"]] == ["N", "o", "w"]
