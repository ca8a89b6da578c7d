"""The options of `wending assess` and `wending load` that say what requests under load must keep."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wending.cli.options import Say, positive, positive_number, seconds, wrong

if TYPE_CHECKING:
    from wending.assess.load.objective import Objective


def add_times(command: argparse.ArgumentParser, *, max_ttft: str, min_speed: str) -> None:
    """The two times of one request, with their help."""
    command.add_argument("--max-ttft", type=seconds, default=2.0, metavar="S", help=max_ttft)
    command.add_argument("--min-speed", type=positive_number, default=10.0, metavar="N", help=min_speed)


def add_objective(command: argparse.ArgumentParser, say: Say) -> None:
    """What a level of load must keep."""
    add_times(
        command,
        max_ttft=say(
            "seconds to the first token that 95%% of the requests must keep (default: %(default)s)",
            "95%% 的请求须满足的首字时延，秒（默认 %(default)s）",
        ),
        min_speed=say(
            "tokens per second that 95%% of the streams must reach (default: %(default)s)",
            "95%% 的请求须达到的每秒 token 数（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--max-errors",
        type=share,
        default=0.01,
        metavar="SHARE",
        help=say(
            "share of requests that may fail (default: %(default)s)", "允许失败的请求比例（默认 %(default)s）"
        ),
    )
    command.add_argument(
        "--min-valid",
        type=share,
        metavar="SHARE",
        help=say(
            "share of the answers that must be valid (default: no fewer than one stream alone, and not none)",
            "须有效的回答比例（默认不少于单路时，且不为零）",
        ),
    )
    command.add_argument(
        "--concurrency-cap",
        type=positive,
        default=64,
        metavar="N",
        help=say(
            "highest number of streams that is tried (default: %(default)s)",
            "尝试的最大并发数（默认 %(default)s）",
        ),
    )


def objective_of(options: argparse.Namespace) -> Objective:
    from wending.assess.load.objective import Objective

    return Objective(options.max_ttft, options.min_speed, options.max_errors, options.min_valid)


def share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number", f"{text!r} 不是数字") from None
    if not 0 <= value <= 1:
        raise wrong(f"{text} is out of range: 0 to 1", f"{text} 超出范围：0 到 1")
    return value
