"""The three kinds of request whose speed is measured: prompts that are never twice the same, valid answers.

Different numbers and subjects keep a server's prefix cache from answering for the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wending.assess.article import is_article
from wending.assess.checks import run_check_safely, run_passes

RequestTypeName = Literal["short", "long", "json"]

_GOODS = ("pens", "apples", "notebooks", "bottles of water", "bus tickets", "postcards", "eggs", "batteries")
_GUIDES = (
    ("brew coffee with a French press", ("coffee",)),
    ("make a pot of green tea", ("tea",)),
    ("change the inner tube of a bicycle tyre", ("tyre", "tire", "tube")),
    ("cook rice in a pot", ("rice",)),
)
"""What an article explains, and words of which it must have one."""


@dataclass(frozen=True, slots=True)
class RequestType:
    """`share` is this type's part of the time budget; `prompt` gives the n-th prompt, n = 0, 1, 2 ...

    `is_valid` says whether a text is an answer to the n-th prompt that could be used.
    """

    name: RequestTypeName
    max_tokens: int
    share: float
    prompt: Callable[[int], str]
    is_valid: Callable[[int, str], bool]


def _purchase(number: int) -> tuple[int, int]:
    """How many goods, and the price of one."""
    return 2 + number % 11, 3 + number % 17


def _short(number: int) -> str:
    count, price = _purchase(number)
    goods = _GOODS[number % len(_GOODS)]
    return (
        f"{count} {goods} are bought at {price} yuan each. "
        "How much is that in all? Answer in one or two sentences."
    )


def _has_sum(number: int, answer: str) -> bool:
    """What the purchase comes to stands in the answer."""
    count, price = _purchase(number)
    return run_passes(run_check_safely("numbers", answer, {"required": [f"{count} * {price}"]}))


def _long(number: int) -> str:
    guide, _ = _GUIDES[number % len(_GUIDES)]
    return (
        f"Write a detailed article on how to {guide} for {2 + number} people. "
        "At least 800 words: every step with its reason, frequent mistakes, and cleaning up."
    )


def _is_guide(number: int, answer: str) -> bool:
    """One that its token limit cut off may be valid: more is asked for than it allows."""
    _, subject = _GUIDES[number % len(_GUIDES)]
    return is_article(answer, subject)


def _employees(number: int) -> int:
    return 5 + number % 3


def _json(number: int) -> str:
    return (
        f"Generate a JSON array of {_employees(number)} employees. Each has id (starting at {101 + number}), "
        "name, department (Engineering, Sales or HR), salary (8000 to 25000) and join_date (YYYY-MM-DD). "
        "Output only the JSON."
    )


def _is_json(number: int, answer: str) -> bool:
    """As many employees as were asked for, with all their fields."""
    count = _employees(number)
    values = {"minItems": count, "maxItems": count}
    return run_passes(run_check_safely("json", answer, {"schema": _EMPLOYEES, "values": values}))


_EMPLOYEES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["id", "name", "department", "salary", "join_date"],
        "properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "department": {"type": "string"},
            "salary": {"type": "number"},
            "join_date": {"type": "string"},
        },
    },
}

REQUEST_TYPES = (
    RequestType("short", max_tokens=96, share=0.25, prompt=_short, is_valid=_has_sum),
    RequestType("long", max_tokens=640, share=0.45, prompt=_long, is_valid=_is_guide),
    RequestType("json", max_tokens=512, share=0.3, prompt=_json, is_valid=_is_json),
)

LONG_ANSWER_TOKENS = 500
"""A long answer has more tokens than this; the report says when the model's answers end earlier."""
