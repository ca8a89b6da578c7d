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

from wending.assess.checks.extract import around, payload
from wending.assess.checks.registry import check
from wending.assess.checks.verdict import CheckResult

_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_NOT_ISO = " written YYYY-MM-DD"
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@check("json")
def check_json(
    answer: str,
    *,
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    unique: str | None = None,
    dates: Mapping[str, Sequence[str]] | None = None,
) -> list[CheckResult]:
    """Five verdicts on one answer.

    ``schema`` is a JSON Schema of the shape (types, required keys); ``values`` a second one of the contents
    (ranges, counts, enums, formats). ``unique`` names a key whose values must differ; ``dates`` gives the
    first and last day allowed for a key.
    """
    text = payload(answer)
    value, error = parse_json(text)
    only = _only_json(answer, text, error)
    if error is not None:
        problem = "trailing_comma" if _parses_without_trailing_commas(text) else "broken_json"
        return [
            only,
            CheckResult("json_parses", False, error, problem=None if only.problem else problem),
            CheckResult("json_schema", False, "not judged: the answer does not parse"),
            _repairable(text, schema),
            CheckResult("json_values", False, "not judged: the answer does not parse"),
        ]
    shape = _first_error(schema, value)
    return [
        only,
        CheckResult("json_parses", True, f"{type(value).__name__} of {len(text)} characters"),
        CheckResult(
            "json_schema", shape is None, shape or "matches", problem="schema_mismatch" if shape else None
        ),
        _repairable(text, schema),
        _values(value, values, unique, dates or {})
        if shape is None
        else CheckResult("json_values", False, "not judged: the shape is wrong"),
    ]


def parse_json(text: str) -> tuple[Any, str | None]:
    """(value, None), or (None, the reason) when the text is not strict JSON; NaN and Infinity are not."""
    try:
        return json.loads(text, parse_constant=_refuse_constant), None
    except json.JSONDecodeError as error:
        found = text[error.pos : error.pos + 12]
        return None, f"{error.msg} at line {error.lineno} column {error.colno}: {found!r}"
    except (ValueError, RecursionError) as error:
        return None, f"{type(error).__name__}: {error}"


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
        return CheckResult("json_only", True, "nothing around the JSON")
    return CheckResult(
        "json_only", False, f"{len(extra)} characters around the JSON: {extra[:60]!r}", problem="extra_text"
    )


def _parses_without_trailing_commas(text: str) -> bool:
    return parse_json(_TRAILING_COMMA.sub(r"\1", text))[1] is None


def _repairable(text: str, schema: Mapping[str, Any]) -> CheckResult:
    """Informative: would json-repair turn the answer into something of the right shape?"""
    try:
        error = _first_error(schema, json_repair.loads(text))
    except (ValueError, RecursionError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    return CheckResult(
        "json_repairable", error is None, error or "matches the schema after repair", informative=True
    )


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


def _errors(schema: Mapping[str, Any], value: Any) -> list[str]:
    """A message with its place for each violation; those about how a date is written come first."""
    dates: list[str] = []
    others: list[str] = []
    for error in _validator(json.dumps(schema)).iter_errors(value):
        message = f"{'/'.join(map(str, error.instance_path)) or 'top'}: {error.message[:120]}"
        kind = error.kind
        date_form = isinstance(kind, jsonschema_rs.ValidationErrorKind.Format) and kind.format == "date"
        misspelt = date_form and not _ISO_DATE.fullmatch(str(error.instance))
        (dates if misspelt else others).append(f"{message}{_NOT_ISO}" if misspelt else message)
    return dates + others


def _first_error(schema: Mapping[str, Any], value: Any) -> str | None:
    errors = _errors(schema, value)
    return f"{len(errors)} violations, first: {errors[0]}" if errors else None


def _values(
    value: Any, schema: Mapping[str, Any], unique: str | None, dates: Mapping[str, Sequence[str]]
) -> CheckResult:
    found = _errors(schema, value)
    if unique is not None:
        found += [f"{unique} {repeated!r} occurs more than once" for repeated in _repeated(value, unique)]
    for key, (first, last) in dates.items():
        found += [
            f"{key} {day} is not within {first} to {last}"
            for day in _collect(value, key)
            if _is_date(day)
            and not date.fromisoformat(first) <= date.fromisoformat(day) <= date.fromisoformat(last)
        ]
    if not found:
        return CheckResult("json_values", True, "all values as demanded")
    problem = "date_format" if found[0].endswith(_NOT_ISO) else "wrong_values"
    return CheckResult("json_values", False, f"{len(found)} wrong values, first: {found[0]}", problem=problem)


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
