"""The command line: parses, calls, prints. Everything heavy is imported inside the command that needs it.

Help texts are English, or Chinese where the locale (LC_ALL, LC_MESSAGES, LANG) is Chinese.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from wending import __version__
from wending.cli.assess import add_assess
from wending.cli.chinese_parser import ChineseParser
from wending.cli.compare import add_compare
from wending.cli.load import add_load
from wending.cli.options import (
    Say,
    add_max_context,
    locale_language,
    not_negative,
    positive,
    temperature,
)
from wending.cli.serve import add_serve
from wending.cli.soak import add_soak

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `wending ARGUMENTS` and return its exit status; 130 for a Ctrl-C that came before the command took
    it on itself, as while it is imported."""
    language = locale_language()
    options = _parser(language).parse_args(arguments)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _chat(options: argparse.Namespace) -> int:
    from wending.chat.main import run_chat

    return run_chat(
        options.target,
        system=options.system,
        temperature=options.temperature,
        model=options.model,
        key=os.environ.get("OPENAI_API_KEY"),
        language=locale_language(),
    )


def _cache(options: argparse.Namespace) -> int:
    from wending.cache_command import clear_cache, list_cache

    return clear_cache(locale_language()) if options.action == "clear" else list_cache(locale_language())


def _bench(options: argparse.Namespace) -> int:
    from wending.engine.bench import run_bench

    return run_bench(
        options.model,
        quant=options.quant,
        max_context=options.max_context,
        threads=options.threads,
        batches=options.batch,
        prompt=options.prompt,
        tokens=options.tokens,
        repeats=options.repeats,
        json_file=options.json,
        language=options.language,
    )


def _selftest(options: argparse.Namespace) -> int:
    from wending.engine.selftest.main import run_selftest

    return run_selftest(
        options.model,
        quant=options.quant,
        kv_cache=options.kv_cache,
        requests=options.requests,
        seed=options.seed,
        only=options.only,
        threads=options.threads,
        json_file=options.json,
        language=options.language,
    )


def _parser(language: str) -> argparse.ArgumentParser:
    def say(english: str, chinese: str) -> str:
        return chinese if language == "zh" else english

    parser = (ChineseParser if language == "zh" else argparse.ArgumentParser)(
        prog="wending",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=say(
            "Serves Qwen2.5 so that it stays stable, and proves it.",
            "稳定地提供 Qwen2.5 服务，并加以证明。",
        ),
        epilog=say(
            "example:\n  wending assess            assess the bundled demonstration model, write a report\n"
            "  wending serve ./Qwen2.5-7B-Instruct --port 8080",
            "示例：\n  wending assess            评测自带的演示模型并写出报告\n"
            "  wending serve ./Qwen2.5-7B-Instruct --port 8080",
        ),
    )
    parser.add_argument("--version", action="version", version=f"wending {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_serve(commands, say)
    _add_chat(commands, say)
    add_assess(commands, say, language)
    add_load(commands, say, language)
    add_soak(commands, say, language)
    add_compare(commands, say, language)
    _add_bench(commands, say, language)
    _add_selftest(commands, say, language)
    _add_cache(commands, say)
    return parser


def _add_chat(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    summary = say("chat with a model or an API in the terminal", "在终端中与模型或接口对话")
    command = commands.add_parser(
        "chat",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending chat ./Qwen2.5-0.5B-Instruct\n"
            "  OPENAI_API_KEY=... wending chat http://127.0.0.1:8080 --system 'Be brief.'\n"
            "  echo 'What is 17 * 23?' | wending chat --temperature 0\n"
            "Ctrl-C stops an answer, Ctrl-D or /quit ends; /help lists the commands",
            "示例：\n  wending chat ./Qwen2.5-0.5B-Instruct\n"
            "  OPENAI_API_KEY=... wending chat http://127.0.0.1:8080 --system '请简短回答。'\n"
            "  echo '17 * 23 等于多少？' | wending chat --temperature 0\n"
            "Ctrl-C 停止当前回答，Ctrl-D 或 /quit 退出；/help 列出命令",
        ),
    )
    command.add_argument(
        "target",
        nargs="?",
        metavar="MODEL|URL",
        help=say(
            "checkpoint folder, GGUF file, or URL of an OpenAI-compatible API (default: the bundled model)",
            "模型文件夹、GGUF 文件，或 OpenAI 兼容接口的地址（默认：自带的演示模型）",
        ),
    )
    command.add_argument("--system", default="", metavar="TEXT", help=say("system prompt", "系统提示词"))
    command.add_argument(
        "--temperature",
        type=temperature,
        metavar="T",
        help=say(
            "0 to 2 (default: 0.7, or what the API has for its default)",
            "0 到 2（默认 0.7；使用接口时为其默认值）",
        ),
    )
    command.add_argument(
        "--model",
        metavar="NAME",
        help=say("model to ask of an API (default: its first)", "请求接口的模型名（默认：其列出的第一个）"),
    )
    command.set_defaults(run=_chat)


def _add_bench(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str
) -> None:
    summary = say("measure the speed of a model on this machine", "测量模型在本机上的速度")
    command = commands.add_parser(
        "bench",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending bench --model ./Qwen2.5-0.5B-Instruct --quant int8 --batch 1 8",
            "示例：\n  wending bench --model ./Qwen2.5-0.5B-Instruct --quant int8 --batch 1 8",
        ),
    )
    command.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help=say("checkpoint folder (default: the bundled model)", "模型文件夹（默认：自带的演示模型）"),
    )
    command.add_argument(
        "--quant",
        choices=("auto", "bf16", "f32", "int8", "int4"),
        default="auto",
        help=say("precision of the weights (default: as for serve)", "权重精度（默认与 serve 相同）"),
    )
    add_max_context(command, say)
    command.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help=say("threads of the engine (default: every available core)", "引擎线程数（默认：全部可用核心）"),
    )
    command.add_argument(
        "--batch",
        type=positive,
        nargs="+",
        metavar="N",
        help=say(
            "sequences at once (default: those of 1 8 16 32 that fit)",
            "同时的序列数（默认 1 8 16 32 中可容纳的）",
        ),
    )
    for name, default, english, chinese in (
        ("--prompt", 512, "tokens of each prompt", "每个提示的词元数"),
        ("--tokens", 64, "tokens to generate for each", "每个序列生成的词元数"),
        ("--repeats", 3, "how often each batch size is measured", "每个批大小的测量次数"),
    ):
        command.add_argument(
            name,
            type=positive,
            default=default,
            metavar="N",
            help=say(f"{english} (default: %(default)s)", f"{chinese}（默认 %(default)s）"),
        )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help=say("write the figures there too", "同时把数据写入该文件")
    )
    command.add_argument(
        "--language",
        choices=("en", "zh"),
        default=language,
        help=say("language of the output (default: %(default)s)", "输出语言（默认 %(default)s）"),
    )
    command.set_defaults(run=_bench)


