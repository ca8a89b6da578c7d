"""Violations of a schema, in both languages."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from wending.assess.checks.schema_message import LONGEST, violation_message


@pytest.mark.parametrize(
    ("schema", "value", "english", "in_chinese"),
    [
        ({"required": ["city"]}, {}, 'top: "city" is a required property', '顶层：缺少必需字段 "city"'),
        (
            {"properties": {"name": {}}, "additionalProperties": False},
            {"name": "", "home": 1, "age": 2},
            "top: Additional properties are not allowed",
            '顶层：不允许的字段 "',
        ),
        (
            {"properties": {"age": {"type": "string"}}},
            {"age": 34},
            'age: 34 is not of type "string"',
            'age：34 的类型不是 "string"',
        ),
        ({"items": {"enum": ["a", "b"]}}, ["c"], '0: "c" is not one of', '0："c" 不在 "a"、"b" 之中'),
        ({"minimum": 3}, 2, "top: 2 is less than the minimum of 3", "顶层：2 小于最小值 3"),
        ({"format": "date"}, "1 May", 'top: "1 May" is not a "date"', '顶层："1 May" 不是 "date"'),
        ({"not": {}}, 1, "top: ", "顶层："),
    ],
)
def test_both_languages(schema: dict[str, Any], value: Any, english: str, in_chinese: str) -> None:
    [error, *_] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(value)
    message = violation_message(error)
    assert str(message).startswith(english)
    assert message.zh.startswith(in_chinese)


def test_long_values_are_cut() -> None:
    [error] = jsonschema_rs.Draft202012Validator({"type": "integer"}).iter_errors("x" * 5000)
    message = violation_message(error)
    assert len(message) <= LONGEST + len("top: ")
    assert len(message.zh) <= LONGEST + len("顶层：")
