"""`wending serve`: its options, and the server that they ask for, with an engine or with an upstream."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from wending.cli.options import (
    Say,
    add_max_context,
    gibibytes,
    locale_language,
    not_negative,
    origin,
    port,
    positive,
    seconds,
)

if TYPE_CHECKING:
    from wending.serve.operations import Operations

# Of an engine, and of a guard in front of an upstream: with one of them the others mean nothing.
_ENGINE_OPTIONS = (
    *("model", "quant", "kv_cache", "memory", "max_context", "threads"),
    *("no_cache", "max_gap", "no_speculation", "generation_config", "deadline", "log_prompts"),
    *("context_policy", "restate_system"),
)
_UPSTREAM_OPTIONS = ("upstream_model", "upstream_key_env", "guard_tries", "guard_deadline")


def add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser], say: Say) -> None:
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
        type=port,
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
        type=gibibytes,
        metavar="GIB",
        help=say(
            "memory the engine may use, in GiB (default: a share of what is free)",
            "引擎可用内存，单位 GiB（默认：空闲内存的一部分）",
        ),
    )
    add_max_context(command, say)
    command.add_argument(
        "--threads",
        type=positive,
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
        type=positive,
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
    command.add_argument(
        "--context-policy",
        choices=("refuse", "drop-oldest"),
        default="refuse",
        help=say(
            "what happens to a conversation longer than the context: refused, or shown to the model without "
            "its oldest turns (default: %(default)s)",
            "对话超出上下文时：refuse 拒绝请求，drop-oldest 略去最早的几轮对话（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--restate-system",
        type=not_negative,
        default=0,
        metavar="K",
        help=say(
            "show the model the system prompt again every K turns, and when turns were left out "
            "(default: %(default)s, never)",
            "每 K 轮对话以及略去早期对话时，向模型重申系统提示词（默认 %(default)s，即不重申）",
        ),
    )
    _add_upstream(command, say)
    _add_operations(command, say)
    command.set_defaults(run=_serve, command_parser=command)


def _add_upstream(command: argparse.ArgumentParser, say: Say) -> None:
    command.add_argument(
        "--upstream",
        metavar="URL",
        help=say(
            "no model, but guard the JSON and calls of this OpenAI-compatible API (key: $OPENAI_API_KEY)",
            "不加载模型，而是为该 OpenAI 兼容接口校验并修复 JSON 输出和工具调用（密钥取自 $OPENAI_API_KEY）",
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
        type=positive,
        default=3,
        metavar="N",
        help=say(
            "how often an answer is asked for until its JSON and calls are valid (default: %(default)s)",
            "JSON 或工具调用无效时最多请求几次（默认 %(default)s）",
        ),
    )
    command.add_argument(
        "--guard-deadline",
        type=seconds,
        default=60.0,
        metavar="S",
        help=say(
            "seconds within which a guarded answer is there or given up (default: %(default)g)",
            "受校验回答的最长等待时间，单位秒，超时即放弃（默认 %(default)g）",
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
            "API keys, one a line: [NAME] KEY, # begins a comment (also WENDING_API_KEYS, with commas); "
            "SIGHUP reads them again",
            "API 密钥文件，每行一个：[名称] 密钥，# 后为注释（另可用 WENDING_API_KEYS，以逗号分隔）；"
            "收到 SIGHUP 时重新读取",
        ),
    )
    group.add_argument(
        "--max-requests",
        type=positive,
        default=2048,
        metavar="N",
        help=say(
            "requests answered or waiting at once; more get 429 (default: %(default)s)",
            "同时处理或等待的请求数上限，超出返回 429（默认 %(default)s）",
        ),
    )
    group.add_argument(
        "--max-requests-per-key",
        type=positive,
        metavar="N",
        help=say("the same for each key name (default: no limit)", "每个密钥名称的同样上限（默认不限）"),
    )
    group.add_argument(
        "--max-body",
        type=positive,
        default=16,
        metavar="MIB",
        help=say(
            "largest body of a request, in MiB (default: %(default)s)",
            "请求体上限，单位 MiB（默认 %(default)s）",
        ),
    )
    group.add_argument(
        "--deadline",
        type=seconds,
        metavar="S",
        help=say(
            "seconds in which an answer must be complete if the request has no deadline_s (default: none)",
            "回答须在多少秒内完成，请求自带 deadline_s 时以其为准（默认不限）",
        ),
    )
    group.add_argument(
        "--drain-seconds",
        type=seconds,
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
        help=say(
            "certificate chain in PEM: serve HTTPS; SIGHUP reads it again",
            "PEM 证书链：以 HTTPS 提供服务；收到 SIGHUP 时重新读取",
        ),
    )
    group.add_argument(
        "--tls-key", type=Path, metavar="FILE", help=say("its private key in PEM", "对应的 PEM 私钥")
    )
    group.add_argument(
        "--cors-origin",
        type=origin,
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


def _serve(options: argparse.Namespace) -> int:
    _refuse_mixed_options(options)
    if options.upstream is not None:
        return _serve_upstream(options)
    from wending.serve.conversation_settings import ConversationSettings
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
        conversation=ConversationSettings(options.context_policy, options.restate_system),
        operations=_operations(options),
        language=locale_language(),
    )


def _refuse_mixed_options(options: argparse.Namespace) -> None:
    """Ends the program if an option was given that would have no effect."""
    command: argparse.ArgumentParser = options.command_parser
    has_upstream = options.upstream is not None
    for name in _ENGINE_OPTIONS if has_upstream else _UPSTREAM_OPTIONS:
        if getattr(options, name) != command.get_default(name):
            shown = "MODEL" if name == "model" else "--" + name.replace("_", "-")
            command.error(f"{shown} cannot be used {'with' if has_upstream else 'without'} --upstream")


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
        language=locale_language(),
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
