"""Where calls begin and end in a text, whatever stands within and around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wending.serve.guard.calls_in_text import MAX_CALLS, MAX_CHARACTERS, calls_in_text, may_begin_at

ONE = '{"name": "f", "arguments": {}}'


@pytest.mark.parametrize(
    ("text", "outside", "calls"),
    [
        ("", "", ()),
        ("text <tool_call> text </tool_call>", "text <tool_call> text </tool_call>", ()),
        (f"<tool_call>{ONE}</tool_call>", "", (ONE,)),
        (f"a<tool_call>\n\n {ONE} \n</tool_call>b", "ab", (ONE,)),
        (f"a <tool_call>{ONE}<tool_call>{ONE}", "a ", (ONE, ONE)),
        (f"<tool_call>{ONE}</tool_call>\n<tool_call>{ONE}</tool_call>", "\n", (ONE, ONE)),
        (
            '<tool_call>{"name": "</tool_call>{<tool_call>"}</tool_call>.',
            ".",
            ('{"name": "</tool_call>{<tool_call>"}',),
        ),
        ('<tool_call>{"name": "f}</tool_call>.', ".", ('{"name": "f}',)),
        ("<tool_call>{broken<tool_call>{too", "", ("{broken", "{too")),
        (f"<tool_call>{ONE}}}</tool_call>.", ".", (f"{ONE}}}",)),
        (f"<tool_call>```json\n{ONE}\n```</tool_call>", "", (f"```json\n{ONE}\n```",)),
        (
            f"<think><tool_call>{ONE}</tool_call>?</think>ok",
            f"<think><tool_call>{ONE}</tool_call>?</think>ok",
            (),
        ),
        ("<tool_call>" + "{" * 5 + "[" * 5000, "", ("{" * 5 + "[" * 5000,)),
    ],
)
def test_calls(text: str, outside: str, calls: tuple[str, ...]) -> None:
    found = calls_in_text(text)
    assert (found.outside, found.calls) == (outside, calls)


def test_no_more_than_can_be_meant() -> None:
    found = calls_in_text(f"<tool_call>{ONE}" * (MAX_CALLS + 1))
    assert len(found.calls) == MAX_CALLS
    assert found.outside == f"<tool_call>{ONE}"
    long = f"<tool_call>{ONE}".ljust(MAX_CHARACTERS + 1)
    assert calls_in_text(long).outside == long


@given(
    st.lists(
        st.sampled_from(["<tool_call>", "</tool_call>", ONE, "{", "<", "<tool", "`", "```json\n", " ", "a"])
    )
)
def test_what_may_begin_a_call_is_seen_at_every_border(parts: list[str]) -> None:
    """Text that has passed before a call never belongs to it."""
    text = "".join(parts)
    outside = calls_in_text(text).outside
    for end in range(len(text) + 1):
        passed = text[: may_begin_at(text[:end])]
        assert text.startswith(passed)
        assert outside.startswith(passed)
