"""What the assessment says at the terminal, in English and Chinese; errors of endpoints stay English."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]

_WORDS: dict[str, tuple[str, str]] = {
    "starting_server": ("Starting the server", "启动服务"),
    "connecting": ("Connecting to the endpoint", "连接服务"),
    "scenarios": ("Scenarios", "场景检验"),
    "role_keeping": ("Conversations with role keeping", "启用角色保持的对话"),
    "response_format": ("JSON, with the schema in the request", "JSON：请求中附带 schema"),
    "alone": ("Agreement, alone", "一致性：单独请求"),
    "loaded": ("Agreement, under load", "一致性：有其他负载"),
    "performance": ("Performance", "性能测量"),
    "context": ("Recall by distance", "按距离的回忆率"),
    "recovery": ("Recovery from faults", "故障恢复"),
    "writing": ("Writing the report", "写出报告"),
    "assessing": ("Assessing {name} at {url}", "正在评测 {name}（{url}）"),
    "demonstration": (
        "This is the demonstration model of wending, a very small one; it is not Qwen2.5-7B.",
        "这是 wending 自带的演示模型，规模很小，并非 Qwen2.5-7B。",
    ),
    "estimate": ("This will take about {time}.", "预计需要约{time}。"),
    "plan": (
        "Profile {profile}: {items} items x {repeats} repeats = {runs} runs; the report goes to {out}",
        "方案 {profile}：{items} 题 x {repeats} 次 = {runs} 次运行；报告写入 {out}",
    ),
    "error": ("Error: {message}", "错误：{message}"),
    "incomplete": (
        "Incomplete: {reason}. The report holds what was measured.",
        "评测未完成：{reason}。报告只含已测得的内容。",
    ),
    "nothing_measured": (
        "Incomplete: {reason}. Nothing was measured; the report holds the settings only.",
        "评测未完成：{reason}。未测得任何内容，报告只含设置。",
    ),
    "kept": ("{message}. What {folder} holds: {kept}", "{message}。{folder} 中已有：{kept}"),
    "report": ("Report: {path}", "报告：{path}"),
    "table_title": ("Result", "结果"),
    "scenario": ("Scenario", "场景"),
    "passed": ("Passed", "通过"),
    "rate": ("Rate", "通过率"),
    "interval": ("Interval", "95% 区间"),
    "same_text": ("Same text", "原文一致"),
    "same_answer": ("Same answer", "答案一致"),
    "request_type": ("Request type", "请求类型"),
    "ttft": ("TTFT median", "首字时延中位数"),
    "speed": ("tok/s median", "tok/s 中位数"),
    "max_concurrency": ("Max. concurrency", "最大并发"),
    "short": ("short", "短回答"),
    "long": ("long", "长回答"),
    "json": ("JSON", "JSON"),
    "warm_up": ("warm-up", "预热"),
    "one_stream": ("one stream, request {n}", "单路，第 {n} 次请求"),
    "at_once": ("{n} at once", "{n} 路并发"),
    "confirming": ("confirmation {n}", "第 {n} 次复测"),
    "problems": (
        "{count} kinds of stability problem, the most frequent: {title} ({k} of {n} runs of {scenario})",
        "发现 {count} 类稳定性问题，最常见的是：{title}（{scenario} 的 {n} 次运行中出现 {k} 次）",
    ),
    "problem": (
        "1 kind of stability problem, the most frequent: {title} ({k} of {n} runs of {scenario})",
        "发现 1 类稳定性问题，最常见的是：{title}（{scenario} 的 {n} 次运行中出现 {k} 次）",
    ),
    "change": ("Change", "变化"),
    "rule_broken": ("--fail-on {rule}: {name}", "--fail-on {rule}：{name}"),
    "no_problems": ("No stability problem was seen.", "未发现稳定性问题。"),
}


def say(key: str, language: Language, **values: object) -> str:
    """The text of `key` in a language, with its values filled in."""
    return _WORDS[key][0 if language == "en" else 1].format(**values)


def say_duration(seconds: float, language: Language) -> str:
    """A time that nobody should take by its word: 40 seconds, 5 minutes, 3 hours."""
    if seconds < 90:
        number, unit = max(round(seconds, -1), 10), ("seconds", "秒")
    elif seconds < 5400:
        number, unit = round(seconds / 60), ("minutes", "分钟")
    else:
        number, unit = round(seconds / 3600, 1), ("hours", "小时")
    return f"{number:g} {unit[0]}" if language == "en" else f" {number:g} {unit[1]}"


def language_of_locale(locale: str) -> Language:
    """ "zh" for a Chinese locale such as zh_CN.UTF-8, otherwise "en"."""
    return "zh" if locale.lower().startswith("zh") else "en"
