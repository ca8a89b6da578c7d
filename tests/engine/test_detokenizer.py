from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wending.engine.detokenizer import Detokenizer


def run(pieces: list[bytes], stop: tuple[str, ...] = ()) -> list[str]:
    """What each piece shows, and last what the end shows."""
    detokenizer = Detokenizer(stop)
    shown = []
    for piece in pieces:
        shown.append(detokenizer.add(piece))
        if detokenizer.stopped:
            break
    return [*shown, detokenizer.finish()]


def test_a_character_appears_when_its_last_byte_does() -> None:
    assert run([b"\xe7", b"\xa8", b"\xb3", b"!"]) == ["", "", "稳", "!", ""]
    assert run([b"\xf0\x9f", b"\x91\x8d"]) == ["", "👍", ""]


def test_a_character_cut_off_at_the_end_is_left_out() -> None:
    assert "".join(run(["好".encode() + b"\xe7\xa8"])) == "好"


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert "".join(run([b"a\xff", b"b"])) == "a\ufffdb"


def test_a_stop_string_is_cut_with_all_that_follows() -> None:
    assert run([b"one STOP two"], ("STOP",)) == ["one ", ""]


def test_until_it_may_stop_a_stop_string_is_text() -> None:
    detokenizer = Detokenizer(("STOP",))
    assert detokenizer.add(b"a STOP ST", may_stop=False) == "a STOP ST"
    assert detokenizer.add(b"OP b STOP c") == "OP b "
    assert detokenizer.stopped


def test_the_start_of_a_stop_string_is_held_back_until_decided() -> None:
    assert run([b"a<", b"/", b"b"], ("</end>",)) == ["a", "", "</b", ""]
    assert run([b"a<", b"/end", b">x"], ("</end>",)) == ["a", "", "", ""]
    assert run([b"a</en"], ("</end>",)) == ["a", "</en"]


def test_the_earliest_of_several_stop_strings_counts() -> None:
    assert run([b"abcdef"], ("ef", "cd", "bcx")) == ["ab", ""]


def test_overlapping_starts_of_a_stop_string() -> None:
    assert run([b"a", b"a", b"a", b"b"], ("aab",)) == ["", "", "a", "", ""]


@pytest.mark.parametrize("stop", ["。完", "\n\n"])
def test_stop_strings_of_several_bytes(stop: str) -> None:
    pieces = [bytes([byte]) for byte in f"好。{stop}rest".encode()]
    assert "".join(run(pieces, (stop,))) == "好。"


@given(
    text=st.text(alphabet="ab稳👍", max_size=30),
    stops=st.lists(st.text(alphabet="ab稳👍", min_size=1, max_size=4), max_size=3).map(tuple),
    cuts=st.lists(st.integers(0, 100), max_size=20),
)
def test_equals_cutting_the_whole_text(text: str, stops: tuple[str, ...], cuts: list[int]) -> None:
    """However the bytes are cut into tokens, the text shown is that before the first stop string to be
    complete."""
    octets = text.encode()
    borders = sorted({min(cut, len(octets)) for cut in cuts} | {0, len(octets)})
    pieces = [octets[a:b] for a, b in pairwise(borders)]
    shown = ""
    expected = text
    for end in borders:  # the first piece after which a stop string stands in the text decides
        so_far = octets[:end].decode("utf-8", "ignore")
        found = [start for start in map(so_far.find, stops) if start >= 0]
        if found:
            expected = so_far[: min(found)]
            break
    for piece in run(pieces, stops):
        shown += piece
        assert text.startswith(shown)
    assert shown == expected
