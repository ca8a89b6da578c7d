"""The process that runs generated code: takes a job, locks itself in, runs the code, sends back values.

Two processes: the first enters new namespaces, starts the second and waits; the second, process 1 of its own
namespace, gives up its rights layer by layer and then runs the code. A layer the system does not offer is
left out; those active are reported.

What the expressions *should* give is not known here, so the code can find no expected value to hand back.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from . import landlock, namespaces, seccomp
from .libc import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, drop_capabilities, prctl

_NOBODY = 65534
_PRIVATE_WORK = "/sandbox"


def main(result: int) -> None:
    """Read the job from standard input, send results as JSON lines to the file descriptor ``result``."""
    job = json.load(sys.stdin)
    layers = ["own process", "empty environment", "temporary folder", "limits"]
    own_namespaces = user_namespace = False
    with suppress(OSError, AttributeError):
        user_namespace = namespaces.enter()
        own_namespaces = True
        layers.append("namespaces: process, network, mount, ipc" + (", user" if user_namespace else ""))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) % 256)
    lock_in(job, layers, own_namespaces)
    send(result, {"layers": layers})
    run(job["code"], job["expressions"], lambda message: send(result, message))
    sys.stdout.flush()
    os._exit(0)


def lock_in(job: dict[str, Any], layers: list[str], own_namespaces: bool) -> None:
    """Give up every right that can be given up; ``layers`` gains the names of the layers that hold."""
    limits = job["limits"]
    readable, work = job["readable"], job["work"]
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if own_namespaces:
        with suppress(OSError, KeyError):
            namespaces.private_root(job["base"], readable, _PRIVATE_WORK, limits["file_bytes"])
            work = _PRIVATE_WORK
            layers.append("private file system")
    os.chdir(work)
    for name, wanted in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(name)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(name, (value, value))
    if os.geteuid() == 0 and (work == _PRIVATE_WORK or _open_to_all(readable)):
        with suppress(OSError):
            os.chown(work, _NOBODY, _NOBODY)
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            layers.append("unprivileged user")
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        drop_capabilities()
        layers.append("no capabilities")
    with suppress(OSError):
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict(readable, ["."])
        layers.append(f"landlock {landlock.version()}")
    with suppress(OSError, KeyError):
        seccomp.restrict()
        layers.append("seccomp")


def run(code: str, expressions: list[str], report: Callable[[dict[str, Any]], None]) -> None:
    """Run the code as a module, then evaluate each expression in it; report one message for each."""
    module = types.ModuleType("answer")
    sys.modules["answer"] = module
    try:
        exec(compile(code, "<answer>", "exec"), module.__dict__)
    except BaseException as error:
        report({"failed": describe(error)})
        return
    for expression in expressions:
        try:
            value = eval(compile(expression, "<test>", "eval"), module.__dict__)
            report({"value": json.loads(json.dumps(value))})
        except BaseException as error:
            report({"error": describe(error)})


def describe(error: BaseException) -> str:
    """The exception's type and message in one short line."""
    text = ""
    with suppress(BaseException):
        text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def send(result: int, message: dict[str, Any]) -> None:
    """Write one JSON line."""
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(result, data) :]


def _open_to_all(folders: list[str]) -> bool:
    """May any user read these folders? An interpreter in root's own folder would lose its library."""
    for folder in folders:
        while folder != "/":
            if os.stat(folder).st_mode & 0o005 != 0o005:  # noqa: PTH116
                return False
            folder = os.path.dirname(folder)  # noqa: PTH120
    return True
