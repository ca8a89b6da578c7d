"""One run, that is one item asked once, and the file to which runs are appended as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from wending.assess.bilingual import chinese
from wending.assess.checks import CheckResult
from wending.assess.condition import ConditionName
from wending.assess.output import LineLog


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Times and tokens are those of the last answer, the judged one; `answers` holds one per user turn.

    A run whose request failed carries `error` and `error_type`, a type of stability problem, instead of
    verdicts, and counts as not passed.
    """

    scenario: str
    item: str
    repeat: int
    seed: int
    passed: bool
    checks: tuple[CheckResult, ...] = ()
    answers: tuple[str, ...] = ()
    ttft_s: float | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    finish_reason: str | None = None
    error: str | None = None
    error_type: str | None = None
    condition: ConditionName = "default"
    cut_turns: tuple[int, ...] = ()
    """The turns, from 1, whose answers ended at the token limit."""

    @property
    def text(self) -> str:
        return self.answers[-1] if self.answers else ""

    def to_json(self) -> dict[str, Any]:
        """The run as in report.json; runs.jsonl adds the scenario."""
        return {
            "item": self.item,
            "condition": self.condition,
            "repeat": self.repeat,
            "seed": self.seed,
            "pass": self.passed,
            "checks": [_check_json(result) for result in self.checks],
            "ttft_s": rounded(self.ttft_s),
            "tokens": self.tokens,
            "tokens_per_s": rounded(self.tokens_per_s),
            "finish_reason": self.finish_reason,
            "error": self.error,
            "error_type": self.error_type,
            "error_zh": None if self.error is None else chinese(self.error),
            "text": self.text,
            "answers": list(self.answers),
        }


def _check_json(result: CheckResult) -> dict[str, Any]:
    fields = asdict(result)
    name, passed, reason = fields.pop("name"), fields.pop("passed"), fields.pop("reason")
    return {"name": name, "pass": passed, "reason": str(reason), "reason_zh": chinese(reason), **fields}


def rounded(value: float | None, digits: int = 5) -> float | None:
    """A measured figure without digits that mean nothing."""
    return None if value is None else round(value, digits)


class RunLog:
    """runs.jsonl: one JSON object a line, written at once: a break loses nothing that was finished."""

    def __init__(self, path: Path) -> None:
        """Raises OutputError."""
        self._lines = LineLog(path)

    def append(self, record: RunRecord) -> None:
        """Raises OutputError."""
        self._lines.append(orjson.dumps({"scenario": record.scenario, **record.to_json()}))

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()


def by_scenario(records: Sequence[RunRecord], scenario_id: str) -> list[RunRecord]:
    """The runs of one scenario, ordered by repeat."""
    return sorted(
        (record for record in records if record.scenario == scenario_id), key=lambda run: run.repeat
    )
