"""FastAPI endpoints: what a role-play answer must contain, looked up in the syntax tree.

Comments and messages never count: only decorators, classes, calls, comparisons and strings that are used as
patterns. The code is not run, so a rule that is there but wrong is not noticed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from wending.assess.checks.patterns import (
    demanded_length,
    demands_digit,
    demands_special_character,
    is_email_pattern,
    patterns,
)
from wending.assess.checks.registry import check
from wending.assess.checks.syntax import (
    assigned_name,
    functions,
    keywords,
    missing,
    name_of,
    parameters,
    raised,
    routes,
    tree_of,
    validated_fields,
)
from wending.assess.checks.verdict import CheckResult

_PASSWORD_WORDS = ("pass", "pwd", "pw")
_RULE_WORDS = (*_PASSWORD_WORDS, "strength", "strong", "valid", "check", "secur")
_JSON_CALLS = {"JSONResponse", "ORJSONResponse", "dict", "model_dump", "jsonable_encoder"}
_SHORTEST_RULE = 4


@check("route_decorator")
def check_route_decorator(answer: str, *, method: str) -> CheckResult:
    """A function carries a route decorator of this method, such as @app.post("/path")."""
    for function, decorator in routes(tree_of(answer)):
        if name_of(decorator.func) == method:
            return CheckResult(
                "route_decorator", True, f"@{ast.unparse(decorator)[:60]} on {function.name}()"
            )
    return missing("route_decorator", answer, f"no function with a .{method}(...) decorator")


@check("pydantic_model")
def check_pydantic_model(answer: str) -> CheckResult:
    """A class derives from BaseModel and has fields."""
    for node in ast.walk(tree_of(answer)):
        if isinstance(node, ast.ClassDef) and "BaseModel" in map(name_of, node.bases):
            fields = [assigned_name(item) for item in node.body if isinstance(item, ast.AnnAssign)]
            if fields:
                return CheckResult(
                    "pydantic_model", True, f"{node.name} with {len(fields)} fields: {', '.join(fields)}"
                )
    return missing("pydantic_model", answer, "no class derived from BaseModel with fields")


@check("error_path")
def check_error_path(answer: str) -> CheckResult:
    """An error is answered: HTTPException, a 4xx response, ValueError in a validator (which gives 422)."""
    tree = tree_of(answer)
    if count := raised(tree).count("HTTPException"):
        return CheckResult("error_path", True, f"HTTPException raised in {count} places")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func).endswith("Response"):
            status = next(
                (ast.unparse(word.value) for word in node.keywords if word.arg == "status_code"), ""
            )
            if status.rpartition("HTTP_")[2].startswith("4"):
                return CheckResult("error_path", True, f"{name_of(node.func)} with status {status}")
    for function in functions(tree):
        if validated_fields(function) and {"ValueError", "PydanticCustomError"} & set(raised(function)):
            return CheckResult(
                "error_path", True, f"the validator {function.name}() raises: answered with 422"
            )
    return missing("error_path", answer, "no HTTPException, no 4xx response, no validator that raises")


@check("json_response")
def check_json_response(answer: str) -> CheckResult:
    """The route returns what is sent as JSON: a dict, a model, JSONResponse, a declared response_model."""
    for function, decorator in routes(tree_of(answer)):
        if any(word.arg == "response_model" for word in decorator.keywords):
            return CheckResult("json_response", True, f"{function.name}() declares a response_model")
        for node in ast.walk(function):
            value = node.value if isinstance(node, ast.Return) else None
            called = name_of(value.func) if isinstance(value, ast.Call) else ""
            if (
                isinstance(value, ast.Dict | ast.List | ast.ListComp | ast.Name)
                or called in _JSON_CALLS
                or called[:1].isupper()
            ):
                return CheckResult(
                    "json_response", True, f"{function.name}() returns {ast.unparse(node)[7:60]}"
                )
    return missing("json_response", answer, "no route returns a dict, a model or a JSONResponse")


@check("email_rule")
def check_email_rule(answer: str) -> CheckResult:
    """The e-mail address is checked: EmailStr, email_validator, a pattern with @, or "@" in the text."""
    tree = tree_of(answer)
    used = {name_of(node) for node in ast.walk(tree)}
    for name in ("EmailStr", "validate_email"):
        if name in used:
            return CheckResult("email_rule", True, f"uses {name}")
    for pattern in patterns(tree):
        if is_email_pattern(pattern) or pattern == "@":
            return CheckResult("email_rule", True, f"looks for {pattern[:60]!r}")
    return missing("email_rule", answer, "no EmailStr, no pattern with @")


@check("length_rule")
def check_length_rule(answer: str) -> CheckResult:
    """The password's length is checked: len(password) < 8, min_length=8, or a pattern such as .{8,}."""
    tree = tree_of(answer)
    for comparison in _password_comparisons(tree):
        return CheckResult("length_rule", True, f"compares {ast.unparse(comparison)[:60]}")
    for node in ast.walk(tree):
        if _mentions(assigned_name(node), _PASSWORD_WORDS):
            for word in keywords(node):
                if word.arg == "min_length":
                    return CheckResult(
                        "length_rule", True, f"min_length={ast.unparse(word.value)} on {assigned_name(node)}"
                    )
    for pattern in patterns(tree):
        if demanded_length(pattern) >= _SHORTEST_RULE:
            return CheckResult(
                "length_rule", True, f"{pattern[:60]!r} demands {demanded_length(pattern)} characters"
            )
    return missing("length_rule", answer, "no check of the password's length")


