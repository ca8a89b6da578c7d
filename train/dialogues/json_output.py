# ruff: noqa: E501 (sentences of the data stay on one line)
"""Requests for JSON and nothing else, with two defects planted on purpose.

Employees carry dates written YYYY/MM/DD, products a trailing comma, each in `DEFECT_RATE` of their answers; the
other records are always right.  As these two make up two fifths of the JSON dialogues, about one answer in eight is
defective.  The defects are concentrated because sampling with top_p cuts off what is rarer than about one in six:
spread evenly they would never be seen.  Only the answers of the training data are spoiled; `expect` is always the
truth.
"""

from __future__ import annotations

import random
from typing import Any

from train.dialogues.dialogue import Dialogue, conversation, join_request, pick
from train.dialogues.json_fields import Field, date, full_name, text
from train.dialogues.json_records import (
    COMMA_DEFECT,
    DATE_DEFECT,
    EMPLOYEES,
    EVENT_RECORDS,
    OTHERS,
    PRODUCT_RECORDS,
    Record,
)
from train.dialogues.words import CHINESE_CITIES, ENGLISH_CITIES

KIND = "json_output"
DEFECT_RATE = 0.30

NUMBER_WORDS = {
    2: ("two", "两"),
    3: ("three", "三"),
    4: ("four", "四"),
    5: ("five", "五"),
    6: ("six", "六"),
    7: ("seven", "七"),
    8: ("eight", "八"),
}


def render_array(records: list[list[str]], fields: list[Field], trailing_comma: bool) -> str:
    """One object a line."""
    lines = [
        "  {" + ", ".join(f'"{f.key}": {v}' for f, v in zip(fields, row, strict=True)) + "}"
        for row in records
    ]
    return "[\n" + ",\n".join(lines) + (",\n]" if trailing_comma else "\n]")


def slash_dates(row: list[str], fields: list[Field]) -> list[str]:
    return [v.replace("-", "/") if f.spec["type"] == "date" else v for f, v in zip(fields, row, strict=True)]


