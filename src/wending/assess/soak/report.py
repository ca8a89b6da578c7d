"""The report of a soak as soak.html, soak.md and soak.json: all from the summary of its log."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.output import write_whole
from wending.assess.report import numbers
from wending.assess.report.texts import both
from wending.assess.soak.events import MARKED, event_details, event_words
from wending.assess.soak.findings import NAMES, crash_words, figure, findings, share_interval
from wending.assess.soak.plot import timeline_chart

Report = Mapping[str, Any]


def write_report(report: Report, folder: Path) -> Path:
    """Writes the three files into the folder, over those of an earlier time; returns the page's path. Raises
    OutputError."""
    words = [crash_words(report), *findings(report)]
    report = {**report, "findings": [{"en": str(text), "zh": chinese(text)} for text in words]}
    write_whole(folder / "soak.json", orjson.dumps(report, option=orjson.OPT_INDENT_2))
    write_whole(folder / "soak.md", ("\n".join(_markdown(report)) + "\n").encode())
    page = folder / "soak.html"
    write_whole(page, _html(report).encode())
    return page


def headline(report: Report) -> Bilingual:
    """One sentence: how long, how much, and whether something stood out."""
    spell, requests = numbers.duration(report["soaked_s"]), f"{report['requests']:,}"
    streams = report["plan"]["concurrency"]
    found = len(report["findings"]) - 1
    if found:
        end = Bilingual(f"{found} {'thing' if found == 1 else 'things'} stood out.", f"有 {found} 处异常。")
    else:
        end = Bilingual("Nothing stood out.", "未见异常。")
    return (
        Bilingual(
            f"{spell} under mixed load, {requests} answers, {streams} requests at once. ",
            f"混合负载 {spell}，{requests} 个回答，并发 {streams}。",
        )
        + end
    )


def state(report: Report) -> Bilingual | None:
    """Why the soak is not a whole one; None if it is."""
    planned = numbers.duration(report["plan"]["duration_s"])
    if report["complete"]:
        return None
    if report["end"] is None:
        return Bilingual(
            f"Not ended: the soak still runs or was killed. {planned} were planned.",
            f"尚未结束：测试仍在进行，或被强行终止。计划 {planned}。",
        )
    return Bilingual(
        f"Broken off ({report['end']}). {planned} were planned.",
        f"提前结束（{report['end_zh']}）。计划 {planned}。",
    )


def damage(report: Report) -> Bilingual | None:
    """What of the log is missing; None if nothing is."""
    n = report["lines_passed_over"]
    if not n:
        return None
    return Bilingual(
        f"{n} {'line' if n == 1 else 'lines'} of the log could not be used: cut off or damaged.",
        f"日志中有 {n} 行无法使用：不完整或已损坏。",
    )


def facts(report: Report) -> list[tuple[Bilingual, str]]:
    """Figures with their counts: (what, figure)."""
    ttft, speed, canary = report["ttft_s"], report["tokens_per_s"], report["canary"]
    rate = report["error_rate"]
    equal, compared = (canary["loaded"][key] + canary["alone"][key] for key in ("k", "n"))
    return [
        (Bilingual("Crashes", "崩溃"), str(report["crashes"]["n"]) if report["crashes"]["visible"] else "–"),
        (Bilingual("Stalls", "停顿"), str(report["stalls"]["n"])),
        (
            Bilingual("Failed requests", "失败的请求"),
            f"{rate['k']} / {rate['n']:,} ({share_interval(rate)})",
        ),
        (
            Bilingual("Canaries equal to hour 0", "与第 0 小时相同的哨兵"),
            f"{equal} / {compared}",
        ),
        (
            Bilingual(
                f"TTFT p50, p95, p99 (n = {ttft['n']:,})", f"首字时延 p50、p95、p99（n = {ttft['n']:,}）"
            ),
            ", ".join(numbers.milliseconds(ttft[key]) for key in ("p50", "p95", "p99")),
        ),
        (
            Bilingual(
                f"tok/s of a stream p50, p05 (n = {speed['n']:,})",
                f"单流 tok/s p50、p05（n = {speed['n']:,}）",
            ),
            ", ".join(numbers.per_second(speed[key]) for key in ("p50", "p05")),
        ),
    ]


def given(report: Report) -> Bilingual:
    """The target as it was typed, and where none was what was taken."""
    target = report["target"]
    if target["kind"] == "bundled":
        return Bilingual("the bundled model", "自带的演示模型")
    return Bilingual(target["given"], target["given"])


def settings(report: Report) -> list[tuple[Bilingual, str]]:
    plan, facts_of = report["plan"], report["environment"]

    def known(name: str) -> str:
        return str(facts_of.get(name, numbers.NONE))

    return [
        (Bilingual("Target", "对象"), given(report)),
        (Bilingual("Endpoint", "服务地址"), report["target"]["base_url"]),
        (Bilingual("Planned", "计划时长"), numbers.duration(plan["duration_s"])),
        (Bilingual("Requests at once", "并发请求数"), str(plan["concurrency"])),
        (Bilingual("Sample each", "采样间隔"), f"{plan['sample_s']:g} s"),
        (Bilingual("Canaries each", "哨兵间隔"), numbers.duration(plan["canary_s"])),
        (Bilingual("A stall is", "停顿阈值"), f"> {plan['stall_s']:g} s"),
        (Bilingual("Seed", "随机种子"), str(plan["seed"])),
        (Bilingual("Command", "命令"), known("command")),
        (Bilingual("Processor", "处理器"), f"{known('cpu')} × {known('usable_cores')}"),
        (Bilingual("Memory", "内存"), numbers.bytes_size(facts_of.get("memory_bytes"))),
        (Bilingual("System", "系统"), f"{known('os')}, Python {known('python')}"),
        (Bilingual("wending", "wending"), known("wending")),
    ]


def trend_rows(report: Report) -> list[tuple[Bilingual, list[str], Bilingual]]:
    """(what, [level, an hour, interval, p, in 30 days, n], verdict)."""
    return [
        (
            NAMES[row["name"]],
            [
                figure(row["name"], row["level"]),
                figure(row["name"], row["slope_per_hour"]),
                "–"
                if row["low"] is None
                else f"{figure(row['name'], row['low'])} … {figure(row['name'], row['high'])}",
                "–" if row["p"] is None else "< 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}",
                figure(row["name"], row["in_30_days"]),
                str(row["n"]),
            ],
            _verdict(row),
        )
        for row in report["trends"]
    ]


def _verdict(row: Mapping[str, Any]) -> Bilingual:
    if row["rises"] is None:
        return Bilingual("too few points", "点数不足")
    if row["rises"]:
        return Bilingual("rises", "上升")
    if row["is_certain"] and not row["still_rises"]:
        return Bilingual("rose at first, then no more", "先升后平")
    if row["is_certain"]:
        return Bilingual("rises too little to matter", "上升幅度无实际意义")
    return Bilingual("no rise shown", "未见上升")


TREND_HEAD = (
    Bilingual("Level", "水平"),
    Bilingual("An hour", "每小时"),
    Bilingual("95% interval", "95% 区间"),
    Bilingual("p", "p"),
    Bilingual("In 30 days", "30 天"),
    Bilingual("Points", "点数"),
)


def time_of(t_s: float) -> str:
    """Hours, minutes and seconds since the begin: 1:02:03."""
    minutes, seconds = divmod(int(t_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def event_rows(report: Report) -> list[tuple[str, Bilingual, str]]:
    """(time, what, details) of events and gaps in the order of time."""
    rows: list[tuple[float, Bilingual, str]] = [
        (event["t_s"], event_words(event), event_details(event)) for event in report["events"]
    ]
    rows += [
        (
            gap["begin_s"],
            Bilingual("nothing was measured until the soak was gone on with", "中断，直到继续测试"),
            numbers.duration(gap["seconds"]),
        )
        for gap in report["gaps"]
    ]
    return [(time_of(t), what, details) for t, what, details in sorted(rows, key=lambda row: row[0])]


def _markdown(report: Report) -> Iterator[str]:
    model, begun = report["target"]["model"], _begun(report)
    yield from (f"# Soak of {_cell(model)} · 浸泡测试", "", begun, "")
    for text in filter(None, (headline(report), state(report), damage(report))):
        yield from (f"{text}  ", f"{text.zh}", "")
    for finding in report["findings"]:
        yield from (f"- {_cell(finding['en'])}  ", f"  {_cell(finding['zh'])}")
    yield from ("", "| | |", "| --- | --- |")
    yield from (f"| {what} · {what.zh} | {_cell(value)} |" for what, value in facts(report))
    yield from ("", "## Trends · 趋势", "")
    yield "| | " + " | ".join(f"{head} · {head.zh}" for head in TREND_HEAD) + " | |"
    yield "|" + " --- |" * (len(TREND_HEAD) + 2)
    for what, cells, verdict in trend_rows(report):
        yield f"| {what} · {what.zh} | " + " | ".join(cells) + f" | {verdict} · {verdict.zh} |"
    rows = event_rows(report)
    if rows:
        yield from ("", "## Events · 事件", "", "| | | |", "| --- | --- | --- |")
        yield from (f"| {t} | {what} · {what.zh} | {_both_cell(details)} |" for t, what, details in rows)
    yield from ("", "## Settings · 设置", "", "| | |", "| --- | --- |")
    yield from (f"| {what} · {what.zh} | {_both_cell(value)} |" for what, value in settings(report))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").replace("<", "&lt;").split())


def _both_cell(text: str) -> str:
    """Both languages, or the text once where they are the same."""
    return _cell(text if chinese(text) == text else f"{text} · {chinese(text)}")


def _begun(report: Report) -> str:
    return datetime.fromtimestamp(report["began_at"]).astimezone().strftime("%Y-%m-%d %H:%M %z")


def _html(report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("wending.assess.soak", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        w=lambda english, chinese_: both({"en": english, "zh": chinese_}),
        b=lambda text: both({"en": str(text), "zh": chinese(text)}),
        both=both,
    )
    look = files("wending.assess.report")
    script = look.joinpath("report.js").read_text("utf-8")
    return environment.get_template("page.html.j2").render(
        report=report,
        style=Markup(look.joinpath("report.css").read_text("utf-8")),
        script=Markup(script),
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        begun=_begun(report),
        given=given(report),
        headline=headline(report),
        banners=list(filter(None, (state(report), damage(report)))),
        facts=facts(report),
        settings=settings(report),
        trends=trend_rows(report),
        trend_head=TREND_HEAD,
        events=event_rows(report),
        charts=list(_charts(report)),
        time_of=time_of,
    )


def _charts(report: Report) -> Iterator[tuple[Bilingual, Markup]]:
    marks = [event["t_s"] for event in report["events"] if event["event"] in MARKED]
    ends = [points[-1][0] for points in report["series"].values()]
    for name, points in report["series"].items():
        is_bytes = name.endswith("_bytes")
        label = str(NAMES[name])
        if is_bytes:
            yield (
                NAMES[name],
                timeline_chart(points, max(ends), lambda y: f"{y:g} MiB", label, marks, 2.0**20),
            )
        else:
            text = numbers.tick_seconds if name == "ttft_s" else "{:g}".format
            yield NAMES[name], timeline_chart(points, max(ends), text, label, marks)
