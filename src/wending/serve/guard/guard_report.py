"""What the guard had to do for an answer, as the answer tells it: {"wending": {"guard": {...}}}."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wending.serve.guard.verdict import Verdict


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

    def judged(self, choice: int, tries: int, verdict: Verdict) -> None:
        """The text of a choice has been checked, on the given try."""
        self.repairs += [{"choice": choice, "kind": kind} for kind in verdict.repairs]
        self.problems += [
            {"choice": choice, "try": tries, "problem": problem} for problem in verdict.problems
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