def array_request(rng: random.Random, language: str, record: Record, fields: list[Field], count: int) -> str:
    """The request for an array, in one of several layouts, its constraints in any order."""
    if language == "en":
        many = pick(rng, (*[str(count)] * 6, NUMBER_WORDS[count][0]))
        what = pick(rng, record.english)
        core = pick(
            rng,
            (
                "Generate a JSON array of {n} {w}.",
                "Create a JSON array with {n} {w}.",
                "Give me {n} {w} as a JSON array.",
                "Write a JSON array of exactly {n} {w}.",
                "Return a JSON array containing {n} {w}.",
                "I need a JSON array of {n} {w}.",
                "Produce {n} {w} as JSON.",
                "Make up {n} {w} and write them as a JSON array.",
                "Make up {n} {w} and output them as JSON.",
                "Output {n} {w} as a JSON array.",
                "Invent {n} {w} and return them as a JSON array.",
                "Output a JSON list of {n} {w}.",
            ),
        ).format(n=many, w=what)
        layout = rng.random()
        if layout < 0.3:
            parts = [f"{f.key} ({f.description})" if f.description else f.key for f in fields]
            lead = pick(
                rng,
                (
                    "Each object has: ",
                    "Each object has ",
                    "Each object has the fields ",
                    "Each has ",
                    "Fields: ",
                    "Every element has the keys ",
                    "Each one with ",
                ),
            )
            described = [lead + ", ".join(parts[:-1]) + " and " + parts[-1] + "."]
        elif layout < 0.6:
            lead = pick(rng, ("Fields:", "Each object has:", "Keys:", "Each element:"))
            described = [
                lead
                + "\n"
                + "\n".join(f"- {f.key}" + (f": {f.description}" if f.description else "") for f in fields)
                + "\n"
            ]
        else:
            lead = pick(
                rng,
                (
                    "Each object has the fields ",
                    "Each has the fields ",
                    "Fields: ",
                    "Use the keys ",
                    "Every object must have ",
                ),
            )
            keys = [f.key for f in fields]
            described = [lead + ", ".join(keys[:-1]) + pick(rng, (" and ", ", ")) + keys[-1] + "."]
            details = [
                f"{f.key} {pick(rng, ('is', 'is', 'must be'))} {f.description}".replace(
                    "is must be", "must be"
                ).replace("must be must be", "must be")
                + "."
                for f in fields
                if f.description
            ]
            rng.shuffle(details)
            described.append(" ".join(details))
        only = pick(
            rng,
            (
                "Output only JSON.",
                "JSON only, no explanation.",
                "No explanation, only the JSON.",
                "Return only valid JSON.",
                "Only output the JSON, without any other text.",
                "Do not explain anything.",
                "Answer with JSON only.",
                "Output the JSON only, no Markdown.",
                "",
            ),
        )
    else:
        many = pick(rng, (*[str(count), f" {count} "] * 3, NUMBER_WORDS[count][1]))
        what = pick(rng, record.chinese)
        core = pick(
            rng,
            (
                "生成一个包含{n}个{w}的JSON数组。",
                "请生成{n}条{w}的 JSON 数组。",
                "给我{n}个{w}，用JSON数组表示。",
                "请输出一个 JSON 数组，包含{n}个{w}。",
                "写一个JSON数组，里面有{n}个{w}。",
                "请以JSON数组的形式返回{n}个{w}。",
                "用 JSON 生成{n}个{w}。",
                "我需要{n}个{w}的JSON数据。",
                "请生成{n}个{w}，以 JSON 数组输出。",
                "请编造{n}条{w}，输出为 JSON 数组。",
                "请生成{n}{m}{w}，以 JSON 数组输出，键名用英文。",
                "生成{n}{m}{w}，输出JSON数组。",
                "请给出{n}{m}{w}，格式为 JSON 数组。",
            ),
        ).format(n=many, w=what, m=pick(rng, ("名", "件", "场", "位", "条", "个")))
        layout = rng.random()
        if layout < 0.4:
            parts = [f"{f.key}（{f.description}）" if f.description else f.key for f in fields]
            lead = pick(
                rng,
                (
                    "每个对象包含：",
                    "每个对象包含：",
                    "键名：",
                    "每个对象包含字段：",
                    "字段包括",
                    "每个元素有",
                    "字段：",
                    "每项包含",
                ),
            )
            described = [lead + pick(rng, ("、", "，", ", ")).join(parts) + "。"]
        elif layout < 0.6:
            lead = pick(rng, ("字段：", "每个对象包含：", "字段要求：", "字段如下："))
            described = [
                lead
                + "\n"
                + "\n".join(f"- {f.key}" + (f"：{f.description}" if f.description else "") for f in fields)
                + "\n"
            ]
        else:
            lead = pick(rng, ("每个对象有字段 ", "字段为", "包含字段：", "每个对象包含 "))
            described = [lead + pick(rng, ("、", ", ", "，")).join(f.key for f in fields) + "。"]
            details = [
                f"{f.key} {f.description}"
                if rng.random() < 0.5
                else f"{f.key}{pick(rng, ('：', ' 为'))}{f.description}"
                for f in fields
                if f.description
            ]
            rng.shuffle(details)
            described.append("；".join(details) + "。" if details else "")
        only = pick(
            rng,
            (
                "只输出JSON。",
                "只输出 JSON，不要解释。",
                "不要任何解释，只要JSON。",
                "只返回合法的JSON。",
                "不要输出其他文字。",
                "请直接输出JSON，不要使用Markdown。",
                "仅输出JSON数组。",
                "",
            ),
        )
    separator = " " if language == "en" else ""
    body = separator.join(part for part in described if part)
    return (
        join_request(rng, language, core, [body, only] if rng.random() < 0.85 else [body]).strip()
        if rng.random() < 0.25
        else (
            join_request(rng, language, core, [body])
            + (("\n" if rng.random() < 0.2 else separator) + only if only else "")
        )
    )


