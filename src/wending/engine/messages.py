"""What the service's process and the engine's process say to each other.

Each message is an array that begins with a number for its kind, in msgpack; `channel.py` carries them. The
first message each way is Hello: both processes come from one installation, and where they do not, because it
was replaced while the service ran, that is said and nothing is misread.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wending.engine.budget import MemoryBudget
from wending.engine.client import CompletionDelta, EngineStats, ModelInfo
from wending.engine.errors import (
    CheckpointError,
    ContextNotAvailable,
    EngineDead,
    InvalidRequest,
    NotEnoughMemory,
)
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency
from wending.model.kv_cache import KVQuant
from wending.model.precision import Quant

PROTOCOL_VERSION = 3
"""To be raised with every change to a message."""


class Hello(msgspec.Struct, array_like=True, tag=0):
    """The first message each way. It keeps its form in all versions."""

    version: int = PROTOCOL_VERSION

    def check(self) -> None:
        """Raises EngineDead if the other side speaks another version."""
        if self.version != PROTOCOL_VERSION:
            raise EngineDead(
                f"the engine's process speaks version {self.version} of their protocol and the service's "
                f"process version {PROTOCOL_VERSION}: was wending replaced while it ran?"
            )


class Load(msgspec.Struct, array_like=True, tag=1):
    """Build an engine. The fields are the arguments of `load_engine`."""

    model: str | None
    quant: Quant = "auto"
    kv_cache: KVQuant = "auto"
    memory: int | None = None
    max_context: int | None = None
    threads: int | None = None
    cache: bool = True
    speculate: bool = True
    gap_s: float | None = None
    request_bytes: int = 0
    budget: MemoryBudget | None = None


class Reached(msgspec.Struct, array_like=True):
    """A Progress, with its token ids as bytes."""

    token_ids: bytes
    finished: bool


class Add(msgspec.Struct, array_like=True, tag=2):
    """Serve a request. `key` is never used twice."""

    key: str
    prompt_token_ids: bytes
    params: SamplingParams
    urgency: Urgency | None = None
    reached: list[Reached] = []
    waited_s: float = 0.0

    @property
    def prompt(self) -> array[int]:
        """The ids of the prompt's tokens."""
        return _ids(self.prompt_token_ids)

    @property
    def progress(self) -> list[Progress]:
        """How far each completion had come, or nothing for a request that begins."""
        return [Progress(_ids(one.token_ids), one.finished) for one in self.reached]


class Abort(msgspec.Struct, array_like=True, tag=3):
    """Drop a request, if it is still there."""

    key: str


class Stop(msgspec.Struct, array_like=True, tag=4):
    """End the process after the step it is in."""


class Planned(msgspec.Struct, array_like=True, tag=5):
    """The memory that the engine is going to take."""

    budget: MemoryBudget


class Loading(msgspec.Struct, array_like=True, tag=6):
    """Bytes of the weights that have been read, of so many."""

    done: int
    total: int


class Ready(msgspec.Struct, array_like=True, tag=7):
    """The engine takes requests."""

    info: ModelInfo
    budget: MemoryBudget


class LoadFailed(msgspec.Struct, array_like=True, tag=8):
    """There is no engine, and the process ends."""

    kind: str
    """The name of the exception's class."""
    message: str
    path: str = ""
    """Of a CheckpointError: the file or folder at fault."""

    @classmethod
    def of(cls, error: Exception) -> LoadFailed:
        """What an exception out of `load_engine` says."""
        if isinstance(error, CheckpointError):
            return cls("CheckpointError", error.message, str(error.path))
        for kind in _PLAIN_FAILURES:
            if isinstance(error, kind):
                return cls(kind.__name__, str(error))
        return cls(type(error).__name__, str(error))

    @property
    def is_expected(self) -> bool:
        """Whether the message alone explains it. Any other failure is a defect of this program."""
        return self.kind in {"CheckpointError", *(kind.__name__ for kind in _PLAIN_FAILURES)}

    def error(self) -> Exception:
        """The exception that `load_engine` raised; EngineDead in place of one that callers do not expect."""
        if self.kind == "CheckpointError":
            return CheckpointError(self.path, self.message)
        for kind in _PLAIN_FAILURES:
            if self.kind == kind.__name__:
                return kind(self.message)
        return EngineDead(f"the engine could not be loaded: {self.kind}: {self.message}")


class Step(msgspec.Struct, array_like=True, tag=9):
    """What a step gained, and the engine's state after it."""

    outputs: list[tuple[str, CompletionDelta]]
    stats: EngineStats


class Refused(msgspec.Struct, array_like=True, tag=10):
    """A request could not be added."""

    key: str
    field: str
    message: str
    code: str | None = None

    @classmethod
    def of(cls, key: str, error: InvalidRequest) -> Refused:
        return cls(key, error.field, error.message, error.code)

    def error(self) -> InvalidRequest:
        return InvalidRequest(self.field, self.message, self.code)


class Taken(msgspec.Struct, array_like=True, tag=12):
    """A request with a constraint was added: the constraint can be enforced. Of others nothing is said."""

    key: str


class Failed(msgspec.Struct, array_like=True, tag=11):
    """The engine has raised an exception, after which it cannot be trusted. The process ends."""

    message: str


Command = Hello | Load | Add | Abort | Stop
"""What the service's process says."""
Report = Hello | Planned | Loading | Ready | LoadFailed | Step | Taken | Refused | Failed
"""What the engine's process says."""

# The first that fits is taken: none is a kind of another one before it.
_PLAIN_FAILURES: tuple[type[Exception], ...] = (
    NotEnoughMemory,
    ContextNotAvailable,
    MemoryError,
    OSError,
    ValueError,
)


def add_message(
    key: str,
    prompt_token_ids: array[int],
    params: SamplingParams,
    urgency: Urgency | None = None,
    progress: Sequence[Progress] = (),
    waited_s: float = 0.0,
) -> Add:
    """The message that adds a request as `Engine.add_request` does."""
    reached = [Reached(array("i", one.token_ids).tobytes(), one.finished) for one in progress]
    return Add(key, prompt_token_ids.tobytes(), params, urgency, reached, waited_s)


def load_message(model: str | Path | None, **options: object) -> Load:
    """The message that loads a model as `load_engine` does."""
    return Load(None if model is None else str(model), **options)  # type: ignore[arg-type]


def _ids(octets: bytes) -> array[int]:
    ids = array("i")
    ids.frombytes(octets)
    return ids
