"""The answer of the Responses API: a run of events, of which the last one has the answer as a whole."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from wending.engine.client import CompletionDelta
from wending.serve.openai_errors import as_api_error
from wending.serve.report import Report
from wending.serve.responses.output_items import OutputItems
from wending.serve.tally import Tally, UsageInStream

Event = dict[str, Any]


@dataclass(slots=True)
class ResponsesAnswer:
    """It is used for one answer only: it counts the tokens."""

    settings: dict[str, Any]
    """What the answer repeats of its request."""
    tally: Tally
    items: OutputItems
    report: Report | None = None
    id: str = field(default_factory=lambda: f"resp_{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    _numbers: int = 0

    async def whole(self, deltas: AsyncIterable[CompletionDelta]) -> dict[str, Any]:
        """The answer as one object, when it has ended."""
        status = "completed"
        async for delta in deltas:
            _, status = self._take(delta, status)
        return self._response(status)

    async def events(
        self, deltas: AsyncIterable[CompletionDelta], usage_in_stream: UsageInStream
    ) -> AsyncIterator[bytes]:
        """The answer as server-sent events, those of one delta together; the first ones need no delta. The
        usage is part of the last one, whatever `usage_in_stream` says. A failure is an event too."""
        del usage_in_stream
        status = "in_progress"
        opening = ({"type": f"response.{kind}", "response": self._response(status)} for kind in _OPENING)
        yield self._sent(opening)
        try:
            async for delta in deltas:
                events, status = self._take(delta, status)
                yield self._sent(events)
        except Exception as error:
            yield self._sent([self._failure(error)])
            return
        yield self._sent([{"type": f"response.{status}", "response": self._response(status)}])

    def _take(self, delta: CompletionDelta, status: str) -> tuple[list[Event], str]:
        """The events of a delta, and the answer's status after it. Raises APIError for a failed one."""
        self.tally.add(delta)
        if delta.finish_reason is not None:
            status = "incomplete" if delta.finish_reason == "length" else "completed"
        return list(self.items.take(delta)), status

    def _sent(self, events: Iterator[Event] | list[Event]) -> bytes:
        return b"".join(map(self._encoded, events))

    def _encoded(self, event: Event) -> bytes:
        data = {"type": event["type"], "sequence_number": self._numbers} | event
        self._numbers += 1
        return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), orjson.dumps(data))

    def _response(self, status: str) -> dict[str, Any]:
        ended = status in ("completed", "incomplete")
        response = {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "output": self.items.whole(),
            "usage": self._usage() if ended else None,
            **self.settings,
        }
        return response | ({"wending": self.report.of_prompt(self.tally)} if ended and self.report else {})

    def _usage(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "input_tokens": tally.prompt_tokens,
            "input_tokens_details": {"cached_tokens": tally.cached_tokens or 0, "cache_write_tokens": 0},
            "output_tokens": tally.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tally.prompt_tokens + tally.completion_tokens,
        }

    def _failure(self, error: Exception) -> Event:
        """Its code is of the few that OpenAI has: which of ours it is, only the message says."""
        self.items.break_off()
        response = self._response("failed")
        response["error"] = {"code": "server_error", "message": as_api_error(error).message}
        return {"type": "response.failed", "response": response}


_OPENING = ("created", "in_progress")
