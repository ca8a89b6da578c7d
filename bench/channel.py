"""What it costs a step of the engine that it runs in a process of its own.

    python bench/channel.py

One process sends steps as the engine's does, two thousand a second at most, and another receives them in an
event loop as the service's does. For each number of deltas in a step: the time that the engine's process
spends beyond the computation (looking for commands, the flight record, encoding, sending), the time that the
service's process spends (decoding), and the time from the one to the other, beside what a thread of the same
process takes for it with call_soon_threadsafe. Medians in microseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

import uvloop

from wending.engine.channel import BlockingChannel, ReportStream, command_decoder
from wending.engine.client import CompletionDelta, EngineStats, TokenLogprob, TopLogprob
from wending.engine.flight_record import FlightRecord
from wending.engine.messages import Report, Step

PAUSE_S = 0.0005


def step_of(deltas: int, logprobs: bool) -> Step:
    """A step in which each of so many sequences got a token."""
    top = [TopLogprob(number, " word", list(b" word"), -1.5) for number in range(5)]
    logprob = [TokenLogprob(7, " word", list(b" word"), -0.5, top)] if logprobs else None
    outputs = [
        (f"{1000 + number}/1", CompletionDelta(0, " word", [12345 + number], logprob, seed=2**50 + number))
        for number in range(deltas)
    ]
    return Step(outputs, EngineStats(deltas, 3, 500, 1000, 10**6, time.monotonic()))


def send_steps(fd: int, record_fd: int, deltas: int, logprobs: bool, steps: int) -> None:
    """In a process of its own: the engine's side. Prints when each step began to be sent, and its cost."""
    channel = BlockingChannel(socket.socket(fileno=fd), command_decoder)
    record = FlightRecord(record_fd)
    step = step_of(deltas, logprobs)
    keys = [key for key, _ in step.outputs]
    begun, costs = [], []
    for _ in range(steps):
        time.sleep(PAUSE_S)
        start = time.perf_counter()
        channel.receive(wait=False)
        record.begin_computing(keys)
        record.end_computing()
        channel.send(step)
        costs.append(time.perf_counter() - start)
        begun.append(start)
    print(json.dumps([begun, costs]))


async def receive_steps(deltas: int, logprobs: bool, steps: int) -> tuple[list[float], ...]:
    """In the event loop: costs of the engine's process and of this one, and times between, in seconds."""
    ours, theirs = socket.socketpair()
    record = FlightRecord.create()
    arrived: list[float] = []
    costs: list[float] = []
    done = asyncio.Event()

    def receive(_report: Report) -> None:
        arrived.append(time.perf_counter())
        if len(arrived) == steps:
            done.set()

    class Timed(ReportStream):
        def data_received(self, data: bytes) -> None:
            start = time.perf_counter()
            super().data_received(data)
            costs.append(time.perf_counter() - start)

    stream = Timed(receive)
    await asyncio.get_running_loop().create_unix_connection(lambda: stream, sock=ours)
    arguments = [theirs.fileno(), record.fd, deltas, int(logprobs), steps]
    sender = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--sender", *map(str, arguments),
        stdout=subprocess.PIPE, pass_fds=arguments[:2],
    )  # fmt: skip
    theirs.close()
    await done.wait()
    output, _ = await sender.communicate()
    os.close(record.fd)
    begun, sending = json.loads(output)
    return sending, costs, [end - start for start, end in zip(begun, arrived, strict=True)]


async def through_a_thread(deltas: int, logprobs: bool, steps: int) -> list[float]:
    """The same within one process: times between, in seconds."""
    loop = asyncio.get_running_loop()
    outputs = step_of(deltas, logprobs).outputs
    between: list[float] = []

    def receive(start: float, _outputs: object) -> None:
        between.append(time.perf_counter() - start)

    def send() -> None:
        for _ in range(steps):
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            loop.call_soon_threadsafe(receive, start, outputs)

    thread = threading.Thread(target=send)
    thread.start()
    while thread.is_alive() or len(between) < steps:
        await asyncio.sleep(0.01)
    return between


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--sender", nargs=5, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sender:
        fd, record_fd, deltas, logprobs, steps = options.sender
        send_steps(fd, record_fd, deltas, bool(logprobs), steps)
        return
    print("deltas            engine's process  service's process  from one to the other  (in a thread)")
    for deltas, logprobs in ((1, False), (16, False), (64, False), (16, True)):
        sending, receiving, between = uvloop.run(receive_steps(deltas, logprobs, options.steps))
        thread_between = uvloop.run(through_a_thread(deltas, logprobs, options.steps))
        medians = (statistics.median(times) * 1e6 for times in (sending, receiving, between, thread_between))
        name = f"{deltas}{' with logprobs' if logprobs else ''}"
        print("{:16}{:15.1f} us{:16.1f} us{:20.1f} us{:12.1f} us".format(name, *medians))


if __name__ == "__main__":
    main()
