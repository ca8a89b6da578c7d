"""Holds a message of the upstream against its request: text that must be JSON, and calls of tools."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wending.serve.guard.calls_in_text import calls_in_text
from wending.serve.guard.judge import Judge
from wending.serve.guard.message_text import text_of
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
class MessageCheck:
    """`schema`: what text must be valid against, None where any will do. `tools`: None if there are none."""

    judge: Judge
    schema: Any
    tools: OfferedTools | None

    async def of(
        self, said: Mapping[str, Any], finish_reason: Any, *, reads_text: bool = True
    ) -> MessageVerdict:
        """`reads_text`: whether calls may stand in the text. A refusal is an answer to anything."""
        verdict = MessageVerdict(said, said)
        calls = said.get("tool_calls")
        if said.get("refusal") or said.get("function_call") or (calls and self.tools is None):
            return verdict
        if self.tools is not None:
            if calls:
                await self._calls(verdict, calls if isinstance(calls, list) else [], finish_reason)
                return verdict
            if reads_text and self.tools.schemas and await self._calls_in_text(verdict, finish_reason):
                return verdict
            if self.tools.must_call:
                names = " or ".join(self.tools.schemas)
                verdict.about, verdict.wrong_text = "tools", text_of(said)
                verdict.problems.append((None, f"no function was called; to be called: {names[:200]}"))
                return verdict
        if self.schema is not None:
            await self._text(verdict)
        return verdict

    async def _text(self, verdict: MessageVerdict) -> None:
        text = text_of(verdict.said)
        found = await self.judge.check_answer(text, self.schema)
        verdict.repairs += [(None, kind) for kind in found.repairs]
        verdict.problems += [(None, problem) for problem in found.problems]
        if found.text != text:
            verdict.wrong_text = text
        if found.repairs:
            verdict.message = {**verdict.said, "content": found.text}

    async def _calls(self, verdict: MessageVerdict, calls: Sequence[Any], finish_reason: Any) -> None:
        verdict.about = "tools"
        checked = [await self._call(verdict, i, call, finish_reason) for i, call in enumerate(calls)]
        if self.tools is not None and self.tools.one_at_a_time and len(calls) > 1:
            verdict.problems.append((None, f"{len(calls)} calls were made, one may be made at a time"))
            verdict.wrong_text = verdict.wrong_text or json.dumps(calls, ensure_ascii=False)
        if verdict.repairs:
            verdict.message = {**verdict.message, "tool_calls": checked}

    async def _call(self, verdict: MessageVerdict, i: int, call: Any, finish_reason: Any) -> Any:
        """The call as it is to be sent. What is wrong with it goes to the verdict."""
        if not isinstance(call, dict):
            verdict.problems.append((i, "it is no call but " + json.dumps(call)[:80]))
            return call
        if self.tools is None or call.get("type") not in (None, "", "function"):
            return call
        function = call["function"] if isinstance(call.get("function"), dict) else {}
        name, arguments = function.get("name"), function.get("arguments")
        repairs: list[Repair | CallRepair] = []
        if not isinstance(call.get("id"), str) or not call["id"] or not call.get("type"):
            repairs.append("incomplete_call")
            call = {**call, "id": call.get("id") or new_id(), "type": "function"}
        if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
            repairs.append("no_arguments")
            arguments = "{}"
        elif not isinstance(arguments, str):
            repairs.append("arguments_not_text")
            arguments = json.dumps(arguments, ensure_ascii=False)
        if not isinstance(name, str) or name not in self.tools.schemas:
            found = Verdict(None, problems=(self.tools.why_not(name),))
        else:
            found = await self._json(arguments, self.tools.schemas[name], finish_reason)
        if found.text is None:
            verdict.wrong_text = arguments
            verdict.problems += [(i, problem) for problem in found.problems]
            return call
        repairs += found.repairs
        if repairs and not verdict.problems:
            verdict.wrong_text = arguments
        verdict.repairs += [(i, kind) for kind in repairs]
        return {**call, "function": {**function, "arguments": found.text}}

    async def _calls_in_text(self, verdict: MessageVerdict, finish_reason: Any) -> bool:
        """Makes calls of those in the text. Whether there are any."""
        text = text_of(verdict.said)
        found = calls_in_text(text)
        calls: list[dict[str, Any]] = []
        for i, written in enumerate(found.calls):
            read = await self._json(written, CALL_IN_TEXT, finish_reason)
            verdict.repairs += [(i, "tool_call_in_text"), *((i, kind) for kind in read.repairs)]
            verdict.problems += [(i, problem) for problem in read.problems]
            if read.text is not None:
                calls.append(_call_of(json.loads(read.text)))
        if not found.calls:
            return False
        verdict.about, verdict.wrong_text = "tools", text
        if not verdict.problems:
            verdict.message = {**verdict.said, "content": found.outside if found.outside.strip() else None}
            await self._calls(verdict, calls, finish_reason)
        return True

    async def _json(self, text: str, schema: Any, finish_reason: Any) -> Verdict:
        """The JSON of a call. Something is done with it: so what may have lost its end is not repaired."""
        found = await self.judge.check_answer(text, schema)
        if "cut_off" in found.repairs or ("not_closed" in found.repairs and finish_reason == "length"):
            return Verdict(None, problems=("the call was cut off before it was whole",))
        return found


def new_id() -> str:
    """For a call that has none."""
    return f"call_{uuid.uuid4().hex}"


def _call_of(written: Mapping[str, Any]) -> dict[str, Any]:
    arguments = written.get("arguments", written.get("parameters"))
    if not isinstance(arguments, str | None):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": new_id(),
        "type": "function",
        "function": {"name": written["name"], "arguments": arguments or ""},
    }