def _add_selftest(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str
) -> None:
    summary = say(
        "test that the same request gives the same bytes, alone, in a crowd, after a crash",
        "检验同一请求在单独、并发、崩溃恢复等条件下输出完全一致",
    )
    command = commands.add_parser(
        "selftest",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending selftest\n"
            "  wending selftest ./Qwen2.5-0.5B-Instruct --quant int8 --requests 1000",
            "示例：\n  wending selftest\n"
            "  wending selftest ./Qwen2.5-0.5B-Instruct --quant int8 --requests 1000",
        ),
    )
    command.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help=say(
            "checkpoint folder or GGUF file (default: the bundled model)",
            "模型文件夹或 GGUF 文件（默认：自带的演示模型）",
        ),
    )
    command.add_argument(
        "--quant",
        choices=("auto", "bf16", "f32", "int8", "int4"),
        default="auto",
        help=say("precision of the weights (default: as for serve)", "权重精度（默认与 serve 相同）"),
    )
    command.add_argument(
        "--kv-cache",
        choices=("auto", "bf16", "f32", "int8"),
        default="auto",
        help=say("precision of the KV cache (default: as for serve)", "KV 缓存精度（默认与 serve 相同）"),
    )
    command.add_argument(
        "--requests",
        type=positive,
        default=100,
        metavar="N",
        help=say("how many requests (default: %(default)s)", "请求数（默认 %(default)s）"),
    )
    command.add_argument(
        "--seed",
        type=not_negative,
        default=1,
        metavar="N",
        help=say("which requests these are (default: %(default)s)", "请求的随机种子（默认 %(default)s）"),
    )
    command.add_argument(
        "--only",
        type=not_negative,
        metavar="K",
        help=say("just the request of this number", "只测这一个编号的请求"),
    )
    command.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help=say("threads of the engine (default: every available core)", "引擎线程数（默认：全部可用核心）"),
    )
    command.add_argument(
        "--json", type=Path, metavar="FILE", help=say("write the result there too", "同时把结果写入该文件")
    )
    command.add_argument(
        "--language",
        choices=("en", "zh"),
        default=language,
        help=say("language of the output (default: %(default)s)", "输出语言（默认 %(default)s）"),
    )
    command.set_defaults(run=_selftest)


def _add_cache(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    summary = say(
        "list or clear the quantised weights kept on the disk for the next start",
        "列出或清除为下次启动保留在磁盘上的量化权重",
    )
    command = commands.add_parser(
        "cache",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending cache          model, precision, size and last use of each\n"
            "  wending cache clear    remove all; a running server keeps what it uses\n"
            "settings: WENDING_CACHE (folder, default ~/.cache/wending), "
            "WENDING_CACHE_GIB (limit, default 32)",
            "示例：\n  wending cache          每份权重的模型、精度、大小和上次使用时间\n"
            "  wending cache clear    全部清除；正在运行的服务不受影响\n"
            "设置：WENDING_CACHE（文件夹，默认 ~/.cache/wending）、WENDING_CACHE_GIB（上限，默认 32）",
        ),
    )
    command.add_argument(
        "action",
        nargs="?",
        choices=("list", "clear"),
        default="list",
        help=say("list (default) or clear", "list 列出（默认），clear 清除"),
    )
    command.set_defaults(run=_cache)
