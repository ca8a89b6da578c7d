"""A whole answer, its JSON and its calls checked: ask, check, repair, and ask again with what was wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from wending.serve.guard.asking import again, in_words
from wending.serve.guard.calls_in_text import may_begin_at
from wending.serve.guard.continuing import CONTINUE_FIELDS, to_continue, without_repetition
from wending.serve.guard.guard_report import GuardReport
from wending.serve.guard.guard_request import GuardRequest
from wending.serve.guard.guard_service import GuardService
from wending.serve.guard.invalid_answer import InvalidAnswer
from wending.serve.guard.message_check import MessageCheck
from wending.serve.guard.message_text import says_no_text, text_of
from wending.serve.guard.message_verdict import MessageVerdict
from wending.serve.guard.retries import Retries
from wending.serve.guard.upstream_failure import DO_NOT_RETRY, UpstreamRefusal
from wending.serve.openai_errors import APIError


class GuardedAnswer:
    """One request, until its answer is there. The deadline begins when this is made."""

    def __init__(self, service: GuardService, request: GuardRequest) -> None:
        self.service = service
        self.request = request
        self.report = GuardReport()
        self.retries = Retries(asyncio.get_running_loop().time() + service.settings.deadline_s)
        self.check = MessageCheck(service.judge, request.schema, request.tools)
        self._wrong: MessageVerdict | None = None
        self._continue_fields = True
        """Whether the upstream takes fields that ask for a message to be continued, as far as is known."""

    async def whole(self) -> dict[str, Any]:
        """The answer as one object, with the report where there is something to report.

        Raises APIError: InvalidAnswer if no try gave what is valid, or what the upstream failed with. Where
        free text may come, the first answer takes the time it takes, and the deadline begins behind it.
        """
        if self.request.has_no_free_text:
            async with self._in_time():
                answer = await self._ask_for_json(self._body)
                await self.settle(answer)
        else:
            answer = await self._ask(self._body)
            await self._continue(self._body, answer)
            await self.settle(answer)
        if self.wants_report:
            answer["wending"] = _as_object(answer.get("wending")) | self.report_json()
        return answer

    @property
    def wants_report(self) -> bool:
        return self.request.report or self.report.changed

    def report_json(self) -> dict[str, Any]:
        return self.closed_report().json()

    def closed_report(self) -> GuardReport:
        """The report with what only the retries know."""
        self.report.failures = self.retries.failures
        return self.report

    @property
    def _body(self) -> dict[str, Any]:
        """The request, as one for a whole answer."""
        body = self.request.body
        if not self.request.stream:
            return body
        return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}

    def _begin_deadline(self) -> None:
        now = asyncio.get_running_loop().time()
        self.retries.deadline = now + self.service.settings.deadline_s

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """What is within is given up at the deadline. Raises APIError then."""
        try:
            async with asyncio.timeout_at(self.retries.deadline):
                yield
        except TimeoutError as error:
            raise self._out_of_time() from error

    async def _continue(self, body: Mapping[str, Any], answer: dict[str, Any]) -> None:
        """Puts what follows behind a text that ended at its length, as often as that is asked for.

        What is there already is an answer: if the upstream fails to go on, it stays as it is.
        """
        choice = answer["choices"][0]
        message = choice.get("message") or {}
        while self.report.continued < self.request.continuations and choice.get("finish_reason") == "length":
            text = text_of(message)
            if says_no_text(message) or not text or self._calls_a_tool(text):
                return
            try:
                other = await self._ask_to_continue(body, text)
            except APIError:  # the report has it
                return
            add_usage(answer, other)
            further = other["choices"][0]
            said = further.get("message") or {}
            more = without_repetition(text, text_of(said))
            if says_no_text(said) or not more:
                return
            self.report.continued += 1
            message["content"] = text + more
            choice["finish_reason"] = further.get("finish_reason")

    def _calls_a_tool(self, text: str) -> bool:
        return self.request.tools is not None and may_begin_at(text) < len(text)

    async def _ask_to_continue(self, body: Mapping[str, Any], text: str) -> dict[str, Any]:
        try:
            return await self._ask(to_continue(body, text, self._continue_fields))
        except UpstreamRefusal as refusal:
            if not self._continue_fields or not any(name in refusal.text for name in CONTINUE_FIELDS):
                raise
            self._continue_fields = False
        return await self._ask(to_continue(body, text, self._continue_fields))

    async def settle(self, answer: dict[str, Any]) -> None:
        """Makes all choices of an answer valid, in place. Raises APIError, as InvalidAnswer."""
        for position, choice in enumerate(answer["choices"]):
            await self._settle(answer, choice, choice.get("index", position))

    async def _settle(self, answer: dict[str, Any], choice: dict[str, Any], index: int) -> None:
        tries = 1
        while True:
            finish_reason = choice.get("finish_reason")
            verdict = await self.check.of(choice.get("message") or {}, finish_reason)
            self.report.judged(index, tries, verdict)
            if not verdict.problems:
                _put(choice, verdict)
                return
            if self._wrong is None and not self.request.has_no_free_text:
                self._begin_deadline()  # what came first has taken the time of a free text
            self._wrong = verdict
            if tries >= self.service.settings.tries:
                raise InvalidAnswer(f"in {tries} tries", verdict, self.closed_report())
            tries += 1
            async with self._in_time():
                other = await self._ask_again(verdict, finish_reason)
            add_usage(answer, other)
            choice.clear()
            choice.update(other["choices"][0], index=index)

    async def _ask_again(self, wrong: MessageVerdict, finish_reason: Any) -> dict[str, Any]:
        try:
            return await self._ask_for_json(again(self._body, wrong, finish_reason))
        except UpstreamRefusal as refusal:
            if refusal.status == 429:
                raise
            # It is our longer request that was refused, as beyond the context: the client did nothing wrong.
            why = f"and refused to be asked again ({refusal.reason})"
            raise InvalidAnswer(why, wrong, self.closed_report()) from refusal

    async def _ask_for_json(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if not self.report.format_in_words:
            try:
                return await self._ask(body)
            except UpstreamRefusal as refusal:
                if self.request.schema is None or not refusal.names_response_format():
                    raise
                self.report.format_in_words = True
        return await self._ask(in_words(body, self.request.schema))

    async def _ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.retries.run(lambda: self.service.upstream.answer(body))
        self.report.asked += 1
        return answer

    def _out_of_time(self) -> APIError:
        limit = f"within {self.service.settings.deadline_s:g} s"
        if self._wrong is not None:
            return InvalidAnswer(limit, self._wrong, self.closed_report())
        return APIError(
            504,
            f"The upstream did not answer {limit}.",
            type="server_error",
            code="upstream_timeout",
            headers=DO_NOT_RETRY,
        )


def _put(choice: dict[str, Any], verdict: MessageVerdict) -> None:
    if not verdict.repairs:
        return
    choice["message"] = dict(verdict.message)
    if "logprobs" in choice:
        choice["logprobs"] = None  # those of the tokens that came are not those of this text
    if (
        any(kind == "tool_call_in_text" for _, kind in verdict.repairs)
        and choice.get("finish_reason") == "stop"
    ):
        choice["finish_reason"] = "tool_calls"


def add_usage(answer: dict[str, Any], other: Mapping[str, Any]) -> None:
    """What all tries have cost together, where the upstream counts it."""
    usage, added = answer.get("usage"), other.get("usage")
    if isinstance(usage, dict) and isinstance(added, dict):
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            if isinstance(usage.get(name), int) and isinstance(added.get(name), int):
                usage[name] += added[name]


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
