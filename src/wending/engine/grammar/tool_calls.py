"""Answers that may call tools, in the Hermes form that Qwen2.5 was trained on, as a grammar.

A call is `<tool_call>`, a line with {"name": …, "arguments": …} and `</tool_call>`. Its tags are tokens of
their own, so that text which spells one out is no call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from wending.engine.constraint import CALL_BEGINS, CALL_ENDS, Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.growth import Growth, Place, growth_of_schema
from wending.engine.grammar.json_schema import grammar_of_schema

_BEGIN, _END = CALL_BEGINS.encode(), CALL_ENDS.encode()
_TEXT = f"TEXT: /(?s:.*)/ & ~/(?s:.*){CALL_BEGINS}(?s:.*)/"


def lark_of_tool_calls(constraint: Constraint, added_tokens: Mapping[str, int]) -> str:
    """The grammar in llguidance's dialect of Lark. InvalidRequest if a schema cannot be enforced, or if the
    model has no tokens for the tags among its `added_tokens`."""
    if not {CALL_BEGINS, CALL_ENDS} <= added_tokens.keys():
        message = f"are not supported by this model: it has no tokens {CALL_BEGINS} and {CALL_ENDS}"
        raise InvalidRequest(constraint.field, message, code="unsupported_parameter")
    asked = orjson.loads(constraint.source)
    if not asked["callable"]:
        return f"start: TEXT\n{_TEXT}"
    content = asked["content"]
    text = "TEXT" if content is None else f"%json {_schema(content['schema'], content['field'])}"
    further = r'("\n" call)*' if asked["parallel"] else ""
    calls = f"call {further}"
    if asked["required"]:
        start = calls
    else:
        start = f"{text} | TEXT? {calls}" if content is None else f"{text} | {calls}"
    functions = "\n  | ".join(map(_function, asked["callable"]))
    return "\n".join(
        (
            f"start: {start}",
            rf'call: {CALL_BEGINS} "\n{{\"name\": \"" function "}}\n" {CALL_ENDS}',
            f"function: {functions}",
            *([_TEXT] if "TEXT" in start else []),
        )
    )


def _function(tool: Mapping[str, Any]) -> str:
    head = orjson.dumps(f'{tool["name"]}", "arguments": ').decode()
    return f"{head} %json {_schema(tool['schema'], tool['field'])}"


def _schema(schema: Any, field: str) -> str:
    """With the options of grammar_of_schema, which raises InvalidRequest."""
    grammar = orjson.loads(grammar_of_schema(orjson.dumps(schema).decode(), field))
    return orjson.dumps(grammar["grammars"][0]["json_schema"]).decode()


class CallGrowth(NamedTuple):
    """Growth for an answer in which JSON stands between the tags of calls."""

    arguments: Growth
    call: int
    """The most bytes that a call needs beside its arguments."""
    begin: Place | None = None

    def over(self, place: Place | None, octets: bytes) -> tuple[Place | None, int]:
        """See Growth.over. The place is None outside of calls."""
        growth = 0
        while octets:
            if place is None:
                _, tag, octets = octets.partition(_BEGIN)
                if tag:
                    place = Place()
                    growth += self.call
                continue
            inside, tag, octets = octets.partition(_END)
            place, more = self.arguments.over(place, inside)
            growth += more
            if tag:
                place = self.arguments.over(place, tag)[0] if place.in_string else None
        return place, growth

    def pending(self, place: Place | None) -> int:
        """See Growth.pending. Which function is called shows later, too."""
        if place is None:
            return 0
        arguments = self.arguments.object if len(place.within) < 2 else 0
        return self.arguments.pending(place) + arguments


def growth_of_tool_calls(constraint: Constraint) -> CallGrowth | None:
    """None where no bounds are known."""
    asked = orjson.loads(constraint.source)
    tools = asked["callable"]
    if asked["content"] is not None or not tools:
        return None
    bounds = [growth_of_schema(tool["schema"]) for tool in tools]
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds):
        return None
    name = max(len(tool["name"]) for tool in tools)
    call = len(f'{CALL_BEGINS}\n{{"name": "", "arguments": }}\n{CALL_ENDS}') + name
    largest = Growth(*map(max, zip(*known, strict=True)))
    # In the call's own object stand a name and the arguments.
    return CallGrowth(largest, call + largest.object)
