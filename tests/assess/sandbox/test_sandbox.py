"""What the sandbox gives back, and what escape attempts get."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import psutil
import pytest

from wending.assess.sandbox import Limits, Outcome, SandboxError, SandboxResult, active_layers, run_python

QUICK = Limits(wall_seconds=60.0, cpu_seconds=1)


def attempt(code: str, limits: Limits = QUICK) -> SandboxResult:
    return run_python(textwrap.dedent(code), ["'still here'"], limits)


def kernel_confines() -> bool:
    """Does this system offer at least one of the layers that confine files, processes and network?"""
    return any(layer.startswith(("seccomp", "landlock", "private")) for layer in active_layers())


confined = pytest.mark.skipif(not kernel_confines(), reason="this system offers neither seccomp nor Landlock")


def test_values_and_exceptions_come_back() -> None:
    code = "def double(x):\n    return x * 2\n"
    result = run_python(
        code, ["double(2)", "double('a')", "double()", "(1, {'a': None})", "{1, 2}", "double([1.5])"]
    )
    assert result.ok
    assert result.reason == ""
    assert [outcome.value for outcome in result.outcomes] == [
        4,
        "aa",
        None,
        [1, {"a": None}],
        None,
        [1.5, 1.5],
    ]
    assert result.outcomes[2].error is not None
    assert result.outcomes[2].error.startswith("TypeError: double() missing 1 required positional argument")
    assert result.outcomes[4].error == "TypeError: Object of type set is not JSON serializable"


def test_output_is_kept_apart_from_results() -> None:
    result = run_python("import sys\nprint('out')\nprint('错误', file=sys.stderr)", ["1"])
    assert result.outcomes == (Outcome(1),)
    assert result.stdout == "out\n"
    assert result.stderr == "错误\n"


def test_layers_are_reported() -> None:
    layers = active_layers()
    assert {"own process", "empty environment", "temporary folder", "limits"} <= set(layers)
    assert run_python("").layers == layers


def test_the_standard_library_is_there_and_nothing_else() -> None:
    code = "import json, re, hashlib, random, datetime, collections, decimal, asyncio, dataclasses, sqlite3"
    assert run_python(code).reason == ""
    assert "ModuleNotFoundError" in run_python("import numpy").reason
    assert "ModuleNotFoundError" in run_python("import wending").reason


def test_dataclasses_and_main_guards_work_as_in_a_module() -> None:
    code = """
        from __future__ import annotations
        from dataclasses import dataclass, asdict
        @dataclass
        class Point:
            x: int
        if __name__ == "__main__":
            input()
    """
    assert run_python(textwrap.dedent(code), ["asdict(Point(3))"]).outcomes == (Outcome({"x": 3}),)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def f(:", "the code raised SyntaxError"),
        ("1 / 0", "the code raised ZeroDivisionError: division by zero"),
        ("def f():\n    return f()\nf()", "the code raised RecursionError"),
        ("import sys\nsys.exit(0)", "the code raised SystemExit: 0"),
        ("raise KeyboardInterrupt", "the code raised KeyboardInterrupt"),
        ("import os\nos._exit(0)", "ended with status 0 after 0 of 1 results"),
        ("import os\nos._exit(3)", "ended with status 3 after 0 of 1 results"),
        ("import os\nos.abort()", "ended by SIG"),
        ("import ctypes\nctypes.string_at(0)", "ended by SIGSEGV after 0 of 1 results"),
        (
            "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E",
            "the code raised E",
        ),
    ],
)
def test_ends_that_are_no_success(code: str, reason: str) -> None:
    result = run_python(code, ["1"], QUICK)
    assert not result.ok
    assert result.reason.startswith(reason)
    assert result.outcomes == ()


def test_results_before_an_early_end_are_kept() -> None:
    result = run_python("import os", ["1", "os._exit(0)", "3"], QUICK)
    assert result.outcomes == (Outcome(1),)
    assert result.reason == "ended with status 0 after 1 of 3 results"


def test_endless_loop_is_stopped() -> None:
    for code in ("while True: pass", "import time\ntime.sleep(1000)"):
        result = attempt(code, Limits(wall_seconds=1.0, cpu_seconds=5))
        assert result.reason == "ran longer than 1 s"


def test_processor_time_is_limited() -> None:
    result = attempt("while True: pass", Limits(wall_seconds=60, cpu_seconds=1))
    assert result.reason in ("ended by SIGKILL after 0 of 1 results", "ended by SIGXCPU after 0 of 1 results")


def test_memory_is_limited() -> None:
    assert attempt("x = bytearray(10**9)").reason == "the code raised MemoryError"


def test_output_is_limited() -> None:
    result = attempt("while True: print('x' * 1000)")
    assert result.reason == "wrote more than 65536 bytes"
    assert len(result.stdout) == 65536


def test_results_are_limited() -> None:
    assert run_python("", ["'x' * 10**7"], QUICK).reason == "wrote more than 65536 bytes"


def test_files_are_limited_in_size_and_number() -> None:
    assert "OSError" in attempt("open('big', 'wb').write(b'x' * 10**8)").reason
    assert "OSError" in attempt("kept = [open(str(n), 'w') for n in range(1000)]").reason


def test_the_environment_is_empty() -> None:
    os.environ["SECRET_FOR_TEST"] = "hidden"
    try:
        result = run_python("import os", ["dict(os.environ)"])
    finally:
        del os.environ["SECRET_FOR_TEST"]
    value = result.outcomes[0].value
    assert value == {} or set(value) == {"LC_CTYPE"}


def test_files_may_be_written_in_the_temporary_folder_which_then_goes() -> None:
    before = set(Path(tempfile.gettempdir()).glob("wending-sandbox-*"))
    code = "open('note', 'w').write('text')\nimport os"
    result = run_python(code, ["open('note').read()", "os.listdir('.')"])
    assert [outcome.value for outcome in result.outcomes] == ["text", ["note"]]
    assert set(Path(tempfile.gettempdir()).glob("wending-sandbox-*")) <= before


@confined
def test_fork_bomb_is_refused() -> None:
    before = len(psutil.pids())
    result = attempt("import os\nwhile True: os.fork()")
    assert not result.ok
    assert len(psutil.pids()) < before + 20


@confined
@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'])",
        "import os\nos.execv('/bin/sh', ['sh'])",
        "import os\nos.posix_spawn('/bin/sh', ['sh'], {})",
        "import os\nos.system('true') and 1 / 0",
        "import multiprocessing as m\np = m.Process(target=print)\np.start()",
        "import os\nos.kill(os.getppid(), 9) if os.getppid() else os.kill(-1, 9)",
        "import os\nos.kill(-1, 9)",
        "import os\nos.killpg(0, 9)",
        "import os\nos.setuid(0) if os.getuid() else open('/etc/shadow')",
        "import ctypes\nif ctypes.CDLL(None).prctl(1, 0, 0, 0, 0): raise OSError",
    ],
)
def test_processes_signals_and_privileges_are_refused(code: str) -> None:
    result = attempt(code)
    assert not result.ok
    assert "Error" in result.reason


@confined
@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.socket()",
        "import socket\nsocket.create_connection(('127.0.0.1', 80), 1)",
        "import socket\nsocket.socket(socket.AF_UNIX)",
        "import socket\nsocket.socketpair()",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1/', timeout=1)",
    ],
)
def test_the_network_is_out_of_reach(code: str) -> None:
    assert "Error" in attempt(code).reason


@confined
def test_files_outside_can_neither_be_read_nor_changed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("treasure")
    home = Path.home()
    for code in (
        f"open({str(secret)!r}).read()",
        f"import os\nos.listdir({str(tmp_path)!r})",
        f"import os\nos.listdir({str(home)!r})",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        f"import os\nos.remove({str(secret)!r})",
        f"import os\nos.truncate({str(secret)!r}, 0)",
        f"import os\nos.chmod({str(secret)!r}, 0)",
        f"import os\nos.rename({str(secret)!r}, {str(tmp_path / 'moved')!r})",
        f"import shutil\nshutil.rmtree({str(tmp_path)!r})",
        f"import os\nos.symlink({str(secret)!r}, 'link')\nopen('link').read()",
        "open('/etc/passwd').read()",
        "open('/proc/1/environ').read()",
        "open('/etc/passwd', 'a')",
    ):
        result = attempt(code)
        assert not result.ok, code
        assert "Error" in result.reason, code
    assert secret.read_text() == "treasure"
    assert list(tmp_path.iterdir()) == [secret]


def test_nothing_is_left_running() -> None:
    attempt("import time\ntime.sleep(1000)", Limits(wall_seconds=0.5))
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "inside.runner" in " ".join(child.cmdline())]


def test_a_large_job_is_taken() -> None:
    assert run_python("text = '" + "长" * 300_000 + "'", ["len(text)"]).outcomes == (Outcome(300_000),)


def test_surrogates_and_null_characters_do_not_break_it() -> None:
    assert run_python("x = '\ud800'", ["1"]).reason.startswith("the code raised")
    assert run_python("x = '\0'", ["1"]).reason.startswith("the code raised")


def test_a_sandbox_that_cannot_be_set_up_is_no_verdict_on_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match="ended with status 1"):
        run_python("x = 1")
    monkeypatch.setattr(sys, "executable", "/no/such/interpreter")
    with pytest.raises(SandboxError, match="no process could be started"):
        run_python("x = 1")


def test_limits_already_set_are_not_raised() -> None:
    code = (
        "import resource\nfrom wending.assess.sandbox import run_python\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n"
        "limit = 'resource.getrlimit(resource.RLIMIT_NOFILE)[1]'\n"
        "print(run_python('import resource', [limit]).outcomes[0].value)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert finished.stdout == "24\n"
