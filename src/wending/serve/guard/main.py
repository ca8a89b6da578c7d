"""`wending serve --upstream URL`: from a URL to a running guard, and to its orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import uvloop

from wending.serve.api_keys import BadKeys
from wending.serve.guard.app import create_guard_app
from wending.serve.guard.guard_service import GuardService, GuardSettings
from wending.serve.guard.health_endpoint import upstream_problem
from wending.serve.guard.upstream import InvalidUpstream, Upstream
from wending.serve.guard.upstream_failure import UpstreamFailure
from wending.serve.http_server import HTTPServer
from wending.serve.last_resort import LastResort
from wending.serve.listening_socket import CannotListen
from wending.serve.opening import END_AFTER_DRAIN_S, END_AT_ONCE_S, opening
from wending.serve.operations import Operations
from wending.serve.reload import Reload
from wending.serve.start_up_output import StartUpOutput
from wending.serve.tls import BadTLSFiles

DEFAULT_KEY_ENV = "OPENAI_API_KEY"


class NoKey(Exception):  # noqa: N818
    """The environment variable that was named for the upstream's key is not set."""


def run_guard(
    url: str,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    settings: GuardSettings,
    key_env: str | None = None,
    operations: Operations | None = None,
    language: str = "en",
) -> int:
    """Serve the guard in front of the API at `url` until SIGTERM or SIGINT.

    `port` 0 is any free one. The upstream's key is read from the environment variable `key_env`, which must
    be set; without it from OPENAI_API_KEY, if that is. `language` of the output: "en" or "zh". The result is
    the exit code: 0, or 1 after a failure, which one line on standard error explains.
    """
    operations = operations or Operations()
    last_resort = LastResort()
    try:
        upstream = Upstream(url, _key(key_env))
        with opening(host, port, operations, language) as (bound, own_url, output, keys):
            service = GuardService(upstream, settings, operations)
            server = HTTPServer(create_guard_app(service, keys), service)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                reload = Reload(operations, keys, server.certificate)
                runner.run(_serve(bound, own_url, server, service, output, last_resort, reload))
    except (BadKeys, BadTLSFiles, CannotListen, InvalidUpstream, NoKey, OSError) as error:
        print(f"wending serve: {error}", file=sys.stderr)
        return 1
    finally:
        last_resort.disarm()
    return 0


def _key(key_env: str | None) -> str | None:
    key = os.environ.get(key_env or DEFAULT_KEY_ENV, "").strip()
    if key_env is not None and not key:
        raise NoKey(f"--upstream-key-env names {key_env}, which is not set")
    return key or None


async def _serve(
    bound: socket.socket,
    url: str,
    server: HTTPServer,
    service: GuardService,
    output: StartUpOutput,
    last_resort: LastResort,
    reload: Reload,
) -> None:
    def stop() -> None:
        drained_s = service.operations.drain_s + END_AFTER_DRAIN_S
        last_resort.arm(END_AT_ONCE_S if service.draining else drained_s)
        server.stop()

    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    reload.listen()
    announcing = asyncio.create_task(_announce(output, service, url))
    await server.serve(sockets=[bound])
    announcing.cancel()
    await asyncio.gather(announcing, return_exceptions=True)


async def _announce(output: StartUpOutput, service: GuardService, url: str) -> None:
    """Whether the upstream answers is said, but not waited for: it may come later."""
    try:
        problem = await upstream_problem(service)
        reason = problem and problem["reason"]
    except UpstreamFailure as error:
        reason = error.error.message
    if reason:
        output.say(f"Not ready yet: {reason}", f"上游尚未就绪：{reason}")
    output.say(
        f"Serving {service.upstream.url} on {url} (chat page: {url}/, API: {url}/v1), JSON and calls guarded",
        f"{service.upstream.url} 已就绪：{url}（聊天页面：{url}/，接口：{url}/v1），JSON 和工具调用受保护",
    )
