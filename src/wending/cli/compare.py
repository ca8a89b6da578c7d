"""`wending compare`: two reports beside each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from wending.cli.options import Say, add_language


def add_compare(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str
) -> None:
    summary = say("compare two reports of `wending assess`", "比较 `wending assess` 的两份报告")
    command = commands.add_parser(
        "compare",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending compare before after --fail-on any-worse --fail-on 'ttft>1.5'",
            "示例：\n  wending compare before after --fail-on any-worse --fail-on 'ttft>1.5'",
        ),
    )
    for name in ("first", "second"):
        command.add_argument(
            name,
            type=Path,
            metavar=name.upper(),
            help=say("folder of a report, or its report.json", "报告文件夹，或其中的 report.json"),
        )
    command.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="RULE",
        help=say(
            "exit with status 1 if: any-worse (a figure is worse beyond doubt), or a rule such as "
            "pass_rate<-0.05, json_rate<-0.05, failed_requests>0, changed_under_load>0, recovery<0, "
            "ttft>1.2, speed<0.8, concurrency<1; with status 2 if that cannot be decided; may be repeated",
            "满足时以状态 1 退出：any-worse（有数据确定变差），或如 pass_rate<-0.05、json_rate<-0.05、"
            "failed_requests>0、changed_under_load>0、recovery<0、ttft>1.2、speed<0.8、concurrency<1 的规则；"
            "无法判定时以状态 2 退出；可多次给出",
        ),
    )
    add_language(command, say, language)
    command.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    from wending.assess.compare.main import run_comparison

    return run_comparison(options.first, options.second, options.fail_on, options.lang)
