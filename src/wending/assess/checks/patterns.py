"""Regular expressions and character sets that code uses as such, and what they demand.

Messages, comments, docstrings and paths are strings too; only a string that is searched, matched or compared
with counts.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator

from wending.assess.checks.syntax import assigned_name, name_of

_MATCHERS = {"search", "match", "fullmatch", "compile", "findall", "finditer", "sub"}
_PATTERN_KEYWORDS = {"pattern", "regex"}
_CLASS = re.compile(r"\[(?P<not>\^?)(?P<body>\]?(?:\\.|[^\]\\])*)\](?P<many>[+*]|\{\d+,?\d*\})?")
_LOOKAHEAD = re.compile(r"\(\?=((?:\\.|\[(?:\\.|[^\]\\])*\]|[^()\\\[]|\((?:\\.|[^()\\])*\))*)\)")


def patterns(tree: ast.AST) -> list[str]:
    """Every string used as a regular expression or as a set of characters."""
    named = {
        assigned_name(node): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
    }
    found = (_text(named.get(name_of(node), node)) for node in _pattern_places(tree))
    return [text for text in found if text]


def _pattern_places(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if name_of(node.func) in _MATCHERS and node.args:
                yield node.args[0]
            if name_of(node.func) in {"set", "frozenset"} and node.args:
                yield node.args[0]
            if name_of(node.func) in {"intersection", "isdisjoint"}:
                yield from node.args
            yield from (word.value for word in node.keywords if word.arg in _PATTERN_KEYWORDS)
        elif isinstance(node, ast.Compare) and any(
            isinstance(operator, ast.In | ast.NotIn) for operator in node.ops
        ):
            yield from (node.left, *node.comparators)
        elif isinstance(node, ast.comprehension | ast.For):
            yield node.iter


def _text(node: ast.AST | None) -> str:
    """The string a node stands for: a literal, or single characters listed in a set, list or tuple."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Set | ast.List | ast.Tuple):
        parts = [_text(element) for element in node.elts]
        return "".join(parts) if all(len(part) == 1 for part in parts) else ""
    if isinstance(node, ast.Call) and name_of(node.func) in {"set", "frozenset", "compile"} and node.args:
        return _text(node.args[0])
    return ""


def is_email_pattern(pattern: str) -> bool:
    """Does it demand an @ outside any character class, as patterns for addresses do?"""
    return (
        "@" in _CLASS.sub("", pattern)
        and len(pattern) > 3
        and re.search(r"[A-Za-z\\\[.]", pattern) is not None
    )


def demands_digit(pattern: str) -> bool:
    """Must a text that fits hold a digit?"""
    return any(
        "\\d" in part or "0-9" in part or "0123456789" in part
        for part in _demanding(pattern)
        if not is_email_pattern(pattern)
    )


def demands_special_character(pattern: str) -> bool:
    """Must a text that fits hold a character that is neither letter nor digit?"""
    return not is_email_pattern(pattern) and any(map(_is_special, _demanding(pattern)))


def demanded_length(pattern: str) -> int:
    """The largest count that stands in a {8,}, {8,64} or {8} of the pattern; 0 when there is none."""
    if is_email_pattern(pattern):
        return 0
    return max((int(count) for count in re.findall(r"[.\])dwS]\{(\d+)(?:,\d*)?\}", pattern)), default=0)


def _demanding(pattern: str) -> list[str]:
    """The parts that demand something: lookaheads, or all but a class repeated from ^ to $."""
    lookaheads = _LOOKAHEAD.findall(pattern)
    if lookaheads:
        return list(lookaheads)
    if pattern.startswith("^") and pattern.endswith("$"):
        return [_CLASS.sub(lambda match: "" if match["many"] else match[0], pattern)]
    return [pattern]


def _is_special(part: str) -> bool:
    if re.search(r"\\W|\[\^(?:\\w|[^\]]*(?:a-z|A-Z|0-9|\\w|\\d))", part):
        return True
    classes = [match["body"] for match in _CLASS.finditer(part) if not match["not"]]
    if any(_punctuation(body) >= 3 and not re.search(r"a-z|A-Z|0-9|\\w|\\d", body) for body in classes):
        return True
    return (
        not classes and "\\" not in part and len(set(part)) >= 4 and _punctuation(part) == len(part.strip())
    )


def _punctuation(text: str) -> int:
    return sum(character in string.punctuation for character in text.replace("\\", ""))
