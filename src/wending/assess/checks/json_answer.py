"""JSON answers: they parse, match the schema, are repairable, have right values, and stand alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import json_repair
import jsonschema_rs

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.checks.extract import around, payload
from wending.assess.checks.json_relation import violations
from wending.assess.checks.registry import check
from wending.assess.checks.schema_message import violation_message
from wending.assess.checks.verdict import CheckResult

_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_UNPARSED = Bilingual("not judged: the answer does not parse", "未判定：回答无法解析")
_SHOWN = 5
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@check("json")
def check_json(
    answer: str,
    *,
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    unique: str | None = None,
    dates: Mapping[str, Sequence[str]] | None = None,
    relations: Sequence[Mapping[str, Any]] = (),
    alternatives: Mapping[str, Sequence[str]] | None = None,
) -> list[CheckResult]:
    """Five verdicts on one answer.

    ``schema`` is a JSON Schema of the shape (types, required keys); ``values`` a second one of the contents
    (ranges, counts, enums, formats). ``unique`` names a key whose values must differ; ``dates`` gives the
    first and last day allowed for a key. ``relations`` are those of json_relation.py.
    ``alternatives`` are other ways to write a text that ``values`` demand, where the prompt leaves them open:
    {"pen": ["pens"]}; their case does not matter.
    """
    text = payload(answer)
    value, error = parse_json(text)
    only = _only_json(answer, text, error)
    if error is not None:
        problem = "trailing_comma" if _parses_without_trailing_commas(text) else "broken_json"
        return [
            only,
            CheckResult("json_parses", False, error, problem=None if only.problem else problem),
            CheckResult("json_schema", False, _UNPARSED),
            _repairable(text, schema),
            CheckResult("json_values", False, _UNPARSED),
        ]
    shape = _first_error(schema, value)
    return [
        only,
        CheckResult("json_parses", True, _parsed(value, text)),
        CheckResult(
            "json_schema",
            shape is None,
            shape or Bilingual("matches", "符合"),
            problem="schema_mismatch" if shape else None,
        ),
        _repairable(text, schema),
        _values(_as_demanded(value, alternatives or {}), values, unique, dates or {}, relations)
        if shape is None
        else CheckResult(
            "json_values", False, Bilingual("not judged: the shape is wrong", "未判定：结构不符")
        ),
    ]


def _parsed(value: Any, text: str) -> Bilingual:
    kind = type(value).__name__
    return Bilingual(f"{kind} of {len(text)} characters", f"{kind}，{len(text)} 个字符")


def parse_json(text: str) -> tuple[Any, Bilingual | None]:
    """(value, None), or (None, the reason) when the text is not strict JSON.

    NaN and Infinity are not, nor is half of a surrogate pair, which no UTF-8 can hold (RFC 8259, 8.2).
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
        return value, None
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        return None, Bilingual(
            f"half of a surrogate pair: {half} is no character", f"孤立的代理项：{half} 不是字符"
        )
    except json.JSONDecodeError as error:
        found = text[error.pos : error.pos + 12]
        where = f"第 {error.lineno} 行第 {error.colno} 列"
        return None, Bilingual(
            f"{error.msg} at line {error.lineno} column {error.colno}: {found!r}",
            f"{where}：{error.msg}：{found!r}",
        )
    except (ValueError, RecursionError) as error:
        return None, _failure(error)


def _failure(error: Exception) -> Bilingual:
    name = type(error).__name__
    return Bilingual(f"{name}: {error}", f"{name}：{error}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _only_json(answer: str, text: str, error: str | None) -> CheckResult:
    """Nothing may stand around the JSON: neither outside the fence, nor before or after bare JSON."""
    extra = around(answer)
    stripped = text.strip()
    if not extra and error is not None:
        if stripped[:1] not in ("[", "{"):
            extra = stripped.split("\n", 1)[0]
        elif error.startswith("Extra data"):
            extra = stripped[json.JSONDecoder().raw_decode(stripped)[1] :].strip()
    if not extra:
        return CheckResult("json_only", True, Bilingual("nothing around the JSON", "JSON 之外没有内容"))
    reason = Bilingual(
        f"{len(extra)} characters around the JSON: {extra[:60]!r}",
        f"JSON 之外有 {len(extra)} 个字符：{extra[:60]!r}",
    )
    return CheckResult("json_only", False, reason, problem="extra_text")


def _parses_without_trailing_commas(text: str) -> bool:
    return parse_json(_TRAILING_COMMA.sub(r"\1", text))[1] is None


def _repairable(text: str, schema: Mapping[str, Any]) -> CheckResult:
    """Informative: would json-repair turn the answer into something of the right shape?"""
    error: Bilingual | None
    try:
        error = _first_error(schema, json_repair.loads(text))
    except (ValueError, RecursionError) as failure:
        error = _failure(failure)
    repaired = Bilingual("matches the schema after repair", "修复后符合结构")
    return CheckResult("json_repairable", error is None, error or repaired, informative=True)


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


def _errors(schema: Mapping[str, Any], value: Any) -> tuple[list[str], list[str]]:
    """A message with its place for each violation: those about dates, and the others."""
    dates: list[str] = []
    others: list[str] = []
    for error in _validator(json.dumps(schema)).iter_errors(value):
        place = "/".join(map(str, error.instance_path))
        wrong = list(_wrong_dates(error.kind, error.instance, place))
        dates += wrong
        if not wrong:
            others.append(violation_message(error))
    return dates, others


def _wrong_dates(kind: Any, found: Any, place: str) -> Iterator[str]:
    """What stands in an answer where a date is demanded and is none."""
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Format):
        # A time of day may be wrong, too: that is another matter.
        day = str(found)[:10] if kind.format == "date-time" else found
        if kind.format == "date" or (kind.format == "date-time" and not _is_date(day)):
            yield _wrong_date(day, place)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Constant):
        yield from _other_than_dates(kind.expected_value, found, place)


