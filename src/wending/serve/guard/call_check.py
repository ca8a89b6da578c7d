"""Holds one call of a tool against the functions that a request offers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wending.serve.guard.judge import Judge
from wending.serve.guard.message_verdict import CallRepair, MessageVerdict
from wending.serve.guard.offered_tools import OfferedTools
from wending.serve.guard.verdict import Repair, Verdict

_ARGUMENTS = {"type": ["object", "string", "null"]}
CALL_IN_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "arguments": _ARGUMENTS, "parameters": _ARGUMENTS},
    "required": ["name"],
}


@dataclass(frozen=True, slots=True)
class CallCheck:
    """What it finds goes to `verdict`. `finish_reason`: how the upstream ended the message of the calls."""

    judge: Judge
    tools: OfferedTools
    verdict: MessageVerdict
    finish_reason: Any

    async def of(self, i: int, call: Any) -> Any:
        """The i-th call of the message as it is to be sent: another one where it was repaired."""
        if not isinstance(call, dict):
            self._is_wrong(i, json.dumps(call), [f"it is no call but {json.dumps(call)[:80]}"])
            return call
        if not is_of_function(call):
            return call
        function = call["function"] if isinstance(call.get("function"), dict) else {}
        name, written = function.get("name"), arguments_text(function)
        if not isinstance(name, str) or name not in self.tools.schemas:
            self._is_wrong(i, written, [self.tools.why_not(name)])
            return call
        found = await self._judged(written if written.strip() else "{}", self.tools.schemas[name])
        if found.text is None:
            self._is_wrong(i, written, found.problems)
            return call
        repairs: list[Repair | CallRepair] = []
        call_id = call.get("id")
        if not isinstance(call_id, str) or not call_id or not call.get("type"):
            repairs.append("incomplete_call")
            call = {**call, "id": call_id if isinstance(call_id, str) and call_id else new_id()}
        if not written.strip():
            repairs.append("no_arguments")
        elif not isinstance(function.get("arguments"), str):
            repairs.append("arguments_not_text")
        repairs += found.repairs
        self.verdict.repairs += [(i, kind) for kind in repairs]
        if repairs and not self.verdict.problems:
            self.verdict.wrong_text = written
        return {**call, "type": "function", "function": {**function, "arguments": found.text}}

    async def in_text(self, i: int, written: str) -> dict[str, Any] | None:
        """The call that is `written` in the text, its arguments not yet checked; None if it is none."""
        found = await self._judged(written, CALL_IN_TEXT)
        if found.text is None:
            self._is_wrong(i, written, found.problems)
            return None
        self.verdict.repairs += [(i, "tool_call_in_text"), *((i, kind) for kind in found.repairs)]
        read = json.loads(found.text)
        arguments = arguments_text({"arguments": read.get("arguments", read.get("parameters"))})
        function = {"name": read["name"], "arguments": arguments}
        return {"id": new_id(), "type": "function", "function": function}

    def _is_wrong(self, i: int, text: str, problems: Iterable[str]) -> None:
        self.verdict.wrong_text = text
        self.verdict.problems += [(i, problem) for problem in problems]

    async def _judged(self, text: str, schema: Any) -> Verdict:
        """Something is done with a call: so one that may have lost its end is not repaired."""
        found = await self.judge.check_answer(text, schema)
        if "cut_off" in found.repairs or ("not_closed" in found.repairs and self.finish_reason == "length"):
            return Verdict(None, problems=("the call was cut off before it was whole",))
        return found


def is_of_function(call: Mapping[str, Any]) -> bool:
    """Whether it is a call of a function; other kinds of tools are the upstream's business."""
    return call.get("type") in (None, "", "function")


def arguments_text(function: Mapping[str, Any]) -> str:
    """The arguments of a call as text; none is the empty one. Some upstreams send them as an object."""
    written = function.get("arguments")
    if written is None:
        return ""
    return written if isinstance(written, str) else json.dumps(written, ensure_ascii=False)


def new_id() -> str:
    """For a call that has none."""
    return f"call_{uuid.uuid4().hex}"
