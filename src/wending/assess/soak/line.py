"""What a line of a soak's log must hold to be used; other fields may stand beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs

from wending.assess.soak.timeline import LEVELS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TRUTH: Schema = {"type": "boolean"}
_OPTIONAL_NUMBER: Schema = {"type": ["number", "null"]}
_OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}


def _object(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": {**needed, **(optional or {})}, "required": list(needed)}


def _map_of(value: Schema, keys: str = "") -> Schema:
    return {"type": "object", "additionalProperties": value, "propertyNames": {"pattern": keys}}


def _line(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    # Up to the year 9999, which is as far as calendars go.
    at = {"type": "number", "minimum": 0, "maximum": 253402300799}
    return _object({"kind": _TEXT, "at": at, **needed}, optional)


def _numbers(names: Iterable[str]) -> dict[str, Schema]:
    return dict.fromkeys(names, _OPTIONAL_NUMBER)


_HISTOGRAM = _map_of(_COUNT, "^-?[0-9]{1,6}$")
_PLAN: Schema = {
    **_object(
        {
            "duration_s": _POSITIVE,
            "concurrency": {"type": "integer", "minimum": 1},
            "sample_s": _POSITIVE,
            "canary_s": _POSITIVE,
            "stall_s": _POSITIVE,
            "seed": _COUNT,
        }
    ),
    "additionalProperties": False,
}
_TARGET = _object(
    {
        "kind": {"enum": ["bundled", "checkpoint", "endpoint"]},
        "given": _TEXT,
        "base_url": _TEXT,
        "model": _TEXT,
        "demonstration": _TRUTH,
    }
)
_ENVIRONMENT = _object({}, {"memory_bytes": _COUNT})
_CANARY = {
    **_object(
        {"id": _TEXT, "equal": {"type": ["boolean", "null"]}}, {"text": _OPTIONAL_TEXT, "error": _TEXT}
    ),
    "if": {"properties": {"equal": {"const": False}}},
    "then": {"required": ["text"]},
}
_EVENT: Schema = {
    **_line(
        {"event": _TEXT},
        {"seconds": _NUMBER, "silent_s": _NUMBER, "count": _COUNT, "words": _TEXT, "words_zh": _TEXT},
    ),
    "if": {"properties": {"event": {"enum": ["stall_end", "server_restarted"]}}},
    "then": {"required": ["seconds"]},
}
_KINDS = {
    "start": _line(
        {"target": _TARGET, "plan": _PLAN, "environment": _ENVIRONMENT, "baseline": _map_of(_OPTIONAL_TEXT)}
    ),
    "server": _line({"pid": {"type": "integer", "minimum": 1}}),
    "process": _line({"pid": {"type": "integer", "minimum": 1}}),
    "sample": _line(
        {
            "requests": _COUNT,
            "tokens": _COUNT,
            "errors": _map_of(_COUNT),
            "ttft": _HISTOGRAM,
            "speed": _HISTOGRAM,
        },
        _numbers(LEVELS),
    ),
    "event": _EVENT,
    "canary": _line({"loaded": _TRUTH, "answers": {"type": "array", "items": _CANARY}}),
    "end": _line({"reason": _TEXT}, {"reason_zh": _TEXT}),
}
_VALIDATORS = {kind: jsonschema_rs.Draft202012Validator(schema) for kind, schema in _KINDS.items()}
_ANY_KIND = jsonschema_rs.Draft202012Validator(_line({}))


def is_line(values: object) -> bool:
    """Whether it can be used. A kind of a later version is one, too."""
    if not _ANY_KIND.is_valid(values) or not isinstance(values, dict):
        return False
    validator = _VALIDATORS.get(values["kind"])
    return validator is None or bool(validator.is_valid(values))
