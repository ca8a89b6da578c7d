"""The command line: parses, calls, prints. Everything heavy is imported inside the command that needs it.

Help texts are English, or Chinese where the locale (LC_ALL, LC_MESSAGES, LANG) is Chinese.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wending import __version__

if TYPE_CHECKING:
    from wending.serve.operations import Operations

Say = Callable[[str, str], str]


def _locale_language() -> str:
    """The language of messages and help: "zh" under a Chinese locale, otherwise "en"."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `wending ARGUMENTS` and return its exit status."""
    language = _locale_language()
    options = _parser(language).parse_args(arguments)
    status: int = options.run(options)
    return status


def _serve(options: argparse.Namespace) -> int:
    _refuse_mixed_options(options)
    if options.upstream is not None:
        return _serve_upstream(options)
    from wending.serve.main import run_server

    return run_server(
        options.model,
        options.host,
        options.port,
        quant=options.quant,
        kv_cache=options.kv_cache,
        memory=options.memory,
        max_context=options.max_context,
        threads=options.threads,
        cache=not options.no_cache,
        speculate=not options.no_speculation,
        gap_s=options.max_gap / 1000,
        generation_config=options.generation_config,
        operations=_operations(options),
        language=_locale_language(),
    )


def _operations(options: argparse.Namespace) -> Operations:
    from wending.serve.operations import Operations

    return Operations(
        api_key_file=options.api_key_file,
        max_requests=options.max_requests,
        max_requests_per_key=options.max_requests_per_key,
        max_body_bytes=options.max_body << 20,
        deadline_s=options.deadline,
        drain_s=options.drain_seconds,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        cors_origins=tuple(options.cors_origin),
        log_format=options.log_format,
        log_prompts=options.log_prompts,
    )


def _chat(options: argparse.Namespace) -> int:
    from wending.chat.main import run_chat

    return run_chat(
        options.target,
        system=options.system,
        temperature=options.temperature,
        model=options.model,
        key=os.environ.get("OPENAI_API_KEY"),
        language=_locale_language(),
    )


def _serve_upstream(options: argparse.Namespace) -> int:
    from wending.serve.guard.guard_service import GuardSettings
    from wending.serve.guard.main import run_guard

    return run_guard(
        options.upstream,
        options.host,
        options.port,
        settings=GuardSettings(options.upstream_model, options.guard_tries, options.guard_deadline),
        key_env=options.upstream_key_env,
        operations=_operations(options),
        language=_locale_language(),
    )


def _assess(options: argparse.Namespace) -> int:
    from wending.assess.main import run_assessment

    return run_assessment(
        options.target,
        out=options.out,
        repeats=options.repeats,
        scenarios=options.scenario,
        seed=options.seed,
        model=options.model,
        api_key=options.api_key or os.environ.get("OPENAI_API_KEY"),
        concurrency=options.concurrency,
        language=options.lang,
    )


