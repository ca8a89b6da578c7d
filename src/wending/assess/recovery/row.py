"""What came of one fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wending.assess.bilingual import Bilingual, chinese


@dataclass(frozen=True, slots=True)
class Row:
    """A fault that was made, or was not because of a reason."""

    id: str
    title: str
    expected: str
    happened: str
    ok: bool | None
    """None: it was not made."""
    recovered_s: float | None = None
    """From the end of the fault to the first good answer after it; None if there was none."""
    canary_equal: bool | None = None
    """Whether that answer was the one from before; None if there was none, or none to compare with."""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": _words(self.title),
            "expected": _words(self.expected),
            "happened": _words(self.happened),
            "ok": self.ok,
            "recovered_s": None if self.recovered_s is None else round(self.recovered_s, 3),
            "canary_equal": self.canary_equal,
        }


@dataclass(slots=True)
class RecoveryResult:
    """Rows are added as they come, so a break keeps what was measured."""

    steady: bool | None = None
    """Whether the canary agreed with itself before any fault; None if it could not be asked."""
    rows: list[Row] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {"steady": self.steady, "rows": [row.to_json() for row in self.rows]}


def _words(text: str) -> dict[str, str]:
    return {"en": str(text), "zh": chinese(text)}


CANARY_GONE = Bilingual("no good answer afterwards", "此后没有得到正常回答")
