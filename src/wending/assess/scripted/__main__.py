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


async def _serve(script: Script, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
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
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(chosen, options.host, options.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
