"""`wending serve`: from a checkpoint to a running service, and to its orderly end.

The port is bound first, so that it is ours and /health answers while the weights are read in another thread.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import uvloop
from fastapi import FastAPI

from wending.engine.budget import MemoryBudget
from wending.engine.client import EngineClient, ModelInfo
from wending.engine.errors import (
    CheckpointError,
    ContextNotAvailable,
    EngineDead,
    InvalidRequest,
    NotEnoughMemory,
)
from wending.engine.load import DEFAULT_GAP_S
from wending.engine.process_client import load_client
from wending.serve.api_keys import ApiKeys, BadKeys
from wending.serve.app import create_app
from wending.serve.conversation_settings import ConversationSettings
from wending.serve.http_server import HTTPServer
from wending.serve.last_resort import LastResort
from wending.serve.listening_socket import CannotListen
from wending.serve.opening import END_AFTER_DRAIN_S, END_AT_ONCE_S, opening
from wending.serve.operations import Operations
from wending.serve.reload import Reload
from wending.serve.service import DefaultsOf, Service
from wending.serve.start_up_output import StartUpOutput
from wending.serve.tls import BadTLSFiles

END_WHILE_STARTING_S = 1.0  # as those in opening.py, where there is nothing to complete

# Failures that one line explains. Any other is a defect of this program, and where it happened is shown.
EXPECTED_FAILURES = (
    *(BadKeys, BadTLSFiles, CannotListen, CheckpointError, ContextNotAvailable, EngineDead),
    *(InvalidRequest, MemoryError, NotEnoughMemory, OSError),
)

Load = Callable[[], EngineClient]


def run_server(
    model: Path | None,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    quant: Literal["auto", "bf16", "f32", "int8", "int4"] = "auto",
    kv_cache: Literal["auto", "bf16", "f32", "int8"] = "auto",
    memory: int | None = None,
    max_context: int | None = None,
    threads: int | None = None,
    cache: bool = True,
    speculate: bool = True,
    gap_s: float = DEFAULT_GAP_S,
    operations: Operations | None = None,
    generation_config: DefaultsOf = "none",
    conversation: ConversationSettings | None = None,
    language: str = "en",
) -> int:
    """Serve the checkpoint `model`, a folder or a GGUF file (None: the bundled one), until SIGTERM or SIGINT.

    `port` 0 is any free one. `memory`: the bytes that the engine may take. `threads`: how many compute.
    `cache`: whether quantised weights are kept on the disk, or taken from there. `max_context`, `speculate`,
    `gap_s`: see `load_engine`. `generation_config`: whose sampling values count where a request has none:
    OpenAI's ("none") or those of generation_config.json ("model"). `conversation`: the same for the care of
    conversations. `language` of the output: "en" or "zh".
    The result is the exit code: 0, or 1 after a failure, which one line on standard error explains.
    """
    operations = operations or Operations()
    last_resort = LastResort()
    try:
        if model is not None:
            _check_path(model)
        with opening(host, port, operations, language) as (bound, url, output, keys):
            load = partial(
                load_client,
                model,
                quant=quant,
                kv_cache=kv_cache,
                memory=memory,
                max_context=max_context,
                threads=threads,
                cache=cache,
                speculate=speculate,
                gap_s=gap_s,
                max_requests=operations.max_requests,
                progress=output.loading,
                on_budget=partial(_show_budget, output),
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                aliases = [] if model is None else [str(model)]
                app = create_app(
                    aliases=aliases,
                    operations=operations,
                    keys=keys,
                    generation_config=generation_config,
                    conversation=conversation,
                )
                runner.run(_serve(app, bound, url, load, output, last_resort, keys))
    except EXPECTED_FAILURES as error:
        reason = " ".join(str(error).split()) or "not enough memory"  # MemoryError may have no message
        print(f"wending serve: {reason}", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        last_resort.disarm()
    return 0


def _check_path(model: Path) -> None:
    """Raises CheckpointError if `model` cannot be a checkpoint, before anything else is begun."""
    if not model.exists():
        raise CheckpointError(model, "there is no such folder or file")
    if model.is_file() and model.suffix.lower() == ".gguf":
        return
    if not model.is_dir():
        raise CheckpointError(
            model, "is neither a folder with config.json and weights nor a file whose name ends in .gguf"
        )
    if not (model / "config.json").is_file():
        raise CheckpointError(model, "holds no config.json, so it is not a checkpoint folder")


async def _serve(
    app: FastAPI,
    bound: socket.socket,
    url: str,
    load: Load,
    output: StartUpOutput,
    last_resort: LastResort,
    keys: ApiKeys,
) -> None:
    """Serve until told to stop. Raises what goes wrong in starting the engine."""
    service: Service = app.state.service
    server = HTTPServer(app, service)

    def stop() -> None:
        is_serving = service.status()[0] in ("ok", "restarting")
        drained_s = service.operations.drain_s + END_AFTER_DRAIN_S
        last_resort.arm(
            END_AT_ONCE_S if service.draining else drained_s if is_serving else END_WHILE_STARTING_S
        )
        output.interrupt()
        server.stop()

    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    Reload(service.operations, keys, server.certificate).listen()
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    starting = asyncio.create_task(_start_engine(service, load))
    try:
        await asyncio.wait((serving, starting), return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and not service.draining:  # else it may have been interrupted
            _announce(output, starting.result(), url, service.sampling_defaults())
            await serving
    finally:
        server.should_exit = True
        await serving
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)


async def _start_engine(service: Service, load: Load) -> ModelInfo:
    client = await asyncio.to_thread(load)
    await service.attach(client)
    return client.info


def _show_budget(output: StartUpOutput, budget: MemoryBudget) -> None:
    output.lines(budget.lines(output.language))


def _announce(
    output: StartUpOutput, info: ModelInfo, url: str, defaults: Mapping[str, float] | None = None
) -> None:
    if info.is_demo:
        output.say(
            "This is the demonstration model of wending: very small, made to show how everything works. "
            "It is not Qwen2.5-7B.",
            "这是 wending 自带的演示模型：非常小，只用来展示整个流程，并不是 Qwen2.5-7B。",
        )
    if info.weights_from_cache:
        output.say(
            "The quantised weights came from the cache (`wending cache` lists it).",
            "量化权重取自缓存（用 `wending cache` 查看）。",
        )
    if defaults:
        values = ", ".join(f"{name} {value:g}" for name, value in defaults.items())
        output.say(
            f"Sampling values from generation_config.json, where a request has none: {values}",
            f"请求未给出采样参数时，采用 generation_config.json 的值：{values}",
        )
    output.say(
        f"Serving {info.name} on {url} (chat page: {url}/, API: {url}/v1)",
        f"{info.name} 已就绪：{url}（聊天页面：{url}/，接口：{url}/v1）",
    )
