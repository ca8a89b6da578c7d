"""What an answer of the Responses API is made of, a message and calls of functions, as it comes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from wending.engine.client import CompletionDelta
from wending.serve.logprobs import chat_logprobs
from wending.serve.tool_calls import Arguments, CallBegin, CallEnd, Piece, Text, ToolCallReader

Event = dict[str, Any]


class OutputItems:
    """The items of one answer so far."""

    def __init__(self, with_tools: bool) -> None:
        """`with_tools`: whether there may be calls in the text."""
        self._reader = ToolCallReader() if with_tools else None
        self._items: list[dict[str, Any]] = []
        self._logprobs: list[Any] = []
        """Of tokens whose text has not come yet."""

    def whole(self) -> list[dict[str, Any]]:
        """The items as they are now."""
        return self._items

    def take(self, delta: CompletionDelta) -> Iterator[Event]:
        """The events of a delta, without their numbers."""
        self._logprobs += (chat_logprobs(delta.logprobs) or {"content": []})["content"]
        for piece in self._pieces(delta):
            yield from self._piece(piece)
        if delta.finish_reason is not None:
            yield from self._rest_of_logprobs()
            if not self._items:
                yield from self._open_message()
            yield from self._close("incomplete" if delta.finish_reason == "length" else "completed")

    def break_off(self) -> None:
        """The answer has failed: nothing more comes of an item that has not ended."""
        if self._items and self._items[-1]["status"] == "in_progress":
            self._items[-1]["status"] = "incomplete"

    def _rest_of_logprobs(self) -> Iterator[Event]:
        """The last tokens of a text may have none, such as the end of sequence."""
        if self._logprobs and (not self._items or self._items[-1]["type"] == "message"):
            yield from self._piece(Text(""))

    def _pieces(self, delta: CompletionDelta) -> list[Piece]:
        if self._reader is None:
            return [Text(delta.text)] if delta.text or delta.logprobs else []
        pieces = self._reader.feed(delta.text)
        return pieces if delta.finish_reason is None else pieces + self._reader.finish()

    def _piece(self, piece: Piece) -> Iterator[Event]:
        match piece:
            case Text():
                if not self._items:
                    yield from self._open_message()
                part = self._items[-1]["content"][0]
                logprobs, self._logprobs = self._logprobs, []
                part["text"] += piece.text
                part["logprobs"] += logprobs
                delta = {"content_index": 0, "delta": piece.text, "logprobs": logprobs}
                yield self._event("output_text.delta") | delta
            case CallBegin():
                self._logprobs = []
                yield from self._close("completed")
                call = {"call_id": piece.id, "name": piece.name, "arguments": "", "status": "in_progress"}
                self._items.append({"id": _id("fc"), "type": "function_call"} | call)
                yield self._added()
            case Arguments():
                self._items[-1]["arguments"] += piece.text
                yield self._event("function_call_arguments.delta") | {"delta": piece.text}
            case CallEnd():
                yield from self._close("completed")

    def _open_message(self) -> Iterator[Event]:
        message = {"id": _id("msg"), "type": "message", "role": "assistant", "status": "in_progress"}
        self._items.append(message | {"content": []})
        yield self._added()
        part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        self._items[-1]["content"].append(part)
        yield self._event("content_part.added") | {"content_index": 0, "part": _copy(part)}

    def _close(self, status: str) -> Iterator[Event]:
        """The end of the newest item, if it has not ended."""
        if not self._items or self._items[-1]["status"] != "in_progress":
            return
        item = self._items[-1]
        item["status"] = status
        if item["type"] == "message":
            [part] = item["content"]
            place = {"content_index": 0}
            text = {"text": part["text"], "logprobs": part["logprobs"]}
            yield self._event("output_text.done") | place | text
            yield self._event("content_part.done") | place | {"part": part}
        else:
            said = {"name": item["name"], "arguments": item["arguments"]}
            yield self._event("function_call_arguments.done") | said
        yield {"type": "response.output_item.done", "output_index": len(self._items) - 1, "item": item}

    def _added(self) -> Event:
        index = len(self._items) - 1
        return {"type": "response.output_item.added", "output_index": index, "item": _copy(self._items[-1])}

    def _event(self, kind: str) -> Event:
        place = {"item_id": self._items[-1]["id"], "output_index": len(self._items) - 1}
        return {"type": f"response.{kind}"} | place


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"


def _copy(value: dict[str, Any]) -> dict[str, Any]:
    """As it is now: events are written later than they are made."""
    return {name: list(one) if isinstance(one, list) else one for name, one in value.items()}
