from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wending import _kernels
from wending.model.threads import available_processors, use_available_processors


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = _kernels.threads()
    yield
    _kernels.set_threads(before)


@pytest.mark.parametrize(
    ("limit", "least", "most"), [("50000 100000", 1, 1), ("100000 100000", 1, 1), ("max 100000", 1, 10**6)]
)
def test_a_container_limit_counts(tmp_path: Path, limit: str, least: int, most: int) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert least <= available_processors(tmp_path / "cpu.max") <= most
    assert available_processors(tmp_path / "cpu.max") <= available_processors(tmp_path / "absent")


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENDING_THREADS", "3")
    assert use_available_processors() == 3
    assert _kernels.threads() == 3
    monkeypatch.delenv("WENDING_THREADS")
    assert use_available_processors() == available_processors()


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WENDING_THREADS", value)
    with pytest.raises(ValueError, match="WENDING_THREADS must be a positive whole number"):
        use_available_processors()
