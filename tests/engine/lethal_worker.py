"""The engine's process with a model that dies of certain prompts: three times the same of these token ids.

    python lethal_worker.py FLAG CHANNEL RECORD

With a FLAG other than "-", it dies only while no file of that name exists, and makes one first.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from wending.engine.load import LoadedEngine, load_engine
from wending.engine.worker import run

FAULT, SENT_TO_ITSELF, EXCEPTION, HANG, EXIT, KILL = range(270, 276)


def prompt_of(token_id: int, length: int = 6) -> list[int]:
    """A prompt that kills in that way."""
    return [token_id] * 3 + [1] * (length - 3)


def die(token_id: int) -> None:
    if token_id == FAULT:
        ctypes.string_at(0)
    elif token_id == SENT_TO_ITSELF:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)
    elif token_id == EXCEPTION:
        raise FloatingPointError("this prompt is too much")
    elif token_id == HANG:
        time.sleep(3600)
    elif token_id == EXIT:
        os._exit(7)
    elif token_id == KILL:
        os.kill(os.getpid(), signal.SIGKILL)


def load(*arguments: Any, **options: Any) -> LoadedEngine:
    loaded = load_engine(*arguments, **options)
    model: Any = loaded.engine.model
    forward = model.forward
    flag = None if sys.argv[1] == "-" else Path(sys.argv[1])

    def lethal_forward(batch: Any, cache: Any) -> Any:
        ids = np.asarray(batch.token_ids)
        triples = ids[2:][(ids[2:] == ids[1:-1]) & (ids[1:-1] == ids[:-2]) & (ids[2:] >= FAULT)]
        if len(triples) and not (flag and flag.exists()):
            if flag:
                flag.touch()
            die(int(triples[0]))
        return forward(batch, cache)

    model.forward = lethal_forward
    return loaded


if __name__ == "__main__":
    sys.exit(run(sys.argv[2:], load))
