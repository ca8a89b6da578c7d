from __future__ import annotations

from pathlib import Path

import pytest

from wending.serve.api_keys import ApiKeys, BadKeys


def load(tmp_path: Path, text: str, **environment: str) -> ApiKeys:
    file = tmp_path / "keys"
    file.write_text(text, encoding="utf-8")
    return ApiKeys.load(file, environment)


def test_one_key_a_line_with_or_without_a_name(tmp_path: Path) -> None:
    keys = load(tmp_path, "# the team\n\nalice  sk-1  # until May\n小组\tsk-2\nsk-3#4\n")
    assert keys
    assert keys.name_of("sk-1") == "alice"
    assert keys.name_of("sk-2") == "小组"
    assert keys.name_of("sk-3#4") == "key-3"
    for wrong in ("", "sk-", "sk-11", "alice", "until", "sk-1 ", "é"):
        assert keys.name_of(wrong) is None


def test_file_and_environment_add_up(tmp_path: Path) -> None:
    keys = load(tmp_path, "sk-1", WENDING_API_KEYS="bob sk-2, sk-3\nsk-4")
    assert [keys.name_of(f"sk-{i}") for i in range(1, 5)] == ["key-1", "bob", "key-3", "key-4"]


def test_two_keys_may_share_a_name(tmp_path: Path) -> None:
    keys = load(tmp_path, "alice old\nalice new\n")
    assert keys.name_of("old") == keys.name_of("new") == "alice"


def test_others_may_take_their_place(tmp_path: Path) -> None:
    keys = load(tmp_path, "sk-1")
    keys.replace(load(tmp_path, "bob sk-2"))
    assert [keys.name_of("sk-1"), keys.name_of("sk-2")] == [None, "bob"]


def test_without_any_source_there_are_no_keys() -> None:
    assert not ApiKeys.load(None, {})
    assert ApiKeys().name_of("") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key"),
        ("# sk-1\n\n", "holds no key"),
        ("sk-0\nalice sk 1\n", "line 2: expected KEY or NAME KEY, got 3 words"),
        ("schlüssel", "line 1: a key is of printable ASCII characters"),
        ("sk-1\nsk-2\nbob sk-1", "keys 1 and 3 of 3 are the same"),
    ],
)
def test_what_is_wrong_is_said_and_no_key_shown(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadKeys, match=said) as error:
        load(tmp_path, text)
    assert "sk-1" not in str(error.value)
    assert "schl" not in str(error.value)


def test_an_empty_variable_does_not_open_the_service() -> None:
    with pytest.raises(BadKeys, match="WENDING_API_KEYS: holds no key"):
        ApiKeys.load(None, {"WENDING_API_KEYS": " "})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadKeys, match=r"nowhere: cannot be read: No such file"):
        ApiKeys.load(tmp_path / "nowhere", {})
    binary = tmp_path / "binary"
    binary.write_bytes(b"sk-\xff")
    with pytest.raises(BadKeys, match="not UTF-8 text at byte 3"):
        ApiKeys.load(binary, {})
