"""Which texts are taken as they are, which are repaired and how, and which the model must give again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wending.serve.guard.answer_schema import AnswerSchema
from wending.serve.guard.check_answer import check_answer

OBJECT = AnswerSchema({"type": "object"})
ANYTHING = AnswerSchema(True)

VALID = (
    '{"a": 1}', "{}", ' {"a": 1}\n', '{"a": "```"}', '{"a": "b", "a": "c"}', '{"a": "Let\'s, [not] {stop}"}',
    '{"a": 1e400}', '{"a": 12345678901234567890123}', '{"a": "\\ud83d\\ude00"}', '{"你": "好"}',
)  # fmt: skip

REPAIRED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # What stood around it is taken away; not a character of the JSON changes.
    ('```json\n{"a":1}\n```', '{"a":1}', ("code_fence",)),
    ('```\n{"a":1}\n```\n', '{"a":1}', ("code_fence",)),
    ('Here:\n```json\n{"a":1}\n```\nHave fun!', '{"a":1}', ("code_fence",)),
    ('```json\n{"a":1}', '{"a":1}', ("code_fence",)),
    ('{"a":1}\n```', '{"a":1}', ("code_fence",)),
    ('Sure! {"a": 1} Anything else?', '{"a": 1}', ("text_around",)),
    ('答案：{"a": "好"}。', '{"a": "好"}', ("text_around",)),
    ('`{"a":1}`', '{"a":1}', ("text_around",)),
    ('{"a":1} // done', '{"a":1}', ("text_around",)),
    ('\ufeff{"a":1}', '{"a":1}', ("text_around",)),
    ('{"a":1}}', '{"a":1}', ("text_around",)),
    ('{"a":{"b":[]}}]', '{"a":{"b":[]}}', ("text_around",)),
    ('<think>perhaps {"no":1}?</think>\n{"a":1}', '{"a":1}', ("text_around",)),
    ('See [1]: {"a":1}', '{"a":1}', ("text_around",)),
    ('[note] {"a":1}', '{"a":1}', ("text_around",)),
    ('{"a":1} and again {"a": 1}', '{"a": 1}', ("text_around",)),
    ('{"a": 1.50} ok', '{"a": 1.50}', ("text_around",)),
    # Something in it was not JSON.
    ('{"a":1,}', '{"a": 1}', ("syntax",)),
    ('{"a":[1,2,],}', '{"a": [1, 2]}', ("syntax",)),
    ("{'a': 'b'}", '{"a": "b"}', ("syntax",)),
    ("{'a': ''}", '{"a": ""}', ("syntax",)),
    ('{a: 1}', '{"a": 1}', ("syntax",)),
    ('{"a": True, "b": None, "c": False}', '{"a": true, "b": null, "c": false}', ("syntax",)),
    ('{"a":1 "b":2}', '{"a": 1, "b": 2}', ("syntax",)),
    ('{"name": "李" "age": 3}', '{"name": "李", "age": 3}', ("syntax",)),
    ('{"a":1;"b":2}', '{"a": 1, "b": 2}', ("syntax",)),
    ('{"a":"x\ny"}', '{"a": "x\\ny"}', ("syntax",)),
    ('{"a":"C:\\x"}', '{"a": "C:\\\\x"}', ("syntax",)),
    ('{“a”: “b”}', '{"a": "b"}', ("syntax",)),
    ('{"a":01}', '{"a": 1}', ("syntax",)),
    ('{"a":+5}', '{"a": 5}', ("syntax",)),
    ('{"a":.5}', '{"a": 0.5}', ("syntax",)),
    ('{"a": 1 /* one */}', '{"a": 1}', ("syntax",)),
    ('{"a": 1, // one\n"b": 2}', '{"a": 1, "b": 2}', ("syntax",)),
    ('{"a":1]', '{"a": 1}', ("syntax",)),
    ('Sure: {"a":"x",}\n```', '{"a": "x"}', ("code_fence", "syntax")),
    ("Sure: {'a': 1}.", '{"a": 1}', ("text_around", "syntax")),
    # It ended too early: what was complete stays, and a string as far as it got.
    ('{"a": "xy', '{"a": "xy"}', ("cut_off",)),
    ('{"a": "xy, ', '{"a": "xy, "}', ("cut_off",)),
    ('{"a": "xy, "', '{"a": "xy, "}', ("not_closed",)),
    ('{"a": "x\\', '{"a": "x"}', ("cut_off",)),
    ('{"a": "x\\u12', '{"a": "x"}', ("cut_off",)),
    ('{"a": "x\\\\', '{"a": "x\\\\"}', ("cut_off",)),
    ('{"a": 1\n', '{"a": 1}', ("not_closed",)),
    ('{"a": 1, "b": 23', '{"a": 1}', ("cut_off",)),
    ('{"a": 1, "b": tru', '{"a": 1}', ("cut_off",)),
    ('{"a": 1, "b":', '{"a": 1}', ("cut_off",)),
    ('{"a": 1, "b"', '{"a": 1}', ("cut_off",)),
    ('{"a": 1, "b', '{"a": 1}', ("cut_off",)),
    ('{"a": 1,', '{"a": 1}', ("cut_off",)),
    ('{"a": [1, 2, 3', '{"a": [1, 2]}', ("cut_off",)),
    ('{"a": {"b": [1]}', '{"a": {"b": [1]}}', ("not_closed",)),
    ('{"a": {"b": 1}, "c": [2', '{"a": {"b": 1}, "c": []}', ("cut_off",)),
    ('{"a": [{"b": "x"}, {"b": "y', '{"a": [{"b": "x"}, {"b": "y"}]}', ("cut_off",)),
    ('```json\n{"a": "b", "url": "http://x,', '{"a": "b", "url": "http://x,"}', ("code_fence", "cut_off")),
)  # fmt: skip

REFUSED: tuple[tuple[str, str], ...] = (
    # Nothing there, or not what was asked for.
    ("", "not valid JSON"),
    ("   ", "not valid JSON"),
    ("I cannot do that.", "not valid JSON"),
    ("The answer is 42", "not valid JSON"),
    ("42", 'not of type "object"'),
    ("null", 'not of type "object"'),
    ("[]", 'not of type "object"'),
    ('"{\\"a\\":1}"', 'not of type "object"'),
    ("[1,2}", 'not of type "object"'),
    ("｛“a”：1｝", "not valid JSON"),
    # Which of several is meant cannot be known.
    ('{"a":1}{"b":2}', "2 JSON values"),
    ('{"a":1}\n{"b":2}', "2 JSON values"),
    ('```json\n{"a":1}\n```\nor\n```json\n{"b":2}\n```', "2 JSON values"),
    # A value would have to be made up.
    ('{"a" 1}', "made up"),
    ('{"a":}', "made up"),
    ('{"a":-}', "made up"),
    ('{"a":...}', "made up"),
    ('{"a":undefined}', "made up"),
    ('{"a":0x10}', "made up"),
    ('{"a":1e}', "made up"),
    ('{"a":1_000}', "made up"),
    ('{"a":1,000}', "made up"),
    ('{"a":1,,"b":2}', "made up"),
    ('{"a":"x"y"}', "made up"),
    ("{'a': 'it's'}", "made up"),
    ('{"a":"b" + "c"}', "made up"),
    ('{"a": NaN}', "no JSON number"),
    ('{"a": Infinity}', "no JSON number"),
    # Cut off before anything was complete.
    ("{", "cut off"),
    ('{"a', "cut off"),
    ('{"a":', "cut off"),
    ('{"a":12', "cut off"),
    ('{"a":"\\ud83d', "surrogates"),
    ("[" * 2000, "too deep"),
)


@pytest.mark.parametrize("text", VALID)
def test_what_is_valid_stays_as_it_is(text: str) -> None:
    verdict = check_answer(text, OBJECT)
    assert (verdict.text, verdict.repairs, verdict.problems) == (text, (), ())


@pytest.mark.parametrize(("text", "good", "repairs"), REPAIRED)
def test_what_is_nearly_valid_is_repaired(text: str, good: str, repairs: tuple[str, ...]) -> None:
    verdict = check_answer(text, OBJECT)
    assert (verdict.text, verdict.repairs) == (good, repairs), verdict.problems


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_cannot_be_repaired_says_why(text: str, said: str) -> None:
    verdict = check_answer(text, OBJECT)
    assert verdict.text is None
    assert any(said in problem for problem in verdict.problems), verdict.problems


def test_an_array_or_a_scalar_where_the_schema_wants_one() -> None:
    assert check_answer("Here: [1, 2]", AnswerSchema({"type": "array"})).text == "[1, 2]"
    assert check_answer("[1, 2}", AnswerSchema({"type": "array"})).text == "[1, 2]"
    number = AnswerSchema({"type": "integer"})
    assert check_answer("42", number).text == "42"
    assert check_answer("```\n42\n```", number).text == "42"
    assert check_answer("<think>1 or 2?</think>\n42", number).text.strip() == "42"  # type: ignore[union-attr]
    assert check_answer("It is 42", number).text is None


def test_the_schema_chooses_among_several_values() -> None:
    schema = AnswerSchema({"required": ["b"], "type": "object"})
    assert check_answer('Input {"a":1}, output {"b":2}', schema).text == '{"b":2}'


def test_a_fragment_of_a_broken_whole_is_never_taken_for_it() -> None:
    schema = AnswerSchema({"type": "object", "required": ["b"]})
    assert check_answer('{"outer": {"b": 1}, "more": [1', schema).text is None
    assert check_answer('{"outer": {"b": 1} "more": 1,}', schema).text is None


def test_many_pieces_cost_no_more_than_their_text() -> None:
    verdict = check_answer("[1] " * 2_000, ANYTHING)
    assert verdict.text == "[1]"


def test_json_with_wrong_values_is_not_repaired() -> None:
    schema = AnswerSchema({"properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["name"]})
    verdict = check_answer('{"age": -1}', schema)
    assert verdict.text is None
    assert verdict.repairs == ()
    assert any(problem.startswith("/age: ") for problem in verdict.problems)
    assert any('"name" is a required property' in problem for problem in verdict.problems)


def test_a_repaired_text_must_be_valid_too() -> None:
    verdict = check_answer('{"a": "x",}', AnswerSchema({"properties": {"a": {"type": "integer"}}}))
    assert verdict.text is None
    assert any(problem.startswith("/a: ") for problem in verdict.problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=st.dictionaries(st.text(), JSON, min_size=1, max_size=4), spaces=st.booleans(), data=st.data())
def test_a_text_cut_anywhere_gives_a_beginning_of_the_value_or_nothing(
    value: dict[str, Any], spaces: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()), indent=2 if spaces else None)
    cut = data.draw(st.integers(0, len(text) - 1))
    verdict = check_answer(text[:cut], ANYTHING)
    if verdict.text is not None:
        assert is_beginning(json.loads(verdict.text), value)
    assert check_answer(text, ANYTHING).text == text


def is_beginning(part: Any, whole: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_beginning(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_beginning, part, whole))
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return type(part) is type(whole) and part == whole