def _cache(options: argparse.Namespace) -> int:
    from wending.cache_command import clear_cache, list_cache

    return clear_cache(_locale_language()) if options.action == "clear" else list_cache(_locale_language())


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

    parser = argparse.ArgumentParser(
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
    _add_serve(commands, say)
    _add_chat(commands, say)
    _add_assess(commands, say, language)
    _add_bench(commands, say, language)
    _add_selftest(commands, say, language)
    _add_cache(commands, say)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
    summary = say(
        "serve a checkpoint: OpenAI-compatible API and chat page", "提供模型服务：OpenAI 兼容接口与聊天页面"
    )
    command = commands.add_parser(
        "serve",
        help=summary,
        description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=say(
            "example:\n  wending serve ./Qwen2.5-0.5B-Instruct --port 8080\n"
            "  then open http://127.0.0.1:8080/ or point an OpenAI client at http://127.0.0.1:8080/v1",
            "示例：\n  wending serve ./Qwen2.5-0.5B-Instruct --port 8080\n"
            "  然后打开 http://127.0.0.1:8080/，或让 OpenAI 客户端连接 http://127.0.0.1:8080/v1",
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
        "--host",
        default="127.0.0.1",
        help=say("address to listen on (default: %(default)s)", "监听地址（默认 %(default)s）"),
    )
    command.add_argument(
        "--port",
        type=_port,
        default=8080,
        help=say(
            "port, 0 for a free one (default: %(default)s)", "端口，0 表示任选空闲端口（默认 %(default)s）"
        ),
    )
    command.add_argument(
        "--quant",
        choices=("auto", "bf16", "f32", "int8", "int4"),
        default="auto",
        help=say(
            "precision of the weights (default: as stored, or 8 or 4 bits where that does not fit)",
            "权重精度（默认与文件一致，内存不足时用 8 位或 4 位）",
        ),
    )
    command.add_argument(
        "--kv-cache",
        choices=("auto", "bf16", "f32", "int8"),
        default="auto",
        help=say(
            "precision of the KV cache; int8 takes about half of bf16 (default: bf16, f32 with f32 weights)",
            "KV 缓存精度；int8 约为 bf16 的一半（默认 bf16，权重为 f32 时用 f32）",
        ),
    )
    command.add_argument(
        "--memory",
        type=_gibibytes,
        metavar="GIB",
        help=say(
            "memory the engine may use, in GiB (default: a share of what is free)",
            "引擎可用内存，单位 GiB（默认：空闲内存的一部分）",
        ),
    )
    _add_max_context(command, say)
    command.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help=say("threads of the engine (default: every available core)", "引擎线程数（默认：全部可用核心）"),
    )
    command.add_argument(
        "--no-cache",
        action="store_true",
        help=say(
            "quantise again instead of keeping 8 and 4 bit weights on the disk (see: wending cache)",
            "不在磁盘上保留 8 位和 4 位权重，每次重新量化（参见 wending cache）",
        ),
    )
    command.add_argument(
        "--max-gap",
        type=_positive,
        default=250,
        metavar="MS",
        help=say(
            "how long running streams may wait for a token while a long prompt is read, in ms "
            "(default: %(default)s)",
            "读入长提示时，正在生成的流等待下一个词元的最长时间，单位毫秒（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--no-speculation",
        action="store_true",
        help=say(
            "never guess tokens from the text (the answers are the same either way)",
            "不从上下文猜测词元（答案不变，只影响速度）",
        ),
    )
    command.add_argument(
        "--generation-config",
        choices=("none", "model"),
        default="none",
        help=say(
            "sampling values where a request has none: OpenAI's, or those of the model's "
            "generation_config.json (default: %(default)s)",
            "请求未给出采样参数时：none 用 OpenAI 的默认值，"
            "model 用模型的 generation_config.json（默认 %(default)s）",
        ),
    )
    _add_upstream(command, say)
    _add_operations(command, say)
    command.set_defaults(run=_serve, command_parser=command)


# Of an engine, and of a guard in front of an upstream: with one of them the others mean nothing.
_ENGINE_OPTIONS = (
    *("model", "quant", "kv_cache", "memory", "max_context", "threads"),
    *("no_cache", "max_gap", "no_speculation", "generation_config", "deadline", "log_prompts"),
)
_UPSTREAM_OPTIONS = ("upstream_model", "upstream_key_env", "guard_tries", "guard_deadline")


def _refuse_mixed_options(options: argparse.Namespace) -> None:
    """Ends the program if an option was given that would have no effect."""
    command: argparse.ArgumentParser = options.command_parser
    has_upstream = options.upstream is not None
    for name in _ENGINE_OPTIONS if has_upstream else _UPSTREAM_OPTIONS:
        if getattr(options, name) != command.get_default(name):
            shown = "MODEL" if name == "model" else "--" + name.replace("_", "-")
            command.error(f"{shown} cannot be used {'with' if has_upstream else 'without'} --upstream")


def _add_upstream(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--upstream",
        metavar="URL",
        help=say(
            "serve no model, but guard the JSON of this OpenAI-compatible API (key from $OPENAI_API_KEY)",
            "不加载模型，而是为该 OpenAI 兼容接口校验并修复 JSON 输出（密钥取自 $OPENAI_API_KEY）",
        ),
    )
    command.add_argument(
        "--upstream-model",
        metavar="NAME",
        help=say(
            "the upstream's only model to serve (default: all that it has)",
            "只提供上游的这一个模型（默认：上游的全部模型）",
        ),
    )
    command.add_argument(
        "--upstream-key-env",
        metavar="NAME",
        help=say(
            "environment variable that holds the upstream's key (default: OPENAI_API_KEY)",
            "存放上游密钥的环境变量（默认 OPENAI_API_KEY）",
        ),
    )
    command.add_argument(
        "--guard-tries",
        type=_positive,
        default=3,
        metavar="N",
        help=say(
            "how often an answer is asked for until its JSON is valid (default: %(default)s)",
            "JSON 无效时最多请求几次（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--guard-deadline",
        type=_seconds,
        default=60.0,
        metavar="S",
        help=say(
            "seconds within which an answer in JSON is there or given up (default: %(default)g)",
            "JSON 回答的最长等待时间，单位秒，超时即放弃（默认 %(default)g）",
        ),
    )


def _add_operations(command: argparse.ArgumentParser, say: Say) -> None:
    group = command.add_argument_group(
        say("operation (see docs/operations.md)", "运维（参见 docs/operations.md）")
    )
    group.add_argument(
        "--api-key-file",
        type=Path,
        metavar="FILE",
        help=say(
            "API keys, one a line: [NAME] KEY, # begins a comment (also WENDING_API_KEYS, with commas)",
            "API 密钥文件，每行一个：[名称] 密钥，# 后为注释（另可用 WENDING_API_KEYS，以逗号分隔）",
        ),
    )
    group.add_argument(
        "--max-requests",
        type=_positive,
        default=2048,
        metavar="N",
        help=say(
            "requests answered or waiting at once; more get 429 (default: %(default)s)",
            "同时处理或等待的请求数上限，超出返回 429（默认 %(default)s）",
        ),
    )
    group.add_argument(
        "--max-requests-per-key",
        type=_positive,
        metavar="N",
        help=say("the same for each key name (default: no limit)", "每个密钥名称的同样上限（默认不限）"),
    )
    group.add_argument(
        "--max-body",
        type=_positive,
        default=16,
        metavar="MIB",
        help=say(
            "largest body of a request, in MiB (default: %(default)s)",
            "请求体上限，单位 MiB（默认 %(default)s）",
        ),
    )
    group.add_argument(
        "--deadline",
        type=_seconds,
        metavar="S",
        help=say(
            "seconds in which an answer must be complete if the request has no deadline_s (default: none)",
            "回答须在多少秒内完成，请求自带 deadline_s 时以其为准（默认不限）",
        ),
    )
    group.add_argument(
        "--drain-seconds",
        type=_seconds,
        default=30.0,
        metavar="S",
        help=say(
            "how long running answers may go on after SIGTERM or Ctrl-C; a second one ends at once "
            "(default: %(default)g)",
            "收到 SIGTERM 或 Ctrl-C 后，未完成的回答最多再运行多少秒；再次收到则立即结束（默认 %(default)g）",
        ),
    )
    group.add_argument(
        "--tls-cert",
        type=Path,
        metavar="FILE",
        help=say("certificate chain in PEM: serve HTTPS", "PEM 证书链：以 HTTPS 提供服务"),
    )
    group.add_argument(
        "--tls-key", type=Path, metavar="FILE", help=say("its private key in PEM", "对应的 PEM 私钥")
    )
    group.add_argument(
        "--cors-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="ORIGIN",
        help=say(
            "let pages of this origin call the API, * for any; may be repeated (default: none)",
            "允许此来源的网页调用接口，* 表示任意来源；可多次给出（默认不允许）",
        ),
    )
    group.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help=say(
            "form of the log on standard error, one line a request (default: %(default)s)",
            "标准错误上日志的格式，每个请求一行（默认 %(default)s）",
        ),
    )
    group.add_argument(
        "--log-prompts",
        action="store_true",
        help=say("write prompts into the log too", "在日志中同时记录提示词"),
    )


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
        type=_temperature,
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


def _add_assess(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say, language: str
) -> None:
    summary = say(
        "put a model or an endpoint through the five scenarios and write the report",
        "让模型或服务接受五类场景的检验并写出报告",
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
    command.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=say(
            "checkpoint folder, or base URL of an OpenAI-compatible endpoint (default: the bundled model)",
            "模型文件夹，或 OpenAI 兼容服务的地址（默认：自带的演示模型）",
        ),
    )
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
        "--repeats",
        type=_positive,
        default=5,
        metavar="N",
        help=say("how often each item is asked (default: %(default)s)", "每题重复次数（默认 %(default)s）"),
    )
    command.add_argument(
        "--scenario",
        action="append",
        metavar="ID",
        help=say("only this scenario; may be repeated", "只做这个场景；可多次给出"),
    )
    command.add_argument(
        "--seed",
        type=_not_negative,
        default=1,
        metavar="N",
        help=say(
            "seed of the whole assessment (default: %(default)s)", "整个评测的随机种子（默认 %(default)s）"
        ),
    )
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
    command.add_argument(
        "--concurrency",
        type=_positive,
        default=4,
        metavar="N",
        help=say(
            "requests in flight during the scenarios (default: %(default)s)",
            "场景阶段的并发数（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--lang",
        choices=("en", "zh"),
        default=language,
        help=say(
            "language of progress and messages (default: %(default)s)", "进度与消息的语言（默认 %(default)s）"
        ),
    )
    command.set_defaults(run=_assess)


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
    _add_max_context(command, say)
    command.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        help=say("threads of the engine (default: every available core)", "引擎线程数（默认：全部可用核心）"),
    )
    command.add_argument(
        "--batch",
        type=_positive,
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
            type=_positive,
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
        type=_positive,
        default=100,
        metavar="N",
        help=say("how many requests (default: %(default)s)", "请求数（默认 %(default)s）"),
    )
    command.add_argument(
        "--seed",
        type=_not_negative,
        default=1,
        metavar="N",
        help=say("which requests these are (default: %(default)s)", "请求的随机种子（默认 %(default)s）"),
    )
    command.add_argument(
        "--only",
        type=_not_negative,
        metavar="K",
        help=say("just the request of this number", "只测这一个编号的请求"),
    )
    command.add_argument(
        "--threads",
        type=_positive,
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


def _add_max_context(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--max-context",
        type=_positive,
        metavar="N",
        help=say(
            "longest prompt and answer together, in tokens; YaRN is used above the model's native length "
            "(default: the checkpoint's own)",
            "提示词与回答合计的最大词元数；超过模型原生长度时使用 YaRN（默认与模型文件一致）",
        ),
    )


def _port(text: str) -> int:
    value = _not_negative(text)
    if value > 65535:
        raise argparse.ArgumentTypeError(f"{value} is not a port: 0 to 65535")
    return value


def _positive(text: str) -> int:
    value = _not_negative(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too small: 1 or more")
    return value


def _not_negative(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative")
    return value


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"{text} is out of range: 0 to 2")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is out of range: more than 0 and less than 1000000 seconds")
    return value


def _origin(text: str) -> str:
    if text != "*" and not re.fullmatch(r"https?://[^/\s]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an origin such as https://example.org, nor *")
    return text


def _gibibytes(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of GiB") from None
    if not 0 < value < 1 << 20:
        raise argparse.ArgumentTypeError(f"{text} GiB makes no sense as a memory limit")
    return int(value * (1 << 30))