def _other_than_dates(expected: Any, found: Any, place: str) -> Iterator[str]:
    """The same for an answer of which the one right value is known."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in (key for key in expected if key in found):
            yield from _other_than_dates(expected[key], found[key], f"{place}/{key}".lstrip("/"))
    elif isinstance(expected, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _other_than_dates(one, other, f"{place}/{number}".lstrip("/"))
    elif _is_date(expected) and isinstance(found, str) and not _is_date(found):
        yield _wrong_date(found, place)


def _wrong_date(found: Any, place: str) -> Bilingual:
    text = f"{place or 'top'}: {str(found)[:60]!r}"
    if _ISO_DATE.fullmatch(str(found)):
        return Bilingual(f"{text} is no date of the calendar", f"{text} 不是有效日期")
    return Bilingual(f"{text} is not written YYYY-MM-DD", f"{text} 未写成 YYYY-MM-DD")


def _first_error(schema: Mapping[str, Any], value: Any) -> Bilingual | None:
    dates, others = _errors(schema, value)
    errors = dates + others
    if not errors:
        return None
    count = len(errors)
    shown = errors[:_SHOWN]
    english, in_chinese = "; ".join(shown), "；".join(chinese(error) for error in shown)
    noun = "violation" if count == 1 else "violations"
    return Bilingual(f"{count} {noun}: {english}", f"{count} 处不符：{in_chinese}")


def _values(
    value: Any,
    schema: Mapping[str, Any],
    unique: str | None,
    dates: Mapping[str, Sequence[str]],
    relations: Sequence[Mapping[str, Any]],
) -> CheckResult:
    wrong_dates, found = _errors(schema, value)
    found += violations(value, relations)
    if unique is not None:
        found += [
            Bilingual(f"{unique} {repeated!r} occurs more than once", f"{unique} {repeated!r} 重复出现")
            for repeated in _repeated(value, unique)
        ]
    for key, (first, last) in dates.items():
        found += [
            Bilingual(
                f"{key} {day} is not within {first} to {last}", f"{key} {day} 不在 {first} 至 {last} 之间"
            )
            for day in _collect(value, key)
            if _is_date(day)
            and not date.fromisoformat(first) <= date.fromisoformat(day) <= date.fromisoformat(last)
        ]
    found = wrong_dates + found
    if not found:
        return CheckResult("json_values", True, Bilingual("all values as demanded", "取值全部符合要求"))
    problem = "wrong_date" if wrong_dates else "wrong_values"
    count = len(found)
    reason = Bilingual(
        f"{count} wrong {'value' if count == 1 else 'values'}, first: {found[0]}",
        f"{count} 处取值错误，首处：{chinese(found[0])}",
    )
    return CheckResult("json_values", False, reason, problem=problem)


def _as_demanded(value: Any, alternatives: Mapping[str, Sequence[str]]) -> Any:
    """The value with the demanded text in the place of each alternative."""
    if isinstance(value, dict):
        return {key: _as_demanded(inner, alternatives) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_demanded(inner, alternatives) for inner in value]
    if isinstance(value, str):
        for demanded, others in alternatives.items():
            if value.casefold() in {text.casefold() for text in (demanded, *others)}:
                return demanded
    return value


def _collect(value: Any, key: str) -> Iterator[Any]:
    """Every value that stands under ``key`` anywhere."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from _collect(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _collect(inner, key)


def _repeated(value: Any, key: str) -> list[Any]:
    seen: list[Any] = []
    repeated: list[Any] = []
    for found in _collect(value, key):
        (repeated if found in seen and found not in repeated else seen).append(found)
    return repeated


def _is_date(text: Any) -> bool:
    try:
        return bool(date.fromisoformat(text)) and len(text) == 10
    except (ValueError, TypeError):
        return False
