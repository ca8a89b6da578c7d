"""What the commands' options have in common: their language, and the values that they take."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable

Say = Callable[[str, str], str]
"""Picks the English or the Chinese form of a text."""


def locale_language() -> str:
    """The language of messages and help: "zh" under a Chinese locale, otherwise "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def wrong(english: str, chinese: str) -> argparse.ArgumentTypeError:
    """The error of a value, in the language of messages."""
    return argparse.ArgumentTypeError(chinese if locale_language() == "zh" else english)


def add_max_context(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--max-context",
        type=positive,
        metavar="N",
        help=say(
            "longest prompt and answer together, in tokens; YaRN is used above the model's native length "
            "(default: the checkpoint's own)",
            "提示词与回答合计的最大词元数；超过模型原生长度时使用 YaRN（默认与模型文件一致）",
        ),
    )


def add_target(command: argparse.ArgumentParser, say: Say) -> None:
    """What is measured."""
    command.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=say(
            "checkpoint folder, or base URL of an OpenAI-compatible endpoint (default: the bundled model)",
            "模型文件夹，或 OpenAI 兼容服务的地址（默认：自带的演示模型）",
        ),
    )


def add_endpoint(command: argparse.ArgumentParser, say: Say) -> None:
    """How an endpoint is asked."""
    command.add_argument(
        "--model",
        metavar="NAME",
        help=say(
            "model to ask for (default: the endpoint's first)", "请求的模型名（默认：服务列出的第一个）"
        ),
    )
    command.add_argument(
        "--api-key",
        metavar="KEY",
        help=say("key of the endpoint (default: $OPENAI_API_KEY)", "服务的密钥（默认取 $OPENAI_API_KEY）"),
    )


def api_key_of(options: argparse.Namespace) -> str | None:
    return options.api_key or os.environ.get("OPENAI_API_KEY")


def add_pid(command: argparse.ArgumentParser, say: Say, what: str, chinese: str) -> None:
    """The process of a server that somebody else started; `what` of it is sampled."""
    command.add_argument(
        "--pid",
        type=positive,
        metavar="N",
        help=say(
            f"process of an endpoint on this machine, whose {what} are sampled, its children's too",
            f"本机上该服务的进程号；采样它及其子进程的{chinese}",
        ),
    )


def add_language(command: argparse.ArgumentParser, say: Say, language: str) -> None:
    command.add_argument(
        "--lang",
        choices=("en", "zh"),
        default=language,
        help=say(
            "language of progress and messages (default: %(default)s)", "进度与消息的语言（默认 %(default)s）"
        ),
    )


def port(text: str) -> int:
    value = not_negative(text)
    if value > 65535:
        raise wrong(f"{value} is not a port: 0 to 65535", f"{value} 不是端口：0 到 65535")
    return value


def positive(text: str) -> int:
    value = not_negative(text)
    if value < 1:
        raise wrong(f"{value} is too small: 1 or more", f"{value} 太小：至少为 1")
    return value


def not_negative(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise wrong(f"{text!r} is not a whole number", f"{text!r} 不是整数") from None
    if value < 0:
        raise wrong(f"{value} is negative", f"{value} 是负数")
    return value


def temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number", f"{text!r} 不是数字") from None
    if not 0 <= value <= 2:
        raise wrong(f"{text} is out of range: 0 to 2", f"{text} 超出范围：0 到 2")
    return value


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number of seconds", f"{text!r} 不是秒数") from None
    if not 0 < value < 1e6:
        raise wrong(
            f"{text} is out of range: more than 0 and less than 1000000 seconds",
            f"{text} 超出范围：大于 0 且小于 1000000 秒",
        )
    return value


def positive_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number", f"{text!r} 不是数字") from None
    if not 0 < value < 1e6:
        raise wrong(
            f"{text} is out of range: more than 0 and less than 1000000",
            f"{text} 超出范围：大于 0 且小于 1000000",
        )
    return value


def origin(text: str) -> str:
    if text != "*" and not re.fullmatch(r"https?://[^/\s]+", text):
        raise wrong(
            f"{text!r} is not an origin such as https://example.org, nor *",
            f"{text!r} 既不是 https://example.org 这样的来源，也不是 *",
        )
    return text


def gibibytes(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text!r} is not a number of GiB", f"{text!r} 不是 GiB 数") from None
    if not 0 < value < 1 << 20:
        raise wrong(f"{text} GiB makes no sense as a memory limit", f"{text} GiB 不能作为内存上限")
    return int(value * (1 << 30))
