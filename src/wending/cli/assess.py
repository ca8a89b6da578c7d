"""`wending assess`: its options, and what they come to."""

from __future__ import annotations

import argparse
from pathlib import Path

from wending.cli.objective import add_objective, objective_of
from wending.cli.options import (
    Say,
    add_endpoint,
    add_language,
    add_pid,
    add_target,
    api_key_of,
    not_negative,
    positive,
)


def add_assess(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str
) -> None:
    summary = say(
        "put a model or an endpoint through six scenarios (five in the quick profile) and write the report",
        "让模型或服务接受六类场景的检验（quick 方案为五类）并写出报告",
    )
    command = commands.add_parser(
        "assess",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending assess\n"
            "  wending assess http://127.0.0.1:8000/v1 --model Qwen2.5-7B-Instruct "
            "--repeats 10 --out report",
            "示例：\n  wending assess\n"
            "  wending assess http://127.0.0.1:8000/v1 --model Qwen2.5-7B-Instruct "
            "--repeats 10 --out report",
        ),
    )
    add_target(command, say)
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=say(
            "folder for the report (default: a new assessment-DATE-TIME)",
            "报告文件夹（默认新建 assessment-日期-时间）",
        ),
    )
    command.add_argument(
        "--profile",
        choices=("quick", "standard", "signoff"),
        default="quick",
        help=say(
            "how thorough: minutes, tens of minutes, or hours (default: %(default)s)",
            "详尽程度：几分钟、几十分钟或几小时（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--recovery",
        action=argparse.BooleanOptionalAction,
        help=say(
            "make faults and see whether the endpoint comes through them (default: not for quick)",
            "制造故障并观察服务能否恢复（默认 quick 不做）",
        ),
    )
    command.add_argument(
        "--context",
        action=argparse.BooleanOptionalAction,
        help=say(
            "ask for facts in ever longer prompts (default: yes, unless scenarios are named)",
            "在越来越长的提示词中提问事实（默认进行；指定场景时不做）",
        ),
    )
    command.add_argument(
        "--repeats",
        type=positive,
        metavar="N",
        help=say(
            "how often each item is asked (default: 5; 10 for signoff)",
            "每题重复次数（默认 5；signoff 为 10）",
        ),
    )
    command.add_argument(
        "--scenario",
        action="append",
        metavar="ID",
        help=say("only this scenario; may be repeated", "只做这个场景；可多次给出"),
    )
    command.add_argument(
        "--scenario-file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=say(
            "a scenario of your own as JSON, asked besides; may be repeated (see docs/assessment.md)",
            "另外加入自己的场景（JSON 文件）；可多次给出（见 docs/assessment.md）",
        ),
    )
    command.add_argument(
        "--checks-module",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.py",
        help=say(
            "Python file with checks that it uses; its code is run. May be repeated",
            "其所用检查的 Python 文件，其中的代码会被执行；可多次给出",
        ),
    )
    command.add_argument(
        "--role-keeping",
        metavar="JSON",
        help=say(
            "request fields by which the endpoint keeps roles, such as '{\"restate_system\": 4}': long "
            "conversations are held without and with them (default: that of wending's own server)",
            "服务用于保持角色的请求字段，例如 '{\"restate_system\": 4}'：长对话不带和带上它各做一遍"
            "（默认：wending 自己的服务所用的字段）",
        ),
    )
    command.add_argument(
        "--seed",
        type=not_negative,
        default=1,
        metavar="N",
        help=say(
            "seed of the whole assessment (default: %(default)s)", "整个评测的随机种子（默认 %(default)s）"
        ),
    )
    add_pid(command, say, "memory and CPU", "内存与 CPU")
    add_endpoint(command, say)
    command.add_argument(
        "--concurrency",
        type=positive,
        default=4,
        metavar="N",
        help=say(
            "requests in flight during the scenarios (default: %(default)s)",
            "场景阶段的并发数（默认 %(default)s）",
        ),
    )
    add_language(command, say, language)
    add_objective(command, say)
    command.set_defaults(run=_assess)


def _assess(options: argparse.Namespace) -> int:
    from wending.assess.main import run_assessment

    return run_assessment(
        options.target,
        out=options.out,
        profile=options.profile,
        recovery=options.recovery,
        context=options.context,
        repeats=options.repeats,
        scenarios=options.scenario,
        scenario_files=options.scenario_file,
        checks_modules=options.checks_module,
        role_keeping=options.role_keeping,
        pid=options.pid,
        seed=options.seed,
        model=options.model,
        api_key=api_key_of(options),
        concurrency=options.concurrency,
        objective=objective_of(options),
        concurrency_cap=options.concurrency_cap,
        language=options.lang,
    )
