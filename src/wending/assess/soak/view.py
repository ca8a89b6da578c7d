"""What the terminal shows during a soak: a small table that stays in place, or a plain line now and then."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wending.assess.report.numbers import bytes_size, count, duration, milliseconds, per_second
from wending.assess.wording import Language

PLAIN_INTERVAL_S = 60.0


@dataclass(slots=True)
class Status:
    """Totals of this run of the soak, and the last sample."""

    elapsed_s: float = 0.0
    duration_s: float = 0.0
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    ttft_s: float | None = None
    """Median of the last window."""
    tokens_per_s: float | None = None
    """All streams together, of the last window."""
    memory_bytes: float | None = None
    waiting: float | None = None
    canaries: int = 0
    canaries_differ: int = 0
    crashes: int = 0
    stalls: int = 0
    is_stalled: bool = False

    def rows(self, language: Language) -> list[tuple[str, str]]:
        """(what, figure) in a language."""
        zh = language == "zh"
        rows = [
            (
                "已运行" if zh else "soaked",
                f"{duration(self.elapsed_s)} / {duration(self.duration_s)}",
            ),
            ("请求（错误）" if zh else "requests (errors)", f"{self.requests:,} ({self.errors:,})"),
            ("在途 / 排队" if zh else "in flight / waiting", f"{self.in_flight} / {count(self.waiting)}"),
            ("首字时延中位数" if zh else "TTFT median", milliseconds(self.ttft_s)),
            ("总 tok/s" if zh else "tok/s in all", per_second(self.tokens_per_s)),
            ("内存" if zh else "memory", bytes_size(self.memory_bytes)),
            (
                "哨兵不同 / 已比较" if zh else "canaries differ / compared",
                f"{self.canaries_differ} / {self.canaries}",
            ),
            ("崩溃，停顿" if zh else "crashes, stalls", f"{self.crashes}, {self.stalls}"),
        ]
        if self.is_stalled:
            rows.append(("停顿中" if zh else "stalled", "!"))
        return rows


class SoakView(ABC):
    """Hears of each sample; `close` may be called at any time."""

    def __init__(self, language: Language) -> None:
        self.language = language

    @abstractmethod
    def update(self, status: Status) -> None:
        """After each sample."""

    @abstractmethod
    def say(self, line: str) -> None:
        """A line that stays."""

    @abstractmethod
    def close(self) -> None:
        """Ends the display."""


class PlainView(SoakView):
    """One line a minute."""

    def __init__(self, console: Console, language: Language) -> None:
        super().__init__(language)
        self._console = console
        self._spoke = float("-inf")

    def update(self, status: Status) -> None:
        if time.monotonic() - self._spoke >= PLAIN_INTERVAL_S:
            self._spoke = time.monotonic()
            self.say("; ".join(f"{what} {figure}" for what, figure in status.rows(self.language)))

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        pass


class LiveView(SoakView):
    def __init__(self, console: Console, language: Language) -> None:
        super().__init__(language)
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def update(self, status: Status) -> None:
        table = Table(box=box.SIMPLE, show_header=False)
        table.add_column(style="dim")
        table.add_column(justify="right")
        for what, figure in status.rows(self.language):
            table.add_row(Text(what), Text(figure))
        self._live.update(table, refresh=True)

    def say(self, line: str) -> None:
        self._live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()


def make_view(console: Console, language: Language) -> SoakView:
    return LiveView(console, language) if console.is_terminal else PlainView(console, language)
