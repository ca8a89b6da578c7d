"""The first Ctrl-C ends a measurement in order; no later one ends the ending."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from wending.assess.signals import cancel_on_signals, pass_over_signals, signals_as_before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_later_signals_are_passed_over_until_all_is_written(number: signal.Signals) -> None:
    written = []

    async def measure() -> signal.Signals | None:
        ending = cancel_on_signals()
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            for each in (number, signal.SIGINT):
                os.kill(os.getpid(), each)
            await asyncio.sleep(0)  # a second cancellation would come here
        return ending.signal

    before = signal.getsignal(signal.SIGTERM)
    with signals_as_before():
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
        assert asyncio.run(measure()) == number
        os.kill(os.getpid(), number)
        written.append("report")
    assert written == ["report"]
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_under_nohup_the_closing_of_the_terminal_ends_nothing() -> None:
    async def measure() -> signal.Signals | None:
        ending = cancel_on_signals()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.05)
        return ending.signal

    with signals_as_before():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does before it starts the command
        assert asyncio.run(measure()) is None


def test_signals_are_passed_over_while_something_is_written() -> None:
    with signals_as_before():
        pass_over_signals()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
