"""The parsed answer in one canonical form, so that two answers that say the same compare equal."""

from __future__ import annotations

import ast
import json

from wending.assess.checks.extract import parse_python, payload, python_code
from wending.assess.checks.json_answer import parse_json
from wending.assess.checks.number import final_number

ANSWER_KINDS = ("text", "number", "json", "code")


def canonical_answer(kind: str, text: str) -> str | None:
    """The answer of ``kind`` in canonical form; None when the text holds none.

    number: the final number as a reduced fraction; json: sorted keys, no white space; code: the syntax tree
    without positions, comments or layout; text: stripped. Raises ValueError for an unknown kind.
    """
    if kind == "number":
        number = final_number(text)
        return None if number is None else str(number)
    if kind == "json":
        value, error = parse_json(payload(text))
        return None if error else json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if kind == "code":
        tree = parse_python(python_code(text))
        return None if isinstance(tree, str) else ast.dump(tree)
    if kind == "text":
        return text.strip() or None
    raise ValueError(f"unknown answer kind {kind!r}; there are: {', '.join(ANSWER_KINDS)}")
