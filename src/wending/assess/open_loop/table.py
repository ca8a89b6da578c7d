"""What became of an open loop, at the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from wending.assess.report.numbers import interval_percent, milliseconds, per_second, rate_percent
from wending.assess.wording import Language

_ROWS = (
    ("ttft_s", ("First token", "首字时延"), milliseconds, ("p50", "p95", "p99")),
    ("stream_tokens_per_s", ("tok/s of a stream", "单流 tok/s"), per_second, ("p50", "p05", "p01")),
    ("answer_s", ("Whole answer", "完整回答"), milliseconds, ("p50", "p95", "p99")),
)


def print_summary(console: Console, report: Mapping[str, Any], language: Language) -> None:
    """Distributions with their bounds, then the rates and how well the generator kept up."""
    chinese = language == "zh"
    table = Table(box=box.SIMPLE_HEAD, title=str(report["target"].get("model", "")), title_justify="left")
    table.add_column("")
    for name in ("p50", "p95 / p5", "p99 / p1", "n"):
        table.add_column(name, justify="right")
    for key, words, text, names in _ROWS:
        row = report[key]
        cells = [_with_bounds(row[name], text) for name in names]
        table.add_row(words[chinese], *cells, str(row["n"]))
    console.print(table)
    for key, words in (
        ("goodput", ("Goodput (valid, and within the objective)", "有效吞吐（有效且达标）")),
        ("valid", ("Valid answers", "有效回答")),
        ("failed", ("Failed", "失败")),
    ):
        rate = report[key]
        shown = f"{rate_percent(rate)} ({rate['k']}/{rate['n']}, {interval_percent(rate)})"
        console.print(f"{words[chinese]}: {shown}", highlight=False, markup=False)
    generator, most = report["generator"], report["most_at_once"]
    late = milliseconds(generator["send_lag_s"])
    words = (
        f"At most {most} at once; the generator sent {late} late at p99",
        f"同时最多 {most} 个请求；发生器 p99 发送延迟 {late}",
    )
    console.print(words[chinese], highlight=False, markup=False)
    if generator["invalid"] is not None:
        told = (
            "The generator did not keep up, so these figures do not count",
            "发生器未能跟上，以上数据无效",
        )
        console.print(f"{told[chinese]}: {generator['invalid']}", style="red", markup=False)


def _with_bounds(found: Mapping[str, Any], text: Any) -> str:
    if found["value"] is None:
        return "–"
    if found["low"] is None:
        return str(text(found["value"]))
    return f"{text(found['value'])} ({text(found['low'])} … {text(found['high'])})"
