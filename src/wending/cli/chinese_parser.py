"""The command line's errors in Chinese: argparse has them in English only."""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

_CHINESE = (
    (r"the following arguments are required: (.+)", r"缺少参数：\1"),
    (r"one of the arguments (.+) is required", r"需要其中一个参数：\1"),
    (r"unrecognized arguments: (.+)", r"无法识别的参数：\1"),
    (r"ambiguous option: (.+) could match (.+)", r"\1 有歧义，可能是 \2"),
    (r"expected one argument", "需要一个值"),
    (r"expected at least one argument", "至少需要一个值"),
    (r"invalid choice: (.+) \(choose from (.+)\)", r"没有 \1 这一选项，可选：\2"),
    (r"invalid \w+ value: (.+)", r"无效的值 \1"),
    (r"not allowed with argument (.+)", r"不能与 \1 同时使用"),
    (r"ignored explicit argument (.+)", r"不接受值 \1"),
)


class ChineseParser(argparse.ArgumentParser):
    """Its commands' parsers are of this class, too."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}：错误：{in_chinese(message)}\n")


def in_chinese(message: str) -> str:
    """What argparse says, in Chinese; what it only passes on, such as our own errors, as it is."""
    of_argument = re.fullmatch(r"argument (.+?): (.+)", message, re.DOTALL)
    if of_argument is not None:
        return f"参数 {of_argument[1]}：{in_chinese(of_argument[2])}"
    for english, chinese in _CHINESE:
        found = re.fullmatch(english, message, re.DOTALL)
        if found is not None:
            return found.expand(chinese)
    return message
