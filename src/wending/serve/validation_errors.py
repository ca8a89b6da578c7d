"""Turns what pydantic finds wrong with a request into OpenAI's error form: field, value, expectation."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import to_json

from wending.serve.openai_errors import APIError

MAX_SHOWN_CHARACTERS = 80


def as_api_error(error: ValidationError, place: str = "") -> APIError:
    """The first error as APIError 400; `param` is the path of the field, such as messages[0].content.

    `place`: the path of what was validated, if that is a part of the request only.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    param = _path(place, first["loc"])
    match first["type"]:
        case "missing":
            message, code = f"Missing required parameter: '{param}'.", "missing_required_parameter"
        case "extra_forbidden":
            message, code = f"Unknown parameter: '{param}'.", "unknown_parameter"
        case kind:
            expected = first["msg"][:1].lower() + first["msg"][1:]
            message = f"Invalid value for '{param}': {expected}, got {_shown(first['input'])}."
            code = "invalid_type" if kind.endswith("_type") else "invalid_value"
    return APIError(400, message, param=param, code=code)


def _path(path: str, location: Sequence[int | str]) -> str:
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")[:200]


def _shown(value: object) -> str:
    # A part of a long text is cut before its representation is made, which would be as long again.
    shown = value[:MAX_SHOWN_CHARACTERS] if isinstance(value, str | list) else value
    text = to_json(shown, inf_nan_mode="constants").decode()
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
