"""When a comparison is to fail: `any-worse`, or a figure beside a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, get_args

from wending.assess.bilingual import Bilingual
from wending.assess.compare.comparison import Kind, Row, worse

_FORM = re.compile(r"(\w+)\s*([<>])\s*([-+]?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class FailRule:
    """`pass_rate<-0.05`: the pass rate of a scenario, or of all together, fell by more than five points.
    `ttft>1.2`, `speed<0.8`, `concurrency<1`: second divided by first. `changed_under_load>0`,
    `json_rate<-0.05`, `failed_requests>0`, `recovery<0`: the difference.
    """

    text: str
    kind: str | None = None
    """None: any figure that is worse beyond doubt."""
    above: bool = False
    limit: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is none."""
        if text == "any-worse":
            return cls(text)
        found = _FORM.fullmatch(text.strip())
        kinds = get_args(Kind)
        if found is None or found[1] not in kinds:
            names = ", ".join(kinds)
            raise ValueError(
                Bilingual(
                    f"{text!r} is no rule: it is any-worse, or one of {names}, then < or >, and a number",
                    f"{text!r} 不是规则：应为 any-worse，或 {names} 之一，加 < 或 > 和一个数",
                )
            )
        return cls(text, found[1], found[2] == ">", float(found[3]))

    def broken_by(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that it forbids."""
        if self.kind is None:
            return worse(rows)
        return [
            row
            for row in rows
            if row.kind == self.kind
            and row.change is not None
            and (row.change > self.limit if self.above else row.change < self.limit)
        ]

    def undecided_by(self, rows: Sequence[Row]) -> list[Bilingual]:
        """The figures without which it cannot be said to be kept; empty where there are all."""
        its_own = [row for row in rows if self.kind in (None, row.kind)]
        if all(row.change is None for row in its_own):
            return [row.name for row in its_own] or [NOTHING]
        return [row.name for row in its_own if row.is_lost]


NOTHING = Bilingual("no such figure is in both reports", "两份报告没有共同的这项数据")
