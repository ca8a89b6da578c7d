"""Runs generated Python in the sandbox and reads back what came of it, bounded in time and size.

Trust: the code gets expressions to evaluate and never the expected values. It can therefore print, write to
the result pipe or end the process as it likes: a value counts only if it equals one that is known on this
side alone.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wending.assess.bilingual import Bilingual
from wending.assess.sandbox.limits import Limits

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from inside.runner import main; "
    "del sys.path[0]; main(int(sys.argv[2]))"
)
_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")


class SandboxError(RuntimeError):
    """The sandbox could not be set up; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one expression gave: a value of JSON types (tuples come as lists), or the exception it raised."""

    value: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """``ok`` when the code ran to its end and every expression has an outcome; ``reason`` says why not.

    ``layers`` names the layers of protection that were active.
    """

    ok: bool
    reason: str
    outcomes: tuple[Outcome, ...]
    stdout: str
    stderr: str
    layers: tuple[str, ...]


def run_python(code: str, expressions: Sequence[str] = (), limits: Limits | None = None) -> SandboxResult:
    """Run ``code`` as a module in the sandbox, then evaluate ``expressions`` in it, one after the other.

    Blocks for at most about ``limits.wall_seconds``. Raises SandboxError when the sandbox itself could not be
    set up, so that nothing is known about the code.
    """
    limits = limits or Limits()
    base = Path(tempfile.mkdtemp(prefix="wending-sandbox-"))
    try:
        base.chmod(0o711)
        work, root = base / "work", base / "root"
        work.mkdir()
        root.mkdir()
        job = {
            "code": code,
            "expressions": list(expressions),
            "limits": asdict(limits),
            "readable": _readable_folders(),
            "base": str(root),
            "work": str(work),
        }
        return _run(json.dumps(job).encode(), len(expressions), work, limits)
    finally:
        shutil.rmtree(base, ignore_errors=True)


@cache
def active_layers() -> tuple[str, ...]:
    """The layers of protection that this system offers, found by an empty run."""
    return run_python("").layers


def _run(job: bytes, expected: int, work: Path, limits: Limits) -> SandboxResult:
    result_read, result_write = os.pipe()
    interpreter = [sys.executable, "-I", "-S", "-B", "-X", "utf8"]
    try:
        process = subprocess.Popen(
            [*interpreter, "-c", _START, str(Path(__file__).parent), str(result_write)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(result_write,),
            env={},
            cwd=work,
            start_new_session=True,
        )
    except OSError as error:
        os.close(result_read)
        raise SandboxError(f"no process could be started: {error}") from None
    finally:
        os.close(result_write)
    with process, os.fdopen(result_read, "rb", buffering=0) as results:
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        if stdin is None or stdout is None or stderr is None:
            raise SandboxError("no pipes to the process")
        with suppress(BrokenPipeError), stdin:
            stdin.write(job)
        stopped, texts = _read([stdout.fileno(), stderr.fileno(), results.fileno()], limits)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return _result(stopped, process.returncode, expected, *texts)


def _read(streams: Sequence[int], limits: Limits) -> tuple[str, list[bytes]]:
    """Read until all streams end, the time is up or one is too long; (why it was stopped or "", contents)."""
    deadline = time.monotonic() + limits.wall_seconds
    buffers = dict.fromkeys(streams, b"")
    stopped = ""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map() and not stopped:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                stopped = Bilingual(
                    f"ran longer than {limits.wall_seconds:g} s", f"运行超过 {limits.wall_seconds:g} 秒"
                )
            for key, _ in selector.select(max(0.0, remaining)):
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fd)
                buffers[key.fd] += data
                if len(buffers[key.fd]) > limits.output_bytes:
                    stopped = Bilingual(
                        f"wrote more than {limits.output_bytes} bytes", f"输出超过 {limits.output_bytes} 字节"
                    )
    return stopped, [buffers[stream][: limits.output_bytes] for stream in streams]


def _result(
    stopped: str, exit_status: int, expected: int, stdout: bytes, stderr: bytes, lines: bytes
) -> SandboxResult:
    layers: tuple[str, ...] = ()
    outcomes: list[Outcome] = []
    reason = stopped
    errors = stderr.decode(errors="replace")
    for line in lines.splitlines():
        match _message(line):
            case {"layers": [*names]} if not layers:
                layers = tuple(map(str, names))
            case {"failed": str(failure)}:
                reason = reason or Bilingual(f"the code raised {failure}", f"代码抛出 {failure}")
            case {"value": value}:
                outcomes.append(Outcome(value))
            case {"error": str(error)}:
                outcomes.append(Outcome(error=error))
    if not layers:
        raise SandboxError(stopped or f"{_ending(exit_status)}: {' '.join(errors.split())[-300:]}")
    if not reason and (exit_status != 0 or len(outcomes) < expected):
        ending, count = _ending(exit_status), len(outcomes)
        reason = Bilingual(
            f"{ending} after {count} of {expected} results",
            f"{expected} 项结果得到 {count} 项后结束（{ending}）",
        )
    return SandboxResult(
        ok=not reason,
        reason=reason,
        outcomes=tuple(outcomes[:expected]),
        stdout=stdout.decode(errors="replace"),
        stderr=errors,
        layers=layers,
    )


def _message(line: bytes) -> Any:
    """A line of the result pipe; None where the code wrote something else into it."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _ending(exit_status: int) -> str:
    """How the process ended; the process that watches hands a signal on as 256 minus its number."""
    if exit_status > 192:
        number = 256 - exit_status
        try:
            return f"ended by {signal.Signals(number).name}"
        except ValueError:
            return f"ended by signal {number}"
    return f"ended with status {exit_status}"


@cache
def _readable_folders() -> list[str]:
    """What the interpreter needs to import the standard library; of nested folders only the outer one."""
    library = Path(sys.base_prefix) / "lib"
    standard = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    paths = [*map(Path, standard), library, *map(Path, _SYSTEM_LIBRARIES)]
    folders = {path for path in paths if path.is_dir()}
    return sorted(str(path) for path in folders if not folders & set(path.parents))
