"""Relations that must hold inside a JSON value: sums that add up, counts, order, things that must differ."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from wending.assess.bilingual import Bilingual

_COMPUTED: dict[str, tuple[Callable[[Sequence[Fraction]], Fraction], str]] = {
    "sum": (lambda numbers: sum(numbers, Fraction(0)), "之和"),
    "product": (lambda numbers: math.prod(numbers, start=Fraction(1)), "之积"),
}
_ORDERED: dict[str, tuple[Callable[[Any, Any], bool], Bilingual]] = {
    "ascending": (operator.lt, Bilingual("not ascending", "不是升序")),
    "descending": (operator.gt, Bilingual("not descending", "不是降序")),
}


def violations(value: Any, relations: Sequence[Mapping[str, Any]]) -> list[Bilingual]:
    """What each relation finds wrong with ``value``; empty if all hold.

    A relation is one of ``sum``, ``product``, ``count`` (which must be what ``equals`` names), ``ascending``,
    ``descending`` (strictly; text by its characters, as ISO dates want it) and ``unique``. Each takes a path
    such as ``lines/*/amount`` (``*``: every element), a number, or a list of them. ``of`` is the path of the
    objects inside which the relation must hold, each for itself; without it that is ``value``. Arithmetic is
    exact in the decimals as written. Raises ValueError for a relation that is none of these.
    """
    found: list[Bilingual] = []
    for relation in relations:
        name = next((key for key in relation if key not in ("of", "equals")), "")
        for place in _at(value, relation.get("of", "")):
            found += _violations(name, relation, place)
    return found


def _violations(name: str, relation: Mapping[str, Any], place: Any) -> Iterator[Bilingual]:
    said = relation.get(name, "")
    paths = said if isinstance(said, list) else [said]
    about = ", ".join(map(str, paths))
    values = [found for path in paths for found in _at(place, path)]
    if name in _COMPUTED:
        compute, in_chinese = _COMPUTED[name]
        numbers = [_exact(one) for one in values]
        wanted = None if None in numbers else compute([one for one in numbers if one is not None])
        yield from _unequal(place, relation["equals"], wanted, name, about, in_chinese)
    elif name == "count":
        yield from _unequal(place, relation["equals"], Fraction(len(values)), name, about, "的个数")
    elif name in _ORDERED:
        in_order, words = _ORDERED[name]
        for first, second in pairwise(values):
            if not (_comparable(first, second) and in_order(first, second)):
                yield Bilingual(
                    f"{about} is {words}: {second!r} after {first!r}",
                    f"{about} {words.zh}：{first!r} 之后是 {second!r}",
                )
    elif name == "unique":
        repeated = {repr(one): one for one in values if values.count(one) > 1}
        for one in repeated.values():
            yield Bilingual(f"{about} {one!r} occurs more than once", f"{about} {one!r} 重复出现")
    else:
        known = ", ".join([*_COMPUTED, "count", *_ORDERED, "unique"])
        raise ValueError(f"relation {dict(relation)!r}: {name!r} is none of {known}")


def _unequal(
    place: Any, path: str | float, wanted: Fraction | None, name: str, about: str, in_chinese: str
) -> Iterator[Bilingual]:
    """``path``, a number itself or where one is stated, is not the one that was computed."""
    for stated in _at(place, path):
        if wanted is None or _exact(stated) != wanted:
            number = "–" if wanted is None else f"{Decimal(wanted.numerator) / wanted.denominator:.15g}"
            found = stated if stated == path else f"{path} = {str(stated)[:40]}"
            yield Bilingual(
                f"the {name} of {about} is {number}, not {found}",
                f"{about} {in_chinese}为 {number}，不是 {found}",
            )


def _at(value: Any, path: str | float) -> Iterator[Any]:
    """The values under a path: none where it leads nowhere. A number stands for itself."""
    if not isinstance(path, str):
        yield path
    elif not path:
        yield value
    else:
        name, _, rest = path.partition("/")
        if name == "*" and isinstance(value, list):
            for element in value:
                yield from _at(element, rest)
        elif isinstance(value, dict) and name in value:
            yield from _at(value[name], rest)


def _comparable(first: Any, second: Any) -> bool:
    return type(first) is type(second) or None not in (_exact(first), _exact(second))


def _exact(number: Any) -> Fraction | None:
    """The decimal that was written; None for what is no finite number, which equals nothing computed."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return Fraction(str(number)) if isinstance(number, int) or math.isfinite(number) else None
