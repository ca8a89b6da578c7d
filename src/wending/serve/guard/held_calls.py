"""A stream whose text passes as it comes, and whose calls of tools come when they are valid."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from wending.serve.event_stream import DONE, event
from wending.serve.guard.answer_chunks import report_chunk
from wending.serve.guard.begun_stream import begun_stream
from wending.serve.guard.guarded_answer import GuardedAnswer, add_usage
from wending.serve.guard.held_choice import HeldChoice
from wending.serve.guard.sse_splitter import as_event


async def stream_holding_calls(guarded: GuardedAnswer) -> AsyncGenerator[bytes, None]:
    """The upstream's events, byte for byte where nothing is held. Raises APIError as `settle` does."""
    choices: dict[int, HeldChoice] = {}
    held = _Held(guarded)
    chunk: dict[str, Any] = {}
    async with aclosing(begun_stream(guarded)) as events:
        async for received in events:
            chunk = received.chunk
            said = chunk.get("choices") or []
            passing: list[Mapping[str, Any]] = []
            for part in said:
                index = part.get("index") or 0
                passing += choices.setdefault(index, HeldChoice(index)).take(part)
            ended = [choices.pop(index) for index in list(choices) if choices[index].has_ended]
            if passing == said and not ended and not held.has_cost:
                yield as_event(received.data)
                continue
            if passing or not said:
                yield event(
                    (_without_usage(chunk) if ended else held.with_cost(chunk)) | {"choices": passing}
                )
            if ended:
                yield await held.settled(ended, chunk)
    if open_ones := [choice for choice in choices.values() if choice.holds]:
        yield await held.settled(open_ones, chunk)
    if guarded.wants_report:
        yield event(report_chunk(chunk, guarded.report_json()))
    yield DONE


class _Held:
    """Settles what was held, and adds what further tries cost to the usage that the upstream tells."""

    def __init__(self, guarded: GuardedAnswer) -> None:
        self._guarded = guarded
        self._cost = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}

    @property
    def has_cost(self) -> bool:
        return any(self._cost.values())

    def with_cost(self, chunk: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(chunk.get("usage"), dict):
            return dict(chunk)
        changed = dict(chunk) | {"usage": dict(chunk["usage"])}
        add_usage(changed, {"usage": self._cost})
        return changed

    async def settled(self, choices: Sequence[HeldChoice], chunk: Mapping[str, Any]) -> bytes:
        """The events with what these choices have left to say. `chunk` is the one that ended them."""
        events, ends = [], []
        for choice in choices:
            asked = self._guarded.report.asked
            answer: dict[str, Any] = {"choices": [choice.answer()], "usage": self._cost}
            await self._guarded.settle(answer)
            rest, end = choice.rest(answer["choices"][0], self._guarded.report.asked > asked)
            events.append(event(_without_usage(chunk) | {"choices": [rest]}))
            ends.append(end)
        return b"".join([*events, event(self.with_cost(chunk) | {"choices": ends})])


def _without_usage(chunk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chunk.items() if name != "usage"}
