"""Holds a message of the upstream against its request: text that must be JSON, and calls of tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wending.serve.guard.call_check import CallCheck
from wending.serve.guard.calls_in_text import calls_in_text
from wending.serve.guard.judge import Judge
from wending.serve.guard.message_text import text_of
from wending.serve.guard.message_verdict import MessageVerdict
from wending.serve.guard.offered_tools import OfferedTools


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
            check = CallCheck(self.judge, self.tools, verdict, finish_reason)
            if calls:
                await self._calls(verdict, calls, check)
                return verdict
            if reads_text and self.tools.schemas and await self._calls_in_text(verdict, check):
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

    async def _calls(self, verdict: MessageVerdict, calls: Any, check: CallCheck) -> None:
        verdict.about = "tools"
        if not isinstance(calls, list):
            verdict.wrong_text = json.dumps(calls, ensure_ascii=False)
            verdict.problems.append((None, f"it is no list of calls but {verdict.wrong_text[:80]}"))
            return
        checked = [await check.of(i, call) for i, call in enumerate(calls)]
        if check.tools.one_at_a_time and len(calls) > 1:
            verdict.problems.append((None, f"{len(calls)} calls were made, one may be made at a time"))
            verdict.wrong_text = verdict.wrong_text or json.dumps(calls, ensure_ascii=False)
        if verdict.repairs:
            verdict.message = {**verdict.message, "tool_calls": checked}

    async def _calls_in_text(self, verdict: MessageVerdict, check: CallCheck) -> bool:
        """Makes calls of those in the text. Whether there are any."""
        text = text_of(verdict.said)
        found = calls_in_text(text)
        if not found.calls:
            return False
        verdict.about = "tools"
        calls = [await check.in_text(i, written) for i, written in enumerate(found.calls)]
        if not verdict.problems:
            verdict.message = {**verdict.said, "content": found.outside.rstrip() or None}
            await self._calls(verdict, calls, check)
        return True
