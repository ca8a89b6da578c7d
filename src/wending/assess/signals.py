"""The signals by which a person or the system ends a measurement: in order, with what was measured."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_as_before() -> Iterator[None]:
    """After the block signals do what they did before it, whatever was set within."""
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            _set(number, handler)


class Ending:
    """`signal` is the one that ended the task, None until one has come."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None


def cancel_on_signals() -> Ending:
    """The first of the signals cancels the task that calls this. Those after it are passed over: impatience
    must not cost what was measured."""
    loop, task, ending = asyncio.get_running_loop(), asyncio.current_task(), Ending()

    def end(number: signal.Signals) -> None:
        for each in ENDING:
            # Taken from the loop, because its end would otherwise make them deadly again.
            loop.remove_signal_handler(each)
        pass_over_signals()
        ending.signal = number
        if task is not None:
            task.cancel()

    for number in ENDING:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup: it is to go on when the terminal is closed
        # Outside the main thread there are no signal handlers; the caller then ends the task its own way.
        with contextlib.suppress(RuntimeError, ValueError):
            loop.add_signal_handler(number, end, number)
    return ending


def pass_over_signals() -> None:
    """From now on, as while the report is written."""
    for number in ENDING:
        _set(number, signal.SIG_IGN)


def _set(number: signal.Signals, handler: object) -> None:
    with contextlib.suppress(ValueError, TypeError):
        signal.signal(number, handler)  # type: ignore[arg-type]
