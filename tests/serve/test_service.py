from __future__ import annotations

from dataclasses import replace

import pytest
from tests.serve.fake_client import FakeClient

from wending.serve.service import system_fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "another"},
        {"precision": "int8"},
        {"kv_precision": "int8"},
        {"instruction_set": "portable"},
        {"positions": "YaRN x4, to 131,072"},
    ],
)
def test_what_decides_the_bytes_of_an_answer_changes_the_fingerprint(changes: dict[str, str]) -> None:
    info = FakeClient().info
    assert system_fingerprint(info) == system_fingerprint(replace(info, max_context=50, created=1))
    assert system_fingerprint(replace(info, **changes)) != system_fingerprint(info)  # type: ignore[arg-type]
