"""What the assessment and its load processes say to each other: msgpack, each message after its length."""

from __future__ import annotations

import struct
from typing import Literal

import msgspec

from wending.assess.load.plan import LoadPlan
from wending.assess.load.record import RequestRecord

_LENGTH = struct.Struct("!I")
LENGTH_BYTES = _LENGTH.size


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the plan that is being carried out."""

    how: Literal["drain", "abort"]


class Overdue(msgspec.Struct, frozen=True, tag="overdue"):
    """A counted request, by its number in the plan, has no first token after the plan's patience."""

    number: int


class Counted(msgspec.Struct, frozen=True, tag="counted"):
    """All counted requests of this process are over."""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The plan is over. `loop_lags`: see LoopLag; `cpu_s`: processor time that it took this process."""

    loop_lags: list[float]
    cpu_s: float


ToProcess = LoadPlan | Stop
FromProcess = RequestRecord | Overdue | Counted | Ended


def pack(message: ToProcess | FromProcess) -> bytes:
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def length_of(head: bytes) -> int:
    """How many bytes follow."""
    (length,) = _LENGTH.unpack(head)
    return int(length)


to_process = msgspec.msgpack.Decoder(ToProcess)
from_process = msgspec.msgpack.Decoder(FromProcess)