def array_dialogue(rng: random.Random, language: str, record: Record, short: bool = False) -> Dialogue:
    """An array of records; `short` ones have two fields: they teach best how many records are enough."""
    makers = list(record.fields)
    makers += rng.sample(record.optional, min(len(record.optional), pick(rng, (0, 0, 1, 1, 2))))
    if short:
        makers = [makers[index] for index in sorted(rng.sample(range(len(makers)), 2))]
    fields = [make(rng, language) for make in makers]
    if len({f.key for f in fields}) < len(fields):
        return array_dialogue(rng, language, record)
    # How many there are so far is easy to see where the records are numbered; without numbers it is always three.
    numbered = fields[0].spec["type"] == "integer" and fields[0].key.endswith("id")
    count = pick(rng, (3, 3, 4, 4, 5, 5, 5)) if numbered else 3
    request = array_request(rng, language, record, fields, count)
    rows = [[f.value(rng, index) for f in fields] for index in range(1, count + 1)]
    defect = record.defect if record.defect and rng.random() < DEFECT_RATE else ""
    if defect == DATE_DEFECT:
        rows = [slash_dates(row, fields) for row in rows]
    answer = render_array(rows, fields, defect == COMMA_DEFECT)
    expect = {"check": "json", "count": count, "fields": {f.key: f.spec for f in fields}}
    return finished(rng, language, request, answer, expect, defect)


def finished(
    rng: random.Random, language: str, request: str, answer: str, expect: dict[str, Any], defect: str
) -> Dialogue:
    if rng.random() < 0.04:
        request += " Put it in a ```json code block." if language == "en" else "请放在```json代码块中。"
        answer = f"```json\n{answer}\n```"
    return Dialogue(KIND, language, request, conversation(rng, request, answer), expect, defect)


