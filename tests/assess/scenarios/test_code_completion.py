# ruff: noqa: E501 - answers are written as a model writes them
"""Every added item accepts a right solution, whole or as a continuation, and refuses wrong ones."""

from __future__ import annotations

from collections import Counter

import pytest

from wending.assess.checks import run_passes
from wending.assess.scenarios import judge, load_scenarios

[SCENARIO] = load_scenarios(["code_completion"])
ITEMS = {item.id: item for item in SCENARIO.items}
ANSWERS = {
    "second_largest": r"""
def second_largest(numbers: list[int]) -> int | None:
    found = sorted(set(numbers))
    return found[-2] if len(found) > 1 else None
""",
    "run_length": r"""
def run_length(text: str) -> list[list]:
    out = []
    for c in text:
        if out and out[-1][0] == c:
            out[-1][1] += 1
        else:
            out.append([c, 1])
    return out
""",
    "rotate": r"""
def rotate(items: list, k: int) -> list:
    if not items:
        return []
    k %= len(items)
    return items[-k:] + items[:-k] if k else list(items)
""",
    "is_anagram": r"""
def is_anagram(a: str, b: str) -> bool:
    clean = lambda s: sorted(s.replace(' ', '').lower())
    return clean(a) == clean(b)
""",
    "flatten": r"""
def flatten(values: list) -> list:
    out = []
    for v in values:
        if isinstance(v, list):
            out.extend(flatten(v))
        else:
            out.append(v)
    return out
""",
    "roman_to_int": r"""
def roman_to_int(numeral: str) -> int:
    value = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}
    total = 0
    for i, c in enumerate(numeral):
        v = value[c]
        total += -v if i + 1 < len(numeral) and v < value[numeral[i + 1]] else v
    return total
""",
    "merge_sorted": r"""
def merge_sorted(a: list[int], b: list[int]) -> list[int]:
    return sorted(a + b)
""",
    "balanced": r"""
def balanced(text: str) -> bool:
    pairs = {')': '(', ']': '[', '}': '{'}
    stack = []
    for c in text:
        if c in '([{':
            stack.append(c)
        elif c in pairs:
            if not stack or stack.pop() != pairs[c]:
                return False
    return not stack
""",
    "leap_year": r"""
def is_leap_year(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
""",
    "digit_sum": r"""
def digit_root(n: int) -> int:
    while n > 9:
        n = sum(map(int, str(n)))
    return n
""",
    "chunks": r"""
def chunks(items: list, size: int) -> list[list]:
    if size < 1:
        raise ValueError(size)
    return [items[i:i + size] for i in range(0, len(items), size)]
""",
    "group_by_length": r"""
def group_by_length(words: list[str]) -> dict[str, list[str]]:
    out = {}
    for w in words:
        out.setdefault(str(len(w)), []).append(w)
    return out
""",
    "caesar": r"""
def caesar(text: str, shift: int) -> str:
    out = ''
    for c in text:
        if 'a' <= c <= 'z':
            out += chr((ord(c) - 97 + shift) % 26 + 97)
        elif 'A' <= c <= 'Z':
            out += chr((ord(c) - 65 + shift) % 26 + 65)
        else:
            out += c
    return out
""",
    "prime_factors": r"""
def prime_factors(n: int) -> list[int]:
    out, p = [], 2
    while p * p <= n:
        while n % p == 0:
            out.append(p)
            n //= p
        p += 1
    return out + ([n] if n > 1 else [])
""",
    "transpose": r"""
def transpose(rows: list[list]) -> list[list]:
    return [list(c) for c in zip(*rows)]
""",
    "most_common": r"""
def most_common(text: str) -> str:
    return max(text, key=lambda c: (text.count(c), -text.index(c)), default='')
""",
    "binary_search": r"""
def find_first(numbers: list[int], target: int) -> int:
    lo, hi = 0, len(numbers)
    while lo < hi:
        m = (lo + hi) // 2
        if numbers[m] < target:
            lo = m + 1
        else:
            hi = m
    return lo if lo < len(numbers) and numbers[lo] == target else -1
""",
    "snake_case": r"""
def snake_case(name: str) -> str:
    import re
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    return name.lower()
""",
    "days_between": r"""
def days_between(a: str, b: str) -> int:
    from datetime import date
    return abs((date.fromisoformat(a) - date.fromisoformat(b)).days)
""",
    "weekday_name": r"""
def weekday_name(day: str) -> str:
    from datetime import date
    return '星期' + '一二三四五六日'[date.fromisoformat(day).weekday()]
""",
    "word_frequencies": r"""
def word_frequencies(text: str) -> dict[str, int]:
    import re
    out = {}
    for w in re.findall(r'[^\W\d_]+', text.lower()):
        out[w] = out.get(w, 0) + 1
    return out
""",
    "fizz": r"""
def fizz(n: int) -> list[str]:
    return ['FizzBuzz' if i % 15 == 0 else 'Fizz' if i % 3 == 0 else 'Buzz' if i % 5 == 0 else str(i) for i in range(1, n + 1)]
""",
    "longest_prefix": r"""
def longest_common_prefix(words: list[str]) -> str:
    import os
    return os.path.commonprefix(words)
""",
    "fewest_coins": r"""
def fewest_coins(coins: list[int], amount: int) -> int:
    best = [0] + [amount + 1] * amount
    for a in range(1, amount + 1):
        for c in coins:
            if c <= a:
                best[a] = min(best[a], best[a - c] + 1)
    return best[amount] if best[amount] <= amount else -1
""",
    "edit_distance": r"""
def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        prev, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            prev, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, prev + (x != y))
    return row[-1]
""",
    "spiral": r"""
def spiral(rows: list[list[int]]) -> list[int]:
    out = []
    rows = [list(r) for r in rows]
    while rows:
        out += rows.pop(0)
        rows = [list(c) for c in zip(*rows)][::-1]
    return out
""",
    "valid_ipv4": r"""
def is_ipv4(text: str) -> bool:
    parts = text.split('.')
    return len(parts) == 4 and all(p.isascii() and p.isdigit() and (p == '0' or p[0] != '0') and int(p) < 256 for p in parts)
""",
    "range_summary": r"""
def summarize(numbers: list[int]) -> list[str]:
    out, i = [], 0
    while i < len(numbers):
        j = i
        while j + 1 < len(numbers) and numbers[j + 1] == numbers[j] + 1:
            j += 1
        out.append(str(numbers[i]) if i == j else f'{numbers[i]}-{numbers[j]}')
        i = j + 1
    return out
""",
    "stack_min": r"""
def run_stack(operations: list[list]) -> list[int]:
    stack, out = [], []
    for op in operations:
        if op[0] == 'push':
            stack.append(op[1])
        elif op[0] == 'pop':
            stack.pop()
        else:
            out.append(min(stack))
    return out
""",
    "parse_query": r"""
def parse_query(query: str) -> dict[str, list[str]]:
    out = {}
    for piece in query.split('&'):
        if piece:
            k, _, v = piece.partition('=')
            out.setdefault(k, []).append(v)
    return out
""",
    "matrix_product": r"""
def multiply(a: list[list[int]], b: list[list[int]]) -> list[list[int]]:
    if len(a[0]) != len(b):
        raise ValueError
    return [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]
""",
    "permutations": r"""
def unique_permutations(text: str) -> list[str]:
    from itertools import permutations
    return sorted({''.join(p) for p in permutations(text)})
""",
    "money": r"""
def yuan(cents: int) -> str:
    sign = '-' if cents < 0 else ''
    cents = abs(cents)
    return f'{sign}{cents // 100:,}.{cents % 100:02d}'
""",
    "remove_duplicates": r"""
def unique(items: list) -> list:
    out = []
    for i in items:
        if i not in out:
            out.append(i)
    return out
""",
    "intervals": r"""
def merge(intervals: list[list[int]]) -> list[list[int]]:
    out = []
    for s, e in sorted(intervals):
        if out and s <= out[-1][1]:
            out[-1][1] = max(out[-1][1], e)
        else:
            out.append([s, e])
    return out
""",
}


