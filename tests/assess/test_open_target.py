"""Targets made ready: an endpoint as it is, and the end of a server of ours told as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wending.assess.endpoint_errors import Unreachable
from wending.assess.open_target import open_target
from wending.assess.target import TargetError, parse_target


async def test_an_endpoint_is_used_as_it_is(tmp_path: Path) -> None:
    target = parse_target("http://host:1")
    started: list[str] = []
    async with open_target(target, tmp_path / "log", starting=lambda: started.append("")) as found:
        assert found == ("http://host:1/v1", None)
    assert started == []


@pytest.mark.parametrize(
    ("given", "dies", "error", "said"),
    [
        ("http://host:1", False, Unreachable, "gone"),
        (None, False, Unreachable, "gone"),
        (None, True, TargetError, "the server died: killed by signal 9"),
    ],
)
async def test_an_error_after_our_server_died_tells_of_its_end(
    given: str | None, dies: bool, error: type[Exception], said: str, tmp_path: Path
) -> None:
    async def use() -> None:
        async with open_target(parse_target(given), tmp_path / "log", starting=lambda: None) as (_, server):
            if dies and server is not None:
                await server.kill()
            raise Unreachable("gone")

    with pytest.raises(error, match=said):
        await use()
