"""The options of `wending soak`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wending.cli.options import (
    Say,
    add_endpoint,
    add_language,
    add_pid,
    add_target,
    api_key_of,
    not_negative,
    positive,
    seconds,
    wrong,
)

HOURS, SAMPLE_S, STALL_S, SEED = 24.0, 5.0, 30.0, 1

_OF_A_NEW_SOAK = {
    "TARGET": "target",
    "--hours": "hours",
    "--concurrency": "concurrency",
    "--capacity": "capacity",
    "--out": "out",
    "--sample": "sample",
    "--canary": "canary",
    "--stall": "stall",
    "--seed": "seed",
    "--model": "model",
}
"""What a soak that is gone on with has in its log."""


def add_soak(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str) -> None:
    summary = say(
        "hold a model or an endpoint under mixed load for hours and report what wears",
        "让模型或服务在混合负载下运行数小时，报告其中的劣化",
    )
    command = commands.add_parser(
        "soak",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending soak --hours 1\n"
            "  wending soak http://127.0.0.1:8000/v1 --hours 24 --capacity 12 --out soak\n"
            "  wending soak --resume soak     go on after a break\n"
            "  wending soak --report soak     write the report of the log, also while the soak runs\n"
            "Ctrl-C ends it in order; the log is usable whatever ends it",
            "示例：\n  wending soak --hours 1\n"
            "  wending soak http://127.0.0.1:8000/v1 --hours 24 --capacity 12 --out soak\n"
            "  wending soak --resume soak     中断后继续\n"
            "  wending soak --report soak     根据日志写出报告，测试进行中也可以\n"
            "Ctrl-C 正常结束；无论因何结束，日志都可用",
        ),
    )
    add_target(command, say)
    command.add_argument(
        "--hours",
        type=_hours,
        metavar="H",
        help=say(f"how long (default: {HOURS:g})", f"时长（默认 {HOURS:g} 小时）"),
    )
    command.add_argument(
        "--concurrency",
        type=positive,
        metavar="N",
        help=say("requests at once (default: 70 %% of the capacity)", "并发请求数（默认为容量的 70%%）"),
    )
    command.add_argument(
        "--capacity",
        type=positive,
        metavar="C",
        help=say(
            "requests at once that the endpoint bears (default: estimated in about a minute)",
            "服务能承受的并发数（默认用约一分钟估计）",
        ),
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=say(
            "folder for log and report (default: a new soak-DATE-TIME)",
            "日志与报告的文件夹（默认新建 soak-日期-时间）",
        ),
    )
    command.add_argument(
        "--resume",
        type=Path,
        metavar="DIR",
        help=say(
            "go on with the soak in this folder, with its target and plan",
            "继续该文件夹中的测试，沿用其目标与计划",
        ),
    )
    command.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help=say("only write the report of this folder's log", "只根据该文件夹的日志写出报告"),
    )
    command.add_argument(
        "--sample",
        type=seconds,
        metavar="S",
        help=say(f"seconds between samples (default: {SAMPLE_S:g})", f"采样间隔秒数（默认 {SAMPLE_S:g}）"),
    )
    command.add_argument(
        "--canary",
        type=seconds,
        metavar="S",
        help=say(
            "seconds between canary sets (default: an hour, or a twelfth of a shorter soak)",
            "哨兵请求间隔秒数（默认一小时，较短的测试为其十二分之一）",
        ),
    )
    command.add_argument(
        "--stall",
        type=seconds,
        metavar="S",
        help=say(
            f"seconds without a token from any request that are a stall (default: {STALL_S:g})",
            f"多少秒没有任何请求得到 token 算停顿（默认 {STALL_S:g}）",
        ),
    )
    command.add_argument(
        "--seed",
        type=not_negative,
        metavar="N",
        help=say(f"seed of the requests (default: {SEED})", f"请求的随机种子（默认 {SEED}）"),
    )
    add_pid(command, say, "memory, threads, files, CPU and GPUs", "内存、线程、文件、CPU 与 GPU")
    add_endpoint(command, say)
    add_language(command, say, language)
    command.set_defaults(run=_soak)


def _soak(options: argparse.Namespace) -> int:
    from wending.assess.soak import SoakOptions, report_soak, run_soak

    only = "--report" if options.report is not None else "--resume" if options.resume is not None else None
    refused = ["--resume"] if only == "--report" and options.resume is not None else []
    refused += [name for name, field in _OF_A_NEW_SOAK.items() if getattr(options, field) is not None]
    if only is not None and refused:
        names = ", ".join(refused)
        english = f"Error: {only} takes target and plan from the folder's log; leave out {names}"
        chinese = f"错误：{only} 的目标与计划取自文件夹中的日志；请去掉 {names}"
        print(chinese if options.lang == "zh" else english, file=sys.stderr)
        return 2
    if options.report is not None:
        return report_soak(options.report, options.lang)
    return run_soak(
        options.target,
        SoakOptions(
            duration_s=3600 * (options.hours or HOURS),
            concurrency=options.concurrency,
            capacity=options.capacity,
            sample_s=options.sample or SAMPLE_S,
            canary_s=options.canary,
            stall_s=options.stall or STALL_S,
            seed=SEED if options.seed is None else options.seed,
            model=options.model,
            api_key=api_key_of(options),
            pid=options.pid,
        ),
        out=options.out,
        resume=options.resume,
        language=options.lang,
    )


def _hours(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number of hours", f"{text!r} 不是小时数") from None
    if not 0 < value <= 8784:
        raise wrong(
            f"{text} is out of range: more than 0 and at most 8784 hours (a year)",
            f"{text} 超出范围：大于 0 且不超过 8784 小时（一年）",
        )
    return value
