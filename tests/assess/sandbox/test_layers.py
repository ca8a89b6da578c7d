"""Layers that a system does not offer are left out, and the others still hold, for root and for ordinary
users.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from wending.assess.sandbox import active_layers
from wending.assess.sandbox.inside import seccomp

UNSHARE, PRCTL = {"x86_64": (272, 157), "aarch64": (97, 167)}.get(platform.machine(), (0, 0))
LANDLOCK_CREATE_RULESET = 444
NO_NAMESPACES = [UNSHARE, None]
NO_LANDLOCK = [LANDLOCK_CREATE_RULESET, None]
NO_SECCOMP = [PRCTL, 22]

PROCESSES = [
    "import os\nwhile True: os.fork()",
    "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'true'])",
    "import os\nos.kill(int(PARENT), 0)",
]
NETWORK = ["import socket\nsocket.socket().connect(('127.0.0.1', PORT))"]
FILES = [
    "open(SECRET).read()",
    "open(SECRET, 'a').write('x')",
    "import os\nos.remove(SECRET)",
    "import os\nos.listdir(FOLDER)",
]
CHANGES = ["import os\nos.chmod(SECRET, 0)", "import os\nos.truncate(SECRET, 0)"]

full = pytest.mark.skipif(
    len(
        [
            layer
            for layer in active_layers()
            if layer.startswith(("namespaces", "private", "landlock", "seccomp"))
        ]
    )
    < 4,
    reason=f"this system offers only: {', '.join(active_layers())}",
)


def attempts(
    refused: list[list[int | None]], user: str, codes: list[str], folder: Path
) -> tuple[list[str], list[str]]:
    """Try the codes with these system calls refused; the layers that were active, and what became of each
    code.
    """
    secret = folder / "secret"
    secret.write_text("treasure")
    names = {
        "SECRET": repr(str(secret)),
        "FOLDER": repr(str(folder)),
        "PARENT": str(os.getpid()),
        "PORT": "9",
    }
    for name, value in names.items():
        codes = [code.replace(name, value) for code in codes]
    program = Path(__file__).parent / "confined_by_layers.py"
    finished = subprocess.run(
        [sys.executable, str(program), json.dumps(refused), user, json.dumps(codes)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)
    assert report["works"], report["why"]
    assert secret.read_text() == "treasure"
    return report["layers"], report["reasons"]


ALL = [*PROCESSES, *NETWORK, *FILES, *CHANGES]
CASES = [
    ([], (), ALL),
    ([NO_NAMESPACES], ("namespaces", "private"), ALL),
    ([NO_LANDLOCK], ("landlock",), ALL),
    # Without seccomp a fork bomb is stopped by the limit on processes, which does not bind every user of
    # these tests.
    ([NO_SECCOMP], ("seccomp",), ALL[1:]),
    ([NO_LANDLOCK, NO_SECCOMP], ("landlock", "seccomp"), [*NETWORK, *FILES, *CHANGES]),
    ([NO_NAMESPACES, NO_LANDLOCK], ("namespaces", "landlock"), [*PROCESSES, *NETWORK, *CHANGES]),
    ([NO_NAMESPACES, NO_SECCOMP], ("namespaces", "seccomp"), FILES),
]


@full
@pytest.mark.parametrize(
    ("user", "refused", "absent", "codes"),
    [
        *(("as is", *case) for case in CASES),
        *(("ordinary", *case) for case in CASES),
        ("root of a namespace", *CASES[0]),
    ],
)
def test_what_is_left_still_holds(
    user: str, refused: list[list[int | None]], absent: tuple[str, ...], codes: list[str], tmp_path: Path
) -> None:
    layers, reasons = attempts(refused, user, codes, tmp_path)
    assert not [layer for layer in layers if layer.startswith(absent)] or not absent
    for code, reason in zip(codes, reasons, strict=True):
        assert reason, f"{code!r} went through with the layers {layers}"


def test_without_any_layer_of_the_kernel_the_limits_remain(tmp_path: Path) -> None:
    codes = [
        "while True: pass",
        "x = bytearray(10**9)",
        "while True: print('x' * 1000)",
        "open('f', 'wb').write(b'x' * 10**8)",
    ]
    layers, reasons = attempts([NO_NAMESPACES, NO_LANDLOCK, NO_SECCOMP], "as is", codes, tmp_path)
    assert not [layer for layer in layers if layer.startswith(("namespaces", "landlock", "seccomp"))]
    assert all(reasons)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_jumps_stay_inside_and_every_path_returns(machine: str) -> None:
    code = seccomp.program(machine, 1234)
    assert len(code) < 4096
    for index, (operation, if_true, if_false, _) in enumerate(code):
        if operation & 0x07 == 0x05:
            assert index + 1 + max(if_true, if_false) < len(code)
    assert code[-1][0] == 0x06


def decide(machine: str, number: int, argument: int = 0, process: int = 1234) -> str:
    """What the filter decides for one system call, by interpreting it."""
    code = seccomp.program(machine, process)
    memory = {0: number, 4: {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine], 16: argument}
    value = index = 0
    while True:
        operation, if_true, if_false, operand = code[index]
        index += 1
        match operation:
            case 0x20:
                value = memory[operand]
            case 0x15:
                index += if_true if value == operand else if_false
            case 0x35:
                index += if_true if value >= operand else if_false
            case 0x45:
                index += if_true if value & operand else if_false
            case 0x06:
                return {0x7FFF0000: "allow", 0x00050001: "EPERM", 0x00050026: "ENOSYS"}[operand]


def test_filter_decides_by_number_and_argument() -> None:
    assert decide("x86_64", 0) == decide("x86_64", 257) == "allow"  # read, openat
    assert (
        decide("x86_64", 41) == decide("x86_64", 59) == decide("x86_64", 57) == "EPERM"
    )  # socket, execve, fork
    assert decide("x86_64", 56, argument=0x10000) == "allow"  # clone of a thread
    assert decide("x86_64", 56, argument=17) == "EPERM"  # clone of a process
    assert decide("x86_64", 435) == "ENOSYS"  # clone3
    assert decide("x86_64", 62, argument=1234) == "allow"  # kill itself
    assert decide("x86_64", 62, argument=1) == "EPERM"  # kill another
    assert decide("x86_64", 157, argument=1) == "EPERM"  # prctl(PR_SET_PDEATHSIG)
    assert decide("x86_64", 157, argument=15) == "allow"  # prctl(PR_SET_NAME)
    assert decide("x86_64", 0x40000000) == "EPERM"  # the x32 variant of read
    assert decide("aarch64", 63) == decide("aarch64", 56) == "allow"  # read, openat
    assert decide("aarch64", 198) == decide("aarch64", 221) == "EPERM"  # socket, execve
    assert decide("aarch64", 220, argument=0x10000) == "allow"
    assert decide("aarch64", 220, argument=17) == "EPERM"


def test_unknown_architectures_are_refused_a_filter() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64", 1)