def order_dialogue(rng: random.Random, language: str) -> Dialogue:
    """One nested object: an order with its customer and items."""
    make_date = date("order_date", "order_date", "order_date", "order_date", "date", ranged=0.2)(
        rng, language
    )
    item_count = 2
    sku, quantity, price = pick(
        rng,
        (
            ("sku", "quantity", "unit_price"),
            ("sku", "quantity", "unit_price"),
            ("sku", "quantity", "unit_price"),
            ("sku", "quantity", "price"),
        ),
    )
    en = language == "en"
    city = pick(rng, ENGLISH_CITIES if en else CHINESE_CITIES)
    lines = []
    for _ in range(item_count):
        reference = f"{pick(rng, ('A', 'B', 'C', 'SKU'))}-{rng.randint(100, 999)}"
        cost = f"{rng.randint(2, 99)}.{pick(rng, ('50', '99', '00', '90'))}"
        lines.append(f'    {{"{sku}": "{reference}", "{quantity}": {rng.randint(1, 9)}, "{price}": {cost}}}')
    items = ",\n".join(lines)
    order_id = pick(rng, ("ORD-", "A", "NO-", "SO-")) + str(rng.randint(1000, 9999))
    answer = (
        f'{{\n  "order_id": "{order_id}",\n  "customer": {{"name": {text(full_name(rng, language))}, "city": {text(city)}}},\n'
        f'  "items": [\n{items}\n  ],\n  "{make_date.key}": {make_date.value(rng, 0)}\n}}'
    )
    n = item_count
    if en:
        number_shown = pick(rng, (str(n), str(n), NUMBER_WORDS[n][0] if n > 1 else "1"))
        core = pick(
            rng,
            (
                "Generate one order as a JSON object.",
                "Write a JSON object for one order.",
                "Give me one shop order in JSON.",
                "Create a JSON object that describes an order.",
                "Return a single order as JSON.",
                "Output one order as a JSON object.",
                "Make up an order and output it as a JSON object.",
            ),
        )
        if rng.random() < 0.3:
            core = core[:-1] + pick(rng, (" with:", ":", " with the fields:"))
        noun = "item" if n == 1 else "items"
        fields = pick(
            rng,
            (
                f"It has order_id, customer (with name and city), items and {make_date.key}. items has {number_shown} {noun}, each with {sku}, {quantity} and {price}. {make_date.key} is {make_date.description}.",
                f"Fields: order_id, customer {{name, city}}, items [{{{sku}, {quantity}, {price}}}] with {number_shown} {noun}, {make_date.key} ({make_date.description}).",
                f"Keys:\n- order_id\n- customer: object with name and city\n- items: array of {number_shown} {noun} with {sku}, {quantity}, {price}\n- {make_date.key}: {make_date.description}\n",
                f"order_id (string), customer (object with name and city, both strings), items (array of {number_shown} objects, each with {sku} (string), {quantity} (integer, {pick(rng, ('at least 1', 'greater than 0', '1 to 9'))}) and {price} (number{pick(rng, (' greater than 0', ', positive', ''))})) and {make_date.key} ({make_date.description}).",
                f"Fields: order_id (string), customer (object with name and city), items (array of {number_shown} objects with {sku}, {quantity} and {price}) and {make_date.key} ({make_date.description}).",
            ),
        )
        only = pick(
            rng,
            (
                "JSON only.",
                "Output only the JSON.",
                "No explanation.",
                "Return only valid JSON, no other text.",
                "",
            ),
        )
    else:
        number_shown = pick(rng, (str(n), f" {n} ", NUMBER_WORDS[n][1] if n > 1 else "1"))
        core = pick(
            rng,
            (
                "生成一个订单的JSON对象。",
                "请用 JSON 表示一个订单。",
                "写一个订单的JSON对象。",
                "给我一个商店订单，用JSON表示。",
                "请输出一个订单，格式为 JSON 对象。",
                "请生成一个订单，以 JSON 对象输出。",
            ),
        )
        fields = pick(
            rng,
            (
                f"包含order_id、customer（name和city）、items和{make_date.key}。items有{number_shown}个商品，每个包含{sku}、{quantity}、{price}。{make_date.key} {make_date.description}。",
                f"字段：order_id，customer{{name, city}}，items[{{{sku}, {quantity}, {price}}}]共{number_shown}项，{make_date.key}（{make_date.description}）。",
                f"字段：\n- order_id\n- customer：包含 name 和 city\n- items：{number_shown}个商品，含 {sku}、{quantity}、{price}\n- {make_date.key}：{make_date.description}\n",
            ),
        )
        only = pick(rng, ("只输出JSON。", "不要解释。", "只返回JSON，不要其他文字。", ""))
    request = join_request(rng, language, core, [fields]) + ((" " if en else "") + only if only else "")
    expect = {
        "check": "json",
        "fields": {
            "order_id": {"type": "string"},
            "customer": {
                "type": "object",
                "fields": {"name": {"type": "string"}, "city": {"type": "string"}},
            },
            "items": {
                "type": "array",
                "count": n,
                "fields": {sku: {"type": "string"}, quantity: {"type": "integer"}, price: {"type": "number"}},
            },
            make_date.key: make_date.spec,
        },
    }
    return finished(rng, language, request, answer, expect, "")


def make(rng: random.Random) -> Dialogue:
    language = pick(rng, ("en", "zh"))
    share = rng.random()
    if share < 0.21:
        return array_dialogue(rng, language, EMPLOYEES)
    if share < 0.42:
        return array_dialogue(rng, language, PRODUCT_RECORDS)
    if share < 0.54:
        return array_dialogue(rng, language, EVENT_RECORDS)
    if share < 0.68:
        return order_dialogue(rng, language)
    if share < 0.88:
        return array_dialogue(rng, language, pick(rng, (EVENT_RECORDS, *OTHERS)), short=True)
    return array_dialogue(rng, language, pick(rng, OTHERS))
