"""`python -m wending.assess.scripted --port N [--script FILE]`: serve until stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import uvloop

from wending.assess.scripted.script import Script, ScriptError, load_script, parse_script
from wending.assess.scripted.server import ScriptedServer
from wending.assess.sockets import allow_as_many_sockets_as_possible


class _UntilClosed(asyncio.Protocol):
    """Standard input: nothing is read from it, but it ends with whoever started this process."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, _: Exception | None) -> None:
        self._stop.set()


async def _serve(script: Script, host: str, port: int, until_input_ends: bool) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_input_ends:
        await loop.connect_read_pipe(lambda: _UntilClosed(stop), sys.stdin)
    async with ScriptedServer(script, port, host) as server:
        print(server.base_url, flush=True)
        await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m wending.assess.scripted",
        description="An OpenAI-compatible endpoint that behaves as a script says; prints its base URL.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: one that the system chooses")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input is closed")
    script = parser.add_mutually_exclusive_group()
    script.add_argument("--script", type=Path, metavar="FILE", help="JSON; see docs/scripted-endpoint.md")
    script.add_argument("--json", metavar="TEXT", help="the script itself")
    options = parser.parse_args()
    try:
        if options.script is not None:
            chosen = load_script(options.script)
        else:
            chosen = parse_script(options.json) if options.json is not None else Script()
    except (ScriptError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    allow_as_many_sockets_as_possible()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(chosen, options.host, options.port, options.until_input_ends))
    return 0


if __name__ == "__main__":
    sys.exit(main())
