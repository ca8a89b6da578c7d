"""Ends the process when an orderly end takes too long, as in the middle of a long step of the engine."""

from __future__ import annotations

import os
import sys
import threading


class LastResort:
    """Off until `arm`. While it is armed, the process ends with exit code 0 when the time is up."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def arm(self, after_s: float) -> None:
        """End the process after this many seconds, whatever an earlier call said."""
        self.disarm()
        self._timer = threading.Timer(after_s, _exit)
        self._timer.daemon = True
        self._timer.start()

    def disarm(self) -> None:
        """The orderly end has come in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _exit() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
