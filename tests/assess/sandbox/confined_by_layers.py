"""Run as a program by test_layers.py: takes away what a system might not offer, then tries escapes.

Arguments: a JSON list of [system call number, first argument or null] to refuse, the user to be, and a JSON
list of codes. Prints the active layers and what became of each code.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

from wending.assess.sandbox import Limits, active_layers, run_python
from wending.assess.sandbox.inside import libc, seccomp

NEW_USER_NAMESPACE = 0x10000000
ALLOW, REFUSE = (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | 1)


def become(user: int) -> None:
    """Enter a user namespace in which this process is ``user`` (0: root of that namespace alone).

    Its files stay readable, the interpreter among them.
    """
    real_user, real_group = os.geteuid(), os.getegid()
    libc.call("unshare", NEW_USER_NAMESPACE)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {real_user} 1")
    Path("/proc/self/gid_map").write_text(f"{user} {real_group} 1")
    if user:
        libc.drop_capabilities()


def refuse(calls: list[tuple[int, int | None]]) -> None:
    """A filter over this process and its children, as a container's may be."""
    code = []
    for number, argument in calls:
        code += [(0x20, 0, 0, 0)]
        if argument is None:
            code += [(0x15, 0, 1, number), REFUSE]
        else:
            code += [(0x15, 0, 4, number), (0x20, 0, 0, 16), (0x15, 0, 1, argument), REFUSE, ALLOW]
    code.append(ALLOW)
    array = (seccomp._Instruction * len(code))(*(seccomp._Instruction(*fields) for fields in code))
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(libc.PR_SET_SECCOMP, 2, ctypes.byref(seccomp._Program(len(code), array)))


def main() -> None:
    calls, user, codes = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    if user != "as is":
        become({"ordinary": 1000, "root of a namespace": 0}[user])
    if calls:
        refuse(calls)
    limits = Limits(wall_seconds=30.0, cpu_seconds=1)
    reasons = [run_python(code, ["1"], limits).reason for code in codes]
    works = run_python("open('a', 'w').write('x')\nimport random", ["open('a').read()"])
    print(json.dumps({"layers": active_layers(), "reasons": reasons, "works": works.ok, "why": works.reason}))


if __name__ == "__main__":
    main()
