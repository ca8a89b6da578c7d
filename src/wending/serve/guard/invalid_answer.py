"""The honest end: no answer of the upstream was what the client asked for, repaired or not."""

from __future__ import annotations

from typing import Any

from wending.serve.guard.guard_report import GuardReport
from wending.serve.guard.upstream_failure import DO_NOT_RETRY
from wending.serve.guard.verdict import MessageVerdict
from wending.serve.openai_errors import APIError

MAX_LAST_TEXT_CHARACTERS = 100_000


class InvalidAnswer(APIError):  # noqa: N818
    """502. Its body holds the last text of the upstream and the report of the guard."""

    def __init__(self, why: str, last: MessageVerdict, report: GuardReport) -> None:
        found = "; ".join(item["problem"] for item in report.problems[-3:])
        what, param = ("call", "tools") if last.is_about_calls else ("JSON", "response_format")
        super().__init__(
            502,
            f"The upstream gave no valid {what} {why}: {found}.",
            type="server_error",
            param=param,
            code="invalid_upstream_answer",
            headers=DO_NOT_RETRY,
        )
        self._last_text = last.said[:MAX_LAST_TEXT_CHARACTERS]
        self._report = report

    def body(self) -> dict[str, Any]:
        body = super().body()
        body["error"]["last_text"] = self._last_text
        return body | {"wending": self._report.json()}
