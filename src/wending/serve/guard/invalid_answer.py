"""The honest end: no answer of the upstream was what the client asked for, repaired or not."""

from __future__ import annotations

from typing import Any

from wending.serve.guard.guard_report import GuardReport
from wending.serve.guard.message_verdict import MessageVerdict
from wending.serve.guard.upstream_failure import DO_NOT_RETRY
from wending.serve.openai_errors import APIError

MAX_LAST_TEXT_CHARACTERS = 100_000


class InvalidAnswer(APIError):  # noqa: N818
    """502. Its body holds the text at fault and the report of the guard."""

    def __init__(self, why: str, wrong: MessageVerdict, report: GuardReport) -> None:
        wanted = "JSON" if wrong.about == "response_format" else "call of a tool"
        found = "; ".join(item["problem"] for item in report.problems[-3:])
        super().__init__(
            502,
            f"The upstream gave no valid {wanted} {why}: {found}.",
            type="server_error",
            param=wrong.about,
            code="invalid_upstream_answer",
            headers=DO_NOT_RETRY,
        )
        self._last_text = wrong.wrong_text[:MAX_LAST_TEXT_CHARACTERS]
        self._report = report

    def body(self) -> dict[str, Any]:
        body = super().body()
        body["error"]["last_text"] = self._last_text
        return body | {"wending": self._report.json()}
