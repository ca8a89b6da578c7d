# ruff: noqa: E501 (sentences of the data stay on one line)
"""Fields of generated JSON records: how a request describes them, what values they take, how an answer is checked.

A field is drawn once per request (its key, its limits, its choices) and then yields one value per record.  A
specification (`spec`) is what `train.checks` verifies: {"type": ..., limits}.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from train.dialogues.dialogue import pick
from train.dialogues.words import (
    CHINESE_CITIES,
    CHINESE_GIVEN,
    CHINESE_SURNAMES,
    ENGLISH_CITIES,
    ENGLISH_NAMES,
    SURNAMES,
)


@dataclass(frozen=True)
class Field:
    """`value(rng, index)` gives the JSON text of record number `index` (from 1)."""

    key: str
    description: str
    spec: dict[str, Any]
    value: Callable[[random.Random, int], str]


FieldMaker = Callable[[random.Random, str], Field]


def text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def full_name(rng: random.Random, language: str) -> str:
    if language == "en":
        return f"{pick(rng, ENGLISH_NAMES)} {pick(rng, SURNAMES)}"
    return pick(rng, CHINESE_SURNAMES) + pick(rng, CHINESE_GIVEN)


def identifier(*keys: str) -> FieldMaker:
    def make(rng: random.Random, language: str) -> Field:
        wordings: tuple[str, ...]
        if language == "en":
            wordings = (
                "integer",
                "an integer",
                "integer starting at 1",
                "integer, unique",
                "unique integer",
                "",
                "",
            )
        else:
            wordings = ("整数", "从1开始的整数", "整数，不重复", "唯一的整数", "", "")
        return Field(pick(rng, keys), pick(rng, wordings), {"type": "integer"}, lambda _, index: str(index))

    return make


def words(keys: Sequence[str], english: Sequence[str], chinese: Sequence[str]) -> FieldMaker:
    """A free text field whose values come from a list."""

    def make(rng: random.Random, language: str) -> Field:
        key = pick(rng, keys)
        if language == "en":
            described = pick(rng, ("string", "string", "text", f"the {key}", "", ""))
        else:
            label = {
                "title": "名称",
                "name": "名称",
                "city": "城市",
                "location": "地点",
                "subject": "主题",
            }.get(key, "文本")
            described = pick(
                rng, ("字符串", "字符串", label, f"{label}，中文", f"{label}，字符串", "中文", "", "")
            )
        pool = english if language == "en" else chinese
        return Field(key, described, {"type": "string"}, lambda r, _: text(pick(r, pool)))

    return make


def names(*keys: str) -> FieldMaker:
    def make(rng: random.Random, language: str) -> Field:
        described = (
            pick(rng, ("string", "full name", "")) if language == "en" else pick(rng, ("字符串", "姓名", ""))
        )
        return Field(
            pick(rng, keys), described, {"type": "string"}, lambda r, _: text(full_name(r, language))
        )

    return make


def cities(*keys: str) -> FieldMaker:
    return words(keys, ENGLISH_CITIES, CHINESE_CITIES)


def choice(keys: Sequence[str], english: Sequence[str], chinese: Sequence[str], size: int = 3) -> FieldMaker:
    """One of `size` values that the request names; a Chinese request may name English values."""

    def make(rng: random.Random, language: str) -> Field:
        pool = english if language == "en" or rng.random() < 0.35 else chinese
        options = rng.sample(list(pool), size)
        if language == "en":
            quoted = rng.random() < 0.75
            shown = [f'"{o}"' if quoted else o for o in options]
            listed = ", ".join(shown[:-1]) + pick(rng, (" or ", ", ", " and ")) + shown[-1]
            described = pick(
                rng,
                ("one of {}", "one of {}", "one of: {}", "must be one of {}", "either {}", "only {}", "{}"),
            ).format(listed)
        else:
            quoted = rng.random() < 0.75
            listed = pick(rng, ("、", "、", "，", " / ", "/", ", ")).join(
                f'"{o}"' if quoted else o for o in options
            )
            described = pick(
                rng,
                (
                    "只能是{}之一",
                    "取值为{}",
                    "从{}中选择",
                    "必须是{}中的一个",
                    "只能是 {} 之一",
                    "{} 之一",
                    "三选一：{}",
                    "{}三者之一",
                ),
            ).format(listed)
        return Field(
            pick(rng, keys),
            described,
            {"type": "string", "enum": options},
            lambda r, _: text(pick(r, options)),
        )

    return make


def shown_number(rng: random.Random, value: int) -> str:
    return f"{value:,}" if value >= 1000 and rng.random() < 0.5 else str(value)


def number(
    keys: Sequence[str], ranges: Sequence[tuple[int, int, int]], decimals: bool = False, always: bool = False
) -> FieldMaker:
    """A number between limits (low, high, step) which the request usually states.

    The values lie within all the limits that the field may be given: which ones were stated need not be learned.
    """

    def make(rng: random.Random, language: str) -> Field:
        low, high, step = pick(rng, ranges)
        stated = always or rng.random() < 0.6
        kind = "number" if decimals else "integer"
        if language == "en":
            limits = pick(
                rng, ("between {} and {}", "from {} to {}", "{} to {}", "{}-{}", "in the range {} to {}")
            )
            noun = pick(rng, (kind + " ", "", ""))
            plain = pick(rng, (kind, kind, "number greater than 0", "positive number", "greater than 0", ""))
        else:
            limits = pick(
                rng,
                (
                    "{}到{}之间",
                    "在 {} 到 {} 之间",
                    "{}-{}",
                    "范围 {} 至 {}",
                    "介于{}和{}之间",
                    "{} 到 {}",
                    "{} 到 {} 的" + ("数字" if decimals else "整数"),
                ),
            )
            noun = pick(rng, ("整数，" if not decimals else "数字，", "", ""))
            plain = pick(rng, ("整数" if not decimals else "数字", "大于 0 的数字", "大于0", ""))
        described = noun + limits.format(shown_number(rng, low), shown_number(rng, high)) if stated else plain
        least, most = max(r[0] for r in ranges), min(r[1] for r in ranges)
        inner = (most - least) // step

        def value(r: random.Random, _: int) -> str:
            whole = least + step * r.randint(1, inner - 1)
            if not decimals:
                return str(whole)
            return f"{whole - 1}{pick(r, ('.50', '.99', '.90', '.25', '.00'))}" if whole > 1 else "1.50"

        spec: dict[str, Any] = {"type": kind}
        if stated:
            spec |= {"minimum": low, "maximum": high}
        return Field(pick(rng, keys), described, spec, value)

    return make


def boolean(*keys: str) -> FieldMaker:
    def make(rng: random.Random, language: str) -> Field:
        described = (
            pick(rng, ("boolean", "true or false", "a boolean"))
            if language == "en"
            else pick(rng, ("布尔值", "true 或 false", "布尔类型"))
        )
        return Field(
            pick(rng, keys), described, {"type": "boolean"}, lambda r, _: pick(r, ("true", "true", "false"))
        )

    return make


def date(*keys: str, ranged: float = 0.4) -> FieldMaker:
    """A date written YYYY-MM-DD, perhaps within a year or a range of years."""

    def make(rng: random.Random, language: str) -> Field:
        first_year, last_year = 2018, 2024
        limit = ""
        if rng.random() < ranged:
            shape = rng.random()
            if shape < 0.35:
                first_year = last_year = rng.randint(2019, 2027)
                limit = (
                    f"in {first_year}"
                    if language == "en"
                    else pick(rng, (f"在{first_year}年内", f"{first_year}年", f"在 {first_year} 年"))
                )
            else:
                first_year = rng.randint(2017, 2026)
                last_year = first_year + (rng.randint(1, 3) if shape < 0.6 else 0)
                start, end = f"{first_year}-01-01", f"{last_year}-12-31"
                if language == "en":
                    limit = pick(rng, ("between {} and {}", "from {} to {}")).format(start, end)
                else:
                    limit = pick(
                        rng, ("在{}到{}之间", "{} 至 {}", "在 {} 到 {} 之间", "介于{}和{}之间")
                    ).format(start, end)
        if language == "en":
            form = pick(
                rng,
                (
                    "YYYY-MM-DD",
                    "format YYYY-MM-DD",
                    "a date as YYYY-MM-DD",
                    "date, YYYY-MM-DD",
                    "in the format YYYY-MM-DD",
                ),
            )
            described = form + (f", {limit}" if limit else "")
        else:
            form = pick(rng, ("格式为YYYY-MM-DD", "YYYY-MM-DD", "YYYY-MM-DD 格式", "日期格式 YYYY-MM-DD"))
            described = form + (f"，{limit}" if limit else "")

        def value(r: random.Random, _: int) -> str:
            year = pick(r, (first_year, last_year)) if limit else r.randint(first_year, last_year)
            return text(f"{year}-{r.randint(1, 12):02}-{r.randint(1, 28):02}")

        spec: dict[str, Any] = {"type": "date"}
        if limit:
            spec |= {"from": f"{first_year}-01-01", "to": f"{last_year}-12-31"}
        return Field(pick(rng, keys), described, spec, value)

    return make


def email(*keys: str) -> FieldMaker:
    def make(rng: random.Random, language: str) -> Field:
        described = (
            pick(rng, ("string", "e-mail address", ""))
            if language == "en"
            else pick(rng, ("字符串", "邮箱地址", ""))
        )
        return Field(
            pick(rng, keys),
            described,
            {"type": "string"},
            lambda r, _: text(f"{pick(r, ENGLISH_NAMES).lower()}{r.randint(1, 99)}@example.com"),
        )

    return make


def code(*keys: str) -> FieldMaker:
    """A short reference such as A-102."""

    def make(rng: random.Random, language: str) -> Field:
        described = pick(rng, ("string", "", "")) if language == "en" else pick(rng, ("字符串", "", ""))
        prefix = pick(rng, ("A", "B", "SKU", "P", "T", "X"))
        return Field(
            pick(rng, keys),
            described,
            {"type": "string"},
            lambda r, _: text(f"{prefix}-{r.randint(100, 999)}"),
        )

    return make
