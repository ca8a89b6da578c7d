"""What a violation of a JSON Schema says, in English (the validator's own words) and in Chinese."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

from wending.assess.bilingual import Bilingual

LONGEST = 120
_CHINESE = {
    "required": "缺少必需字段 {value}",
    "additionalProperties": "不允许的字段 {value}",
    "type": "{instance} 的类型不是 {value}",
    "enum": "{instance} 不在 {value} 之中",
    "const": "{instance} 应为 {value}",
    "minimum": "{instance} 小于最小值 {value}",
    "maximum": "{instance} 大于最大值 {value}",
    "exclusiveMinimum": "{instance} 应大于 {value}",
    "exclusiveMaximum": "{instance} 应小于 {value}",
    "minItems": "{instance} 少于 {value} 项",
    "maxItems": "{instance} 多于 {value} 项",
    "minLength": "{instance} 短于 {value} 个字符",
    "maxLength": "{instance} 长于 {value} 个字符",
    "pattern": "{instance} 不符合 {value}",
    "format": "{instance} 不是 {value}",
}
"""By keyword; others keep the validator's English."""


def violation_message(error: jsonschema_rs.ValidationError) -> Bilingual:
    """Where the violation is and what it is, in at most LONGEST characters of each language and the place."""
    place = "/".join(map(str, error.instance_path))
    said = _CHINESE.get(error.kind.name)
    in_chinese = (
        error.message
        if said is None
        else said.format(instance=_short(error.instance), value=_short(error.kind.value))
    )
    return Bilingual(
        f"{place or 'top'}: {error.message[:LONGEST]}", f"{place or '顶层'}：{in_chinese[:LONGEST]}"
    )


def _short(value: Any) -> str:
    """The value as JSON; a list as its elements, one after the other."""
    if isinstance(value, list):
        return "、".join(map(_short, value))[:LONGEST]
    return json.dumps(value, ensure_ascii=False)[: LONGEST // 2]
