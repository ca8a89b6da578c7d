"""What a scripted endpoint is told to do: a small JSON file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args

import msgspec

from wending.assess.scripted.times import Times, smallest


class ScriptError(ValueError):
    """A script that cannot be followed; the message names the field."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that no script has is a mistake of spelling."""


class Answer(_Part, frozen=True):
    """Answers to requests whose last message contains `pattern`, a regular expression: one of `texts`, drawn.

    A text may hold groups of the pattern as \\1 or \\g<name>.
    """

    pattern: str
    texts: tuple[str, ...]


class Failures(_Part, frozen=True):
    """The share of requests, 0 to 1, that meet each of these.

    Those up to `bad_event` end a request without an answer and exclude each other. Those after it change
    the answer, where it has JSON or a date, or the request a system message.
    """

    http_error: float = 0.0
    """HTTP 500."""
    hang: float = 0.0
    """Never a byte."""
    reset: float = 0.0
    """The connection is reset before any byte."""
    cut_off: float = 0.0
    """The connection ends in the middle of the answer."""
    too_many_requests: float = 0.0
    """HTTP 429."""
    bad_request: float = 0.0
    """HTTP 400."""
    stall: float = 0.0
    """Nothing comes any more from the middle of the answer on."""
    no_end: float = 0.0
    """The stream ends in the middle of the answer as if it were whole, but without a finish_reason."""
    error_event: float = 0.0
    """An error inside the stream, in the middle of the answer."""
    bad_event: float = 0.0
    """An event that is not JSON, in the middle of the answer."""
    broken_json: float = 0.0
    """The last bracket is missing."""
    wrong_date: float = 0.0
    """The first date is one that no calendar has."""
    date_format: float = 0.0
    """The first date is written with slashes."""
    wrong_role: float = 0.0
    """The answer is that of an assistant that knows of no role."""
    truncated: float = 0.0
    """The answer ends after half of its tokens, with the finish_reason "length"."""
    empty: float = 0.0
    """The answer has no tokens."""


Fate = Literal[
    "answer", "http_error", "hang", "reset", "cut_off", "too_many_requests", "bad_request", "stall", "no_end",
    "error_event", "bad_event",
]  # fmt: skip
"""What becomes of a request: an answer, or one of the failures that exclude each other."""
FATES: tuple[Fate, ...] = get_args(Fate)[1:]
"""Those failures, in the order in which they are drawn."""


class Capacity(_Part, frozen=True):
    """How many requests are answered at full speed, and what becomes of those beyond."""

    streams: int
    beyond: Literal["queue", "slow", "refuse"] = "queue"
    """They wait until another has ended; all get slower in proportion; or they are answered 429."""


class UnderLoad(_Part, frozen=True):
    """With more than `streams` running, this share of answers is another one."""

    streams: int
    share: float = 1.0


class Script(_Part, frozen=True):
    """Every field may be left out: what is left is a fast endpoint without faults."""

    seed: int = 1
    model: str | None = "scripted"
    """Name in the model list; None: there is no such list."""
    max_model_len: int | None = None
    """What the model list says of the longest prompt and answer together; nothing is refused for it."""
    api_key: str | None = None
    """Requests without it are answered 401."""
    refused_fields: tuple[str, ...] = ()
    """Requests with one of these fields are answered 400."""
    usage: bool = True
    """Whether the tokens are counted where a request asks for it."""
    ttft_s: Times = 0.0
    """From the end of the request to the first token."""
    token_s: Times = 0.0
    """From one token to the next, on an absolute schedule: one that is late does not delay those after it."""
    tokens: int = 64
    """Length of an answer to which no pattern leads."""
    clock: bool = False
    """Every token is the time at which it is sent, in seconds of the machine's monotonic clock."""
    answers: tuple[Answer, ...] = ()
    failures: Failures = Failures()
    capacity: Capacity | None = None
    under_load: UnderLoad | None = None
    leak_bytes: int = 0
    """Memory that each request leaves behind."""
    drift_s_per_hour: float = 0.0
    """How much later the first token comes after each hour."""
    crash_after_s: float | None = None
    """The process ends with status 1, without a word."""

    def __post_init__(self) -> None:
        """Raises ValueError for what the types alone do not refuse."""
        for name in ("ttft_s", "token_s"):
            if smallest(getattr(self, name)) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        shares = {**msgspec.structs.asdict(self.failures)}
        if self.under_load is not None:
            shares["under_load.share"] = self.under_load.share
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {share}")
        exclusive = sum(shares[name] for name in FATES)
        if exclusive > 1:
            raise ValueError(f"{', '.join(FATES)} add up to {exclusive:g}, more than 1")
        if self.capacity is not None and self.capacity.streams < 1:
            raise ValueError(f"capacity.streams must be at least 1, got {self.capacity.streams}")
        for name in ("tokens", "leak_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        for answer in self.answers:
            if not answer.texts:
                raise ValueError(f"the answer to {answer.pattern!r} has no texts")
            try:
                re.compile(answer.pattern)
            except re.error as error:
                raise ValueError(f"pattern {answer.pattern!r}: {error}") from None


def parse_script(data: bytes | str) -> Script:
    """Raises ScriptError."""
    try:
        return msgspec.json.decode(data, type=Script)
    except (msgspec.DecodeError, ValueError) as error:
        raise ScriptError(str(error)) from None


def load_script(path: Path) -> Script:
    """Raises ScriptError, which names the file, and OSError."""
    try:
        return parse_script(path.read_bytes())
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from None
