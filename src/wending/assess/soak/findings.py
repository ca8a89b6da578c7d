"""What a soak found, in words: the crash-free hours and what they prove, then what stood out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from wending.assess.bilingual import Bilingual
from wending.assess.problems import problem_type
from wending.assess.report.numbers import bytes_size, duration, milliseconds
from wending.assess.soak.crash_rate import CONFIDENCE

MOST_ERRORS = 0.01
"""The share of failed requests that is let pass, as in the objective of a capacity."""
NOTABLE_CORES = 0.2
"""Cores taken by other processes, on average, that a rise of the latency may come from."""
FULL_STOP = Bilingual(".", "。")
NAMES = {
    "memory_bytes": Bilingual("Memory", "内存"),
    "threads": Bilingual("Threads", "线程数"),
    "files": Bilingual("Open files", "打开的文件"),
    "cpu_cores": Bilingual("CPU cores in use by the server", "服务占用的 CPU 核数"),
    "other_cores": Bilingual("CPU cores in use by other processes", "其他进程占用的 CPU 核数"),
    "gpu_memory_bytes": Bilingual("GPU memory", "显存"),
    "gpu_busy": Bilingual("Share of time the GPUs were busy", "GPU 忙碌比例"),
    "waiting": Bilingual("Requests waiting in the server", "服务端排队请求"),
    "kv_usage": Bilingual("Share of the KV cache in use", "KV 缓存占用比例"),
    "ttft_s": Bilingual("TTFT (mean of the middle 80 %)", "首字时延（中间 80% 的均值）"),
    "tokens_per_s": Bilingual("Tokens per second, all streams", "tok/s（全部流合计）"),
    "errors": Bilingual("Errors a minute", "每分钟错误数"),
}


def figure(name: str, value: float | None) -> str:
    """A value of one of NAMES as people read it; with its sign only where it is negative."""
    if value is None:
        return "–"
    sign, size = ("-" if value < 0 else ""), abs(value)
    if name.endswith("_bytes"):
        return sign + bytes_size(size)
    if name == "ttft_s":
        return sign + milliseconds(size)
    return f"{value:.3g}"


def share_interval(rate: Mapping[str, Any]) -> str:
    """The interval of a share that is usually tiny: ≤ 0.14% for none of 2,752; a dash for none of none."""
    if not rate["n"]:
        return "–"
    high = f"{100 * rate['high']:.2g}%"
    return f"≤ {high}" if rate["k"] == 0 else f"{100 * rate['low']:.2g}–{high}"


def crash_words(report: Mapping[str, Any]) -> Bilingual:
    """What so many hours do and do not prove."""
    crashes, soaked = report["crashes"], duration(report["soaked_s"])
    if not crashes["visible"]:
        return Bilingual(
            f"The server was not started here and does not tell of its restarts: in {soaked} crashes "
            "could only be seen as failed requests and stalls, and nothing is said of their rate.",
            f"服务不是由本程序启动，也未公布其重启次数：{soaked} 内的崩溃只能表现为请求失败和停顿，"
            "因此不对崩溃率作任何结论。",
        )
    hours = crashes["hours_between_at_least"]
    if hours is None:
        return Bilingual("Nothing was soaked.", "尚未开始。")
    spell, n = duration(3600 * hours), crashes["n"]
    month = f"{-30 * math.log(1 - CONFIDENCE):.0f}"
    if n == 0:
        return Bilingual(
            f"No crash in {soaked}. That proves, with 95 % confidence, at most one crash in {spell} on "
            "average, for this load, if crashes come at a constant rate. It does not prove more: to show "
            f"less than one crash in 30 days, {month} days without one are needed; and a fault that needs a "
            "longer time, a rarer request or a higher load was not looked for.",
            f"{soaked} 内没有崩溃。若崩溃率恒定，则有 95% 的把握：此负载下平均每 {spell} 最多崩溃一次。"
            f"它不能证明更多：要证明每 30 天少于一次，需要 {month} 天无崩溃；"
            "需要更长时间、更少见的请求或更高负载才会出现的故障不在本次检验之内。",
        )
    return Bilingual(
        f"{n} {'crash' if n == 1 else 'crashes'} in {soaked}: with 95 % confidence not more often than "
        f"one in {spell} on average, if they come at a constant rate.",
        f"{soaked} 内崩溃 {n} 次：若崩溃率恒定，以 95% 的置信度，平均每 {spell} 不多于一次。",
    )


def findings(report: Mapping[str, Any]) -> list[Bilingual]:
    """What stood out, the worst first; empty where nothing did."""
    return list(_findings(report))


def _findings(report: Mapping[str, Any]) -> Iterator[Bilingual]:
    crashes, stalls, canary = report["crashes"], report["stalls"], report["canary"]
    if crashes["n"]:
        # How long somebody else's server, or an engine, was away is not known.
        down = duration(crashes["down_s"])
        away = Bilingual(f"; {down} without a server", f"；共 {down} 没有服务") if crashes["down_s"] else ""
        yield (
            Bilingual(
                f"The server or its engine ended {_count(crashes['n'], 'time')}",
                f"服务或其引擎终止 {crashes['n']} 次",
            )
            + away
            + FULL_STOP
        )
    if crashes["oom_kills"]:
        yield Bilingual(
            f"The kernel killed {_count(crashes['oom_kills'], 'process', 'processes')} of this machine "
            "for want of memory.",
            f"内核因内存不足终止了本机的 {crashes['oom_kills']} 个进程。",
        )
    if stalls["n"]:
        still = (
            Bilingual("; the last had not ended", "；最后一次尚未结束")
            if stalls["open"]
            else Bilingual("", "")
        )
        longest = duration(stalls["longest_s"])
        yield (
            Bilingual(
                f"{_count(stalls['n'], 'stall')}: no token from any request for more than "
                f"{report['plan']['stall_s']:g} s; the longest that ended took {longest}",
                f"停顿 {stalls['n']} 次：超过 {report['plan']['stall_s']:g} 秒没有任何请求得到 token；"
                f"已结束的最长一次 {longest}",
            )
            + still
            + FULL_STOP
        )
    for row in report["trends"]:
        if row["rises"]:
            yield _rise(row) + (_others(report) if row["name"] == "ttft_s" else "") + FULL_STOP
    differing = canary["loaded"]["n"] - canary["loaded"]["k"]
    alone = canary["alone"]["n"] - canary["alone"]["k"]
    if differing or alone:
        yield Bilingual(
            f"Canaries differed from hour 0: {differing} of {canary['loaded']['n']} under load, {alone} of "
            f"{canary['alone']['n']} alone at the end.",
            f"哨兵回答与第 0 小时不同：负载下 {canary['loaded']['n']} 次中 {differing} 次，"
            f"结束时单独请求 {canary['alone']['n']} 次中 {alone} 次。",
        )
    if canary["failed"]:
        yield Bilingual(
            f"Not answered: {_count(canary['failed'], 'canary', 'canaries')}.",
            f"{canary['failed']} 个哨兵请求没有得到回答。",
        )
    errors = report["error_rate"]
    if errors["n"] and errors["k"] > MOST_ERRORS * errors["n"]:
        kinds = [(_kind(kind), count) for kind, count in report["errors"].items()]
        named = ", ".join(f"{kind} ({count})" for kind, count in kinds)
        named_zh = "，".join(f"{kind.zh}（{count}）" for kind, count in kinds)
        share = share_interval(errors)
        yield Bilingual(
            f"{errors['k']} of {errors['n']} requests failed ({share}): {named}.",
            f"{errors['n']} 个请求中 {errors['k']} 个失败（{share}）：{named_zh}。",
        )


def _kind(name: str) -> Bilingual:
    """A kind of error of the log: http_503, or a type of stability problem."""
    if name.startswith("http_"):
        status = name.removeprefix("http_")
        return Bilingual(f"HTTP {status}", f"HTTP {status}")
    title = problem_type(name).title
    return Bilingual(title["en"], title["zh"])


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"


def _others(report: Mapping[str, Any]) -> str:
    """What may explain a latency beside the server."""
    points = report["series"].get("other_cores", [])
    cores = sum(value for _, value in points) / max(len(points), 1)
    if cores < NOTABLE_CORES:
        return ""
    return Bilingual(
        f"; other processes took {cores:.1f} cores of this machine, which may be the reason",
        f"；其他进程平均占用本机 {cores:.1f} 个核，可能是其原因",
    )


def _rise(row: Mapping[str, Any]) -> Bilingual:
    name, text = row["name"], NAMES[row["name"]]
    level = figure(name, row["level"])
    per_hour, low, high = (figure(name, row[key]) for key in ("slope_per_hour", "low", "high"))
    if row["in_30_days"] is None:
        ahead = Bilingual("too short a soak to project it to 30 days", "测试时间太短，不足以外推到 30 天")
    else:
        more = figure(name, row["in_30_days"])
        ahead = Bilingual(f"{more} more in 30 days if it goes on so", f"照此 30 天将增加 {more}")
    return Bilingual(
        f"{text} rises by {per_hour} an hour ({low} to {high}), at a level of {level}: {ahead}",
        f"{text.zh}每小时上升 {per_hour}（{low} 至 {high}），水平为 {level}：{ahead.zh}",
    )
