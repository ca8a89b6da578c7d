"""Processes of a server: a family, its end, and what only their user may see."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from wending.assess.soak.processes import ProcessTree, family_of, is_alive

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


def test_a_family_is_read_as_long_as_it_lives() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        process, family, tree = psutil.Process(parent.pid), family_of(parent.pid), ProcessTree()
        assert len(family) == 2
        assert is_alive(process)
        values = tree.read(family)
        assert values["threads"] == 2
        assert values["memory_bytes"] > tree.read(family[:1])["memory_bytes"]
        for member in family:
            member.kill()
        # Nobody has asked for its status yet: it is there still, and runs no more.
        while process.status() != psutil.STATUS_ZOMBIE:
            pass
        assert not is_alive(process)
        assert tree.read(family_of(parent.pid)) == {}
    assert not is_alive(process)
    assert family_of(parent.pid) == []


def test_files_that_another_user_may_not_count_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: psutil.Process) -> int:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "num_fds", denied)
    values = ProcessTree().read([psutil.Process()])
    assert values["files"] is None
    assert values["memory_bytes"] > 0
    assert values["threads"] > 0
