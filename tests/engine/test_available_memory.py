from __future__ import annotations

from pathlib import Path

import psutil

from wending.engine.available_memory import _cgroup_headroom, available_memory


def write_group(folder: Path, limit: str, usage: int, inactive: int, version: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        ("memory.max", "memory.current")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    )
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    key = "inactive_file" if version == 2 else "total_inactive_file"
    (folder / "memory.stat").write_text(f"anon 5\n{key} {inactive}\n")


def test_is_positive_and_at_most_what_the_machine_has() -> None:
    assert 0 < available_memory() <= psutil.virtual_memory().total


def test_each_group_around_the_process_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/outer/inner\n")
    root = tmp_path / "fs"
    write_group(root / "outer", "1000", 600, 50, version=2)
    write_group(root / "outer" / "inner", "max", 300, 0, version=2)
    assert list(_cgroup_headroom(own, root)) == [450]


def test_version_1_has_other_names(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("4:cpu:/x\n3:memory:/job\n")
    root = tmp_path / "fs"
    write_group(root / "memory" / "job", "1000", 900, 100, version=1)
    write_group(root / "memory", str(2**63 - 4096), 900, 0, version=1)
    assert min(_cgroup_headroom(own, root)) == 200


def test_in_a_container_the_limit_stands_at_the_mount_itself(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/path/of/the/host\n")
    root = tmp_path / "fs"
    write_group(root, "1000", 1200, 0, version=2)
    assert list(_cgroup_headroom(own, root)) == [0]


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert list(_cgroup_headroom(tmp_path / "absent", tmp_path)) == []
    (tmp_path / "cgroup").write_text("0::/\n")
    assert list(_cgroup_headroom(tmp_path / "cgroup", tmp_path / "nothing")) == []
