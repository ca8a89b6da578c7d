"""Decides whether a text is the JSON that was asked for, or can be made it. Knows nothing of HTTP."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from wending.serve.guard.answer_schema import AnswerSchema, shortened
from wending.serve.guard.json_pieces import JSONPiece, json_pieces
from wending.serve.guard.json_repairs import repaired
from wending.serve.guard.verdict import Repair, Verdict


def check_answer(text: str, schema: AnswerSchema) -> Verdict:
    """The text itself if it is valid; else what of it is valid once repaired; else what is wrong with it.

    Text that is JSON is never repaired: if the schema does not accept it, its values are wrong. Nor is a text
    in which several different values would do: which of them is the answer cannot be known.
    """
    try:
        problems = schema.problems(_strict(text))
    except ValueError as error:
        return _repaired(text, schema, shortened(f"not valid JSON: {error}"))
    return Verdict(None, problems=problems) if problems else Verdict(text)


def _repaired(text: str, schema: AnswerSchema, not_json: str) -> Verdict:
    problems = [not_json]
    for attempt in (_as_it_stands, _with_other_syntax):
        accepted: dict[str, Verdict] = {}
        for piece in json_pieces(text):
            try:
                value, good_text, repairs = attempt(piece)
                wrong = schema.problems(value)
            except ValueError as error:
                if attempt is _with_other_syntax:
                    problems.append(shortened(f"not repaired: {error}"))
                continue
            if not wrong:
                accepted[json.dumps(value, sort_keys=True)] = Verdict(good_text, repairs)
            problems += wrong
        if len(accepted) == 1:
            return next(iter(accepted.values()))
        if accepted:
            return Verdict(None, problems=(f"the text holds {len(accepted)} JSON values, one is wanted",))
    return Verdict(None, problems=tuple(dict.fromkeys(problems)))


def _as_it_stands(piece: JSONPiece) -> tuple[Any, str, tuple[Repair, ...]]:
    return _strict(piece.text), piece.text, _surroundings(piece)


def _with_other_syntax(piece: JSONPiece) -> tuple[Any, str, tuple[Repair, ...]]:
    value = repaired(piece)
    good_text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    good_text.encode()  # half a surrogate pair is a ValueError
    return value, good_text, (*_surroundings(piece), _kind(piece))


def _kind(piece: JSONPiece) -> Repair:
    if piece.lacks_only_brackets:
        return "not_closed"
    return "cut_off" if piece.was_cut_off else "syntax"


def _surroundings(piece: JSONPiece) -> tuple[Repair, ...]:
    if "```" in piece.around:
        return ("code_fence",)
    return ("text_around",) if piece.around.strip() else ()


def _strict(text: str) -> Any:
    """`text` as JSON (RFC 8259). Raises ValueError, also where Python would be more generous."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
