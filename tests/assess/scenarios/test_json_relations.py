# ruff: noqa: E501 - answers are written as a model writes them
"""Items of made-up data accept an answer in which everything agrees, and refuse it with one thing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wending.assess.checks import run_passes
from wending.assess.response_format import request_fields, schema_of, with_schema
from wending.assess.scenarios import judge, load_scenarios

[SCENARIO] = load_scenarios(["json_output"])
ITEMS = {item.id: item for item in SCENARIO.items}
UUIDS = [f"3f2b8c1e-7a4d-4e5f-9b6a-0c1d2e3f4a5{n}" for n in range(3)]
RIGHT: dict[str, Any] = {
    "employees": [{"id": n, "name": "Ann", "department": "Sales", "salary": 8000 + n, "join_date": "2020-02-29"} for n in range(5)],
    "products": [{"id": n, "name": "灯", "category": "toy", "price": 9.5, "in_stock": True} for n in range(4)],
    "order": {"order_id": "7", "customer": {"name": "Ann", "city": "Oslo"}, "items": [{"sku": sku, "quantity": 1, "unit_price": 2.5} for sku in "ab"], "order_date": "2025-01-31"},
    "meetings": [{"title": "预算会", "city": "北京", "date": "2025-03-01", "attendees": 10} for _ in range(3)],
    "employees_zh": [{"id": n, "name": "张伟", "department": "技术部", "salary": 8000, "join_date": "2020-01-31"} for n in range(3)],
    "servers": [{"id": UUIDS[n], "host": f"web-{n}", "ip": f"10.0.0.{n}", "status": "up", "cpu_percent": 12.5, "last_seen": "2025-05-01T08:30:00Z"} for n in range(3)],
    "invoice_lines": {"number": "R-7", "currency": "EUR", "lines": [{"description": "desk", "quantity": 2, "unit_price": 333, "amount": 666}, {"description": "lamp", "quantity": 1, "unit_price": 45, "amount": 45}, {"description": "chair", "quantity": 4, "unit_price": 80, "amount": 320}], "subtotal": 1031, "tax": 103.1, "total": 1134.1},
    "timeline": [{"id": 9 - n, "title": "x", "date": f"2024-0{n + 1}-29", "kind": "release"} for n in range(4)],
    "company_tree": {"name": "Acme", "departments": [{"name": str(d), "teams": [{"name": str(t), "members": [{"name": "A", "email": f"a{d}{t}{m}@example.org"} for m in range(1 + t)], "headcount": 1 + t} for t in range(2)], "headcount": 3} for d in range(2)], "headcount": 6},
    "notifications": [{"id": 1, "body": {"type": "email", "to": "a@example.org", "subject": "Hi"}}, {"id": 2, "body": {"type": "sms", "phone": "+4712345678", "text": "Hi"}}, {"id": 5, "body": {"type": "sms", "phone": "+4712345679", "text": "Yo"}}],
    "user_accounts_zh": [{"id": n, "name": "王芳", "email": f"u{n}@example.org", "birthday": "1990-12-31", "roles": ["viewer", "editor"], "active": n > 2} for n in range(1, 6)],
    "purchase_zh": {"supplier": "晨光公司", "lines": [{"product": "钢笔", "quantity": 10, "unit_price": 12, "amount": 120}, {"product": "本子", "quantity": 5, "unit_price": 7, "amount": 35}, {"product": "胶带", "quantity": 1, "unit_price": 4, "amount": 4}], "total": 159, "discount": 15.9, "payable": 143.1},
    "schedule_zh": [{"title": "开会", "start": f"{9 + n:02}:00", "end": f"{9 + n:02}:45", "priority": "high", "people": ["李雷"]} for n in range(4)],
    "bookshelves_zh": {"owner": "陈静", "shelves": [{"label": label, "books": [{"title": "围城", "isbn": f"97870200{n}{label == 'B':d}678", "price": 30 + n} for n in range(2)], "value": 61} for label in "AB"], "books": 4, "value": 122},
    "payments_zh": {"payments": [{"id": 1, "amount": 20, "method": {"type": "cash", "received": 50}}, {"id": 2, "amount": 35, "method": {"type": "card", "last4": "0042"}}, {"id": 3, "amount": 5, "method": {"type": "card", "last4": "1234"}}], "total": 60},
    "budget_zh": {"total": 12000, "categories": [{"name": name, "percent": percent, "amount": percent * 120} for name, percent in (("餐饮", 40), ("交通", 30), ("住宿", 25), ("其他", 5))]},
    "network_zh": {"name": "办公网", "devices": [{"id": UUIDS[n], "ip": f"192.168.1.{n}", "ports": [22, 443], "added": "2025-06-01T00:00:00+08:00"} for n in range(2)]},
}  # fmt: skip
WRONG: list[tuple[str, str, Any, str]] = [
    ("employees", "0/department", "Legal", "Legal"),
    ("order", "items/1/quantity", 0, "less than the minimum"),
    ("products", "3/price", 0, "less than or equal to the minimum"),
    ("meetings", "0/date", "2024-12-31", "is not within"),
    ("employees_zh", "0/name", "Wei", "Wei"),
    ("servers", "0/id", "server-1", "uuid"),
    ("servers", "0/ip", "10.0.0.256", "ipv4"),
    ("servers", "0/ip", "10.0.0.1", "*/ip '10.0.0.1' occurs more than once"),
    ("servers", "0/last_seen", "2025-05-01 08:30", "date-time"),
    ("invoice_lines", "lines/0/amount", 667, "the product of quantity, unit_price is 666, not amount = 667"),
    ("invoice_lines", "subtotal", 1030, "the sum of lines/*/amount is 1031, not subtotal = 1030"),
    ("invoice_lines", "tax", 103, "the product of subtotal, 0.1 is 103.1, not tax = 103"),
    ("invoice_lines", "total", 1134, "the sum of subtotal, tax is 1134.1, not total = 1134"),
    ("timeline", "0/date", "2024-05-29", "*/date is not ascending"),
    ("timeline", "3/date", "2024-03-29", "*/date is not ascending"),
    ("timeline", "0/date", "2023-12-31", "is not within"),
    ("timeline", "0/id", 8, "*/id 8 occurs more than once"),
    ("company_tree", "departments/0/teams/1/headcount", 1, "the count of members/* is 2, not headcount = 1"),
    ("company_tree", "departments/0/headcount", 4, "the sum of teams/*/headcount is 3, not headcount = 4"),
    ("company_tree", "headcount", 4, "the sum of departments/*/headcount is 6, not headcount = 4"),
    ("company_tree", "departments/0/teams/0/members/0/email", "a at example.org", "email"),
    ("company_tree", "departments/0/teams/0/members/0/email", "a111@example.org", "occurs more than once"),
    ("notifications", "0/body/type", "sms", "anyOf"),
    ("notifications", "1/body/phone", "12345678", "anyOf"),
    ("notifications", "1/id", 1, "*/id is not ascending"),
    ("user_accounts_zh", "0/roles", [], "has less than 1 item"),
    ("user_accounts_zh", "0/id", 0, "less than the minimum"),
    ("user_accounts_zh", "4/email", "u1@example.org", "occurs more than once"),
    ("purchase_zh", "payable", 159, "the sum of payable, discount is 174.9, not total = 159"),
    ("purchase_zh", "lines/1/amount", 36, "not amount = 36"),
    ("schedule_zh", "0/start", "9:00", "9:00"),
    ("schedule_zh", "0/end", "08:59", "start, end is not ascending"),
    ("schedule_zh", "1/start", "08:00", "*/start is not ascending"),
    ("bookshelves_zh", "shelves/1/label", "A", "occurs more than once"),
    ("bookshelves_zh", "shelves/1/value", 60, "not value = 60"),
    ("bookshelves_zh", "books", 2, "the count of shelves/*/books/* is 4, not books = 2"),
    ("bookshelves_zh", "shelves/0/books/0/isbn", "978-7020001", "978-7020001"),
    ("payments_zh", "total", 61, "the sum of payments/*/amount is 60, not total = 61"),
    ("payments_zh", "payments/1/method/last4", "42", "anyOf"),
    ("budget_zh", "categories/0/percent", 41, "the sum of categories/*/percent is 101, not 100"),
    ("budget_zh", "categories/3/amount", 601, "the product of percent, 120 is 600, not amount = 601"),
    ("network_zh", "devices/0/ports", [70000], "greater than the maximum"),
    ("network_zh", "devices/0/ip", "192.168.1.1", "occurs more than once"),
]  # fmt: skip


def changed(value: Any, path: str, new: Any) -> Any:
    """A copy with another value at the path."""
    name, _, rest = path.partition("/")
    key = int(name) if isinstance(value, list) else name
    copy = list(value) if isinstance(value, list) else dict(value)
    assert copy[key] != new
    copy[key] = changed(copy[key], rest, new) if rest else new
    return copy


def test_every_item_has_one_right_answer_or_one_given_here() -> None:
    exact = {item.id for item in SCENARIO.items if "const" in item.checks[0].expectation["values"]}
    assert exact | set(RIGHT) == set(ITEMS)
    assert not exact & set(RIGHT)
    assert {name for name, *_ in WRONG} == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_an_answer_in_which_all_agrees_passes(name: str) -> None:
    for indent in (None, 2):
        answer = json.dumps(RIGHT[name], ensure_ascii=indent is None, indent=indent)
        assert [result.reason for result in judge(ITEMS[name], [answer]) if not result.passed] == []


@pytest.mark.parametrize(("name", "path", "new", "reason"), WRONG)
def test_one_thing_changed_fails(name: str, path: str, new: Any, reason: str) -> None:
    results = judge(ITEMS[name], [json.dumps(changed(RIGHT[name], path, new), ensure_ascii=False)])
    assert not run_passes(results)
    assert any(reason in result.reason for result in results if not result.passed), results


def test_languages_are_half_and_half() -> None:
    assert len([item for item in SCENARIO.items if item.language == "zh"]) * 2 == len(SCENARIO.items)


def test_every_item_can_be_asked_with_its_schema() -> None:
    [asked] = with_schema([SCENARIO])
    assert asked.items == SCENARIO.items
    for item in asked.items:
        form = request_fields(item)["response_format"]
        assert form["type"] == "json_schema"
        assert form["json_schema"]["name"] == item.id
        json.dumps(form)


def test_the_schema_that_is_sent_has_the_demands_but_not_the_answer() -> None:
    staff = schema_of(ITEMS["employees"])
    assert staff is not None
    assert (staff["minItems"], staff["type"]) == (5, "array")
    fields = staff["items"]["properties"]
    assert fields["salary"] == {"type": "integer", "minimum": 8000, "maximum": 25000}
    assert fields["join_date"] == {"type": "string", "format": "date"}
    exact = ITEMS["bank_statement"]
    assert schema_of(exact) == exact.checks[0].expectation["schema"]
    assert "2629.5" not in json.dumps(request_fields(exact))
    # A pattern that looks for a language is not sent.
    assert "pattern" not in json.dumps(schema_of(ITEMS["user_accounts_zh"]))


def test_items_without_json_and_conversations_have_no_schema() -> None:
    others = load_scenarios(["math_reasoning", "correction", "role_play"])
    assert with_schema(others) == []
