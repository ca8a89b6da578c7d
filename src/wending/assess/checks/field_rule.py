"""Rules on the fields of an endpoint's input: greater than zero, not negative, not empty.

Recognised in a pydantic declaration, in a validator, and in a comparison inside the endpoint.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wending.assess.bilingual import Bilingual
from wending.assess.checks.registry import check
from wending.assess.checks.syntax import (
    assigned_name,
    functions,
    keywords,
    missing,
    name_of,
    parameters,
    tree_of,
    validated_fields,
)
from wending.assess.checks.verdict import CheckResult

# For each rule: pydantic keywords with the least value that satisfies it, pydantic types, comparisons (the
# field on the left).
_RULES: dict[str, tuple[dict[str, float], set[str], set[str]]] = {
    "positive": ({"gt": 0, "ge": 1e-9}, {"PositiveFloat", "PositiveInt"}, {"<= 0", "> 0"}),
    "not_negative": (
        {"ge": 0, "gt": -1},
        {"NonNegativeInt", "NonNegativeFloat", "PositiveInt"},
        {"< 0", ">= 0"},
    ),
    "not_empty": ({"min_length": 1}, set(), {"== ''", "!= ''", "len == 0", "len < 1", "len > 0", "len >= 1"}),
}
_OPERATORS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", ">"),
    ast.LtE: ("<=", ">="),
    ast.Gt: (">", "<"),
    ast.GtE: (">=", "<="),
    ast.Eq: ("==", "=="),
    ast.NotEq: ("!=", "!="),
}


@check("field_rule")
def check_field_rule(answer: str, *, field: str, rule: str) -> CheckResult:
    """The field is held to ``rule``: "positive", "not_negative" or "not_empty"."""
    if rule not in _RULES:
        raise ValueError(f"unknown rule {rule!r}; there are: {', '.join(_RULES)}")
    name = f"{field}_{rule}"
    tree = tree_of(answer)
    for evidence in (*_declared(tree, field, rule), *_tested(tree, field, rule)):
        shown = evidence[:60]
        return CheckResult(name, True, Bilingual(f"{field}: {shown}", f"{field}：{shown}"))
    nothing = Bilingual(f"nothing holds {field} to the rule {rule}", f"没有对 {field} 执行规则 {rule}")
    return missing(name, answer, nothing)


def _declared(tree: ast.AST, field: str, rule: str) -> Iterator[str]:
    """Evidence in a declaration: ``price: float = Field(gt=0)`` or ``price: PositiveFloat``."""
    bounds, types, _ = _RULES[rule]
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and assigned_name(node) == field:
            yield from sorted(types & {name_of(part) for part in ast.walk(node)})
            for word in keywords(node):
                value = _number(word.value)
                if word.arg in bounds and value is not None and value >= bounds[word.arg]:
                    yield ast.unparse(word)


def _tested(tree: ast.AST, field: str, rule: str) -> Iterator[str]:
    """Evidence in a test, such as ``product.price <= 0``; in the field's validator also of its parameter."""
    for scope, names in [
        (tree, {field}),
        *((f, parameters(f)) for f in functions(tree) if field in validated_fields(f)),
    ]:
        for node in ast.walk(scope):
            compared = isinstance(node, ast.Compare) and _comparison(node, names) in _RULES[rule][2]
            if compared or (rule == "not_empty" and _asks_whether_empty(node, names)):
                yield ast.unparse(node)


def _comparison(node: ast.Compare, names: set[str]) -> str:
    """ "<= 0" for ``product.price <= 0`` or ``0 >= product.price``; empty when no constant is compared."""
    operators = _OPERATORS.get(type(node.ops[0]))
    if operators is None or len(node.ops) > 1:
        return ""
    for subject, other, operator in (
        (node.left, node.comparators[0], operators[0]),
        (node.comparators[0], node.left, operators[1]),
    ):
        measured = isinstance(subject, ast.Call) and name_of(subject.func) == "len" and len(subject.args) == 1
        value = subject.args[0] if isinstance(subject, ast.Call) and measured else subject
        if _is_field(value, names) and isinstance(other, ast.Constant):
            return f"{'len ' if measured else ''}{operator} {other.value!r}".replace("0.0", "0")
    return ""


def _asks_whether_empty(node: ast.AST, names: set[str]) -> bool:
    """``not product.name``, or ``if product.name:``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _is_field(node.operand, names)
    return isinstance(node, ast.If) and _is_field(node.test, names)


def _is_field(node: ast.AST, names: set[str]) -> bool:
    """Is this the field: ``price``, ``product.price``, ``product["price"]``, also after .strip()?"""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "strip":
        node = node.func.value
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return node.slice.value in names
    return name_of(node) in names


def _number(node: ast.AST) -> float | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return value if isinstance(value, int | float) else None