def test_forty_items_in_both_languages_and_of_all_levels() -> None:
    assert len(SCENARIO.items) >= 40
    languages = Counter(item.language for item in SCENARIO.items)
    assert min(languages["en"], languages["zh"]) >= 15
    assert {item.level for item in SCENARIO.items} == {1, 2, 3}


@pytest.mark.parametrize("name", ANSWERS)
def test_right_and_wrong(name: str) -> None:
    item, code = ITEMS[name], ANSWERS[name]
    assert [result.reason for result in judge(item, [f"```python{code}```"]) if not result.passed] == []
    head, _, rest = code.strip().partition("\n")
    assert run_passes(judge(item, [rest]))
    for body in ("return None", "return []", "raise KeyError", "return 0"):
        assert not run_passes(judge(item, [f"{head}\n    {body}\n"]))


CLASSES = {
    "moving_average_class_zh": (
        """
class MovingAverage:
    def __init__(self, size):
        if size < 1:
            raise ValueError("size")
        self.size, self.kept = size, []

    def add(self, number):
        self.kept = [*self.kept, number][-self.size :]
        return sum(self.kept) / len(self.kept)
""",
        [
            "[-self.size :]",
            " / len(self.kept)",
            '        if size < 1:\n            raise ValueError("size")\n',
        ],
    ),
    "stock_class_zh": (
        """
class Inventory:
    def __init__(self):
        self.counts = {}

    def add(self, name, count):
        if count <= 0:
            raise ValueError(count)
        self.counts[name] = self.counts.get(name, 0) + count

    def remove(self, name, count):
        if count <= 0 or count > self.counts.get(name, 0):
            raise ValueError(name)
        self.counts[name] -= count
        if not self.counts[name]:
            del self.counts[name]

    def listing(self):
        return [[name, self.counts[name]] for name in sorted(self.counts)]
""",
        [
            "count <= 0 or ",
            " or count > self.counts.get(name, 0)",
            "sorted",
            "\n        if not self.counts[name]:\n            del self.counts[name]",
        ],
    ),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name: str) -> None:
    """With any of its parts left out the class is wrong."""
    code, parts = CLASSES[name]
    assert run_passes(judge(ITEMS[name], [f"```python{code}```"]))
    for part in parts:
        assert part in code
        assert not run_passes(judge(ITEMS[name], [code.replace(part, "")])), part


def test_every_item_has_a_right_and_a_wrong_answer_in_the_tests() -> None:
    written = {item.id for item in SCENARIO.items if item.checks[0].name == "written_tests"}
    first = {item.id for item in SCENARIO.items if item.level == 1}
    assert set(ITEMS) == written | first | set(ANSWERS) | set(CLASSES)
    languages = Counter(item.language for item in SCENARIO.items)
    assert languages["en"] == languages["zh"]
