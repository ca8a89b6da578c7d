"""How long /health takes while a crowd of requests comes at once.

    python bench/health.py                    starts `wending serve` with the bundled model
    python bench/health.py URL                a running server

In each round a process of its own sends all requests at once, half of them streams, and waits until all are
answered. Meanwhile another asks for /health, over one connection, 5 ms after each answer. Times are the
asker's, in milliseconds; they hold what the machine is busy with besides.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import aiohttp

PAUSE_S = 0.005


async def crowd(url: str, requests: int, tokens: int) -> Counter[int]:
    """Ask all at once; how often each status came."""
    model = json.loads(await _get(f"{url}/v1/models"))["data"][0]["id"]

    async def ask(session: aiohttp.ClientSession, number: int) -> int:
        messages = [{"role": "user", "content": f"Hello {number}, how are you today?"}]
        body = {"model": model, "messages": messages, "stream": number % 2 == 0, "max_tokens": tokens}
        async with session.post("/v1/chat/completions", json=body) as response:
            await response.read()
            return response.status

    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(None)
    async with aiohttp.ClientSession(url, connector=connector, timeout=timeout) as session:
        return Counter(await asyncio.gather(*(ask(session, number) for number in range(requests))))


async def _get(url: str) -> str:
    async with aiohttp.request("GET", url) as response:
        return await response.text()


def watch(url: str, asking: subprocess.Popen[str]) -> list[float]:
    """The time of each look at /health in ms, until the crowd has gone."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    times = []
    while asking.poll() is None:
        begin = time.perf_counter()
        connection.request("GET", "/health")
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - begin) * 1e3)
        if response.status != 200:
            raise SystemExit(f"/health: status {response.status}")
        time.sleep(PAUSE_S)
    return sorted(times)


@contextmanager
def served() -> Iterator[str]:
    """The URL of a server of the bundled model."""
    command = [sys.executable, "-m", "wending", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            for line in process.stdout or ():
                if "Serving" in line and (found := re.search(r"http://[\d.:]+\d", line)):
                    yield found.group()
                    break
            else:
                raise SystemExit("the server has not started")
        finally:
            process.terminate()


def rounds(url: str, options: argparse.Namespace) -> None:
    arguments = ["--crowd", "--requests", str(options.requests), "--tokens", str(options.tokens)]
    for _ in range(options.rounds):
        command = [sys.executable, __file__, url, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
            times = watch(url, asking)
            statuses = asking.stdout.read().strip() if asking.stdout else ""
        median, rare = times[len(times) // 2], times[int(len(times) * 0.99)]
        print(
            f"{len(times)} looks: median {median:.1f}, 99 % {rare:.1f}, "
            f"longest {times[-1]:.1f} ms; {statuses}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", help="base URL of a running server")
    parser.add_argument("--requests", type=int, default=1280, help="at once")
    parser.add_argument("--tokens", type=int, default=16, help="most of an answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--crowd", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.crowd:
        counts = asyncio.run(crowd(options.url, options.requests, options.tokens))
        print(", ".join(f"{count} answered {status}" for status, count in sorted(counts.items())))
    elif options.url:
        rounds(options.url, options)
    else:
        with served() as url:
            rounds(url, options)


if __name__ == "__main__":
    main()
