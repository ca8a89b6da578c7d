"""What the guard had to do for an answer, as the answer tells it: {"wending": {"guard": {...}}}."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wending.serve.guard.message_verdict import MessageVerdict


@dataclass(slots=True)
class GuardReport:
    """Filled in while the answer is made."""

    asked: int = 0
    """How often the upstream was asked for a completion and gave one, good or bad."""
    repairs: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Calls that failed and were made again, such as a refused connection."""
    continued: int = 0
    """How many times an answer that had reached its length was continued."""
    format_in_words: bool = False
    """The upstream refused `response_format`; the schema was written into the system message instead."""

    def judged(self, choice: int, tries: int, verdict: MessageVerdict) -> None:
        """The message of a choice has been checked, on the given try. Repairs count if they were enough."""
        self.problems += [
            {"choice": choice} | _of_call(call) | {"try": tries, "problem": problem}
            for call, problem in verdict.problems
        ]
        if not verdict.problems:
            self.repairs += [
                {"choice": choice} | _of_call(call) | {"kind": kind} for call, kind in verdict.repairs
            ]

    @property
    def changed(self) -> bool:
        """Whether the client gets anything else than the upstream's first answer to its own request."""
        return bool(self.repairs or self.problems or self.format_in_words or self.continued)

    def json(self) -> dict[str, Any]:
        return {
            "guard": {
                "asked": self.asked,
                "repairs": self.repairs,
                "problems": self.problems,
                "failures": self.failures,
                "continued": self.continued,
                "response_format": "written into the system message" if self.format_in_words else "passed on",
            }
        }


def _of_call(call: int | None) -> dict[str, int]:
    return {} if call is None else {"call": call}