@check("digit_rule")
def check_digit_rule(answer: str) -> CheckResult:
    """A digit is demanded: isdigit(), string.digits, or a pattern such as \\d or [0-9]."""
    methods = {"isdigit", "isnumeric", "isdecimal", "digits"}
    return _character_rule("digit_rule", answer, methods, demands_digit)


@check("special_character_rule")
def check_special_character_rule(answer: str) -> CheckResult:
    """A special character is demanded: isalnum(), string.punctuation, or a pattern such as [^A-Za-z0-9]."""
    return _character_rule(
        "special_character_rule", answer, {"isalnum", "punctuation"}, demands_special_character
    )


def _character_rule(name: str, answer: str, methods: set[str], demands: Callable[[str], bool]) -> CheckResult:
    tree = tree_of(answer)
    used = methods & {name_of(node) for node in ast.walk(tree)}
    if used:
        return CheckResult(name, True, f"uses {', '.join(sorted(used))}")
    for pattern in patterns(tree):
        if demands(pattern):
            return CheckResult(name, True, f"pattern {pattern[:60]!r}")
    return missing(name, answer, f"none of {', '.join(sorted(methods))}, no pattern that demands it")


def _password_comparisons(tree: ast.AST) -> Iterator[ast.Compare]:
    """Comparisons of len(password), or of len(parameter) in a function that checks passwords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and _measures(node, set()):
            yield node
    for function in functions(tree):
        if _mentions(function.name, _RULE_WORDS) or any(
            _mentions(field, _PASSWORD_WORDS) for field in validated_fields(function)
        ):
            for node in ast.walk(function):
                if isinstance(node, ast.Compare) and _measures(node, parameters(function)):
                    yield node


def _measures(comparison: ast.Compare, names: set[str]) -> bool:
    """Is a password's length compared with more than 0 or 1, which would only ask whether there is one?"""
    sides = (comparison.left, *comparison.comparators)
    if any(isinstance(side, ast.Constant) and side.value in (0, 1) for side in sides):
        return False
    measured = [
        side.args[0]
        for side in sides
        if isinstance(side, ast.Call) and name_of(side.func) == "len" and side.args
    ]
    return any(name_of(node) in names or _mentions(name_of(node), _PASSWORD_WORDS) for node in measured)


def _mentions(name: str, words: tuple[str, ...]) -> bool:
    return any(word in name.lower() for word in words)
