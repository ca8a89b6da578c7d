"""The options of `wending load`."""

from __future__ import annotations

import argparse
from pathlib import Path

from wending.cli.objective import add_times
from wending.cli.options import (
    Say,
    add_endpoint,
    add_language,
    add_target,
    api_key_of,
    not_negative,
    positive,
    positive_number,
    seconds,
)


def add_load(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str) -> None:
    summary = say(
        "send requests at their times, as a Poisson process or as in a trace, whatever becomes of others",
        "按时刻发送请求（泊松过程或重放记录），不等待此前的请求",
    )
    command = commands.add_parser(
        "load",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say("examples:", "示例：")
        + "\n  wending load --rate 5 --seconds 60\n"
        + "  wending load http://127.0.0.1:8000/v1 --trace trace.csv --speed 2 --out load",
    )
    add_target(command, say)
    when = command.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "--rate",
        type=positive_number,
        metavar="R",
        help=say("requests per second on average, Poisson", "平均每秒请求数（泊松过程）"),
    )
    when.add_argument(
        "--trace",
        type=Path,
        metavar="FILE.csv",
        help=say(
            "with a head and three columns: arrival (seconds or ISO 8601), input tokens, output tokens",
            "带表头的三列：到达时间（秒或 ISO 8601）、输入 token 数、输出 token 数",
        ),
    )
    command.add_argument(
        "--seconds",
        type=seconds,
        default=60.0,
        metavar="S",
        help=say("how long, with --rate (default: %(default)g)", "与 --rate 合用的时长（默认 %(default)g）"),
    )
    command.add_argument(
        "--kinds",
        nargs="+",
        choices=("short", "long", "json"),
        default=(),
        help=say("of requests, with --rate (default: all three in turn)", "请求类型（默认三种轮流）"),
    )
    command.add_argument(
        "--speed",
        type=positive_number,
        default=1.0,
        metavar="X",
        help=say("how many times as fast a trace is played (default: 1)", "重放倍速（默认 1）"),
    )
    command.add_argument(
        "--limit", type=positive, metavar="N", help=say("first N rows of the trace", "只取记录的前 N 行")
    )
    add_times(
        command,
        max_ttft=say("for goodput (default: %(default)g s)", "有效吞吐的首字时限（默认 %(default)g 秒）"),
        min_speed=say(
            "tokens/s, for goodput (default: %(default)g)", "有效吞吐的每秒 token 数（默认 %(default)g）"
        ),
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=say("folder of load.json and requests.csv", "load.json 与 requests.csv 的文件夹"),
    )
    command.add_argument(
        "--seed", type=not_negative, default=1, metavar="N", help=say("default: 1", "默认 1")
    )
    add_endpoint(command, say)
    add_language(command, say, language)
    command.set_defaults(run=_load)


def _load(options: argparse.Namespace) -> int:
    from wending.assess.load.objective import Objective
    from wending.assess.open_loop.main import LoadOptions, run_load

    return run_load(
        options.target,
        LoadOptions(
            rate=options.rate,
            seconds=options.seconds,
            kinds=tuple(options.kinds),
            trace=options.trace,
            speed=options.speed,
            limit=options.limit,
            seed=options.seed,
            model=options.model,
            api_key=api_key_of(options),
            objective=Objective(max_ttft_s=options.max_ttft, min_tokens_per_s=options.min_speed),
        ),
        out=options.out,
        language=options.lang,
    )
