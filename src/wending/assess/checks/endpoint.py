"""FastAPI endpoints: what a role-play answer must contain, looked up in the syntax tree.

Comments and messages never count: only decorators, classes, calls, comparisons and strings that are used as
patterns. The code is not run, so a rule that is there but wrong is not noticed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from wending.assess.bilingual import Bilingual
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
            shown = ast.unparse(decorator)[:60]
            found = Bilingual(f"@{shown} on {function.name}()", f"{function.name}() 带有 @{shown}")
            return CheckResult("route_decorator", True, found)
    none = Bilingual(f"no function with a .{method}(...) decorator", f"没有带 .{method}(...) 装饰器的函数")
    return missing("route_decorator", answer, none)


@check("pydantic_model")
def check_pydantic_model(answer: str) -> CheckResult:
    """A class derives from BaseModel and has fields."""
    for node in ast.walk(tree_of(answer)):
        if isinstance(node, ast.ClassDef) and "BaseModel" in map(name_of, node.bases):
            fields = [assigned_name(item) for item in node.body if isinstance(item, ast.AnnAssign)]
            if fields:
                count, listed = len(fields), ", ".join(fields)
                found = Bilingual(
                    f"{node.name} with {count} fields: {listed}", f"{node.name} 有 {count} 个字段：{listed}"
                )
                return CheckResult("pydantic_model", True, found)
    none = Bilingual("no class derived from BaseModel with fields", "没有继承 BaseModel 且带字段的类")
    return missing("pydantic_model", answer, none)


@check("error_path")
def check_error_path(answer: str) -> CheckResult:
    """An error is answered: HTTPException, a 4xx response, ValueError in a validator (which gives 422)."""
    tree = tree_of(answer)
    if count := raised(tree).count("HTTPException"):
        raises = Bilingual(f"HTTPException raised in {count} places", f"有 {count} 处抛出 HTTPException")
        return CheckResult("error_path", True, raises)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func).endswith("Response"):
            status = next(
                (ast.unparse(word.value) for word in node.keywords if word.arg == "status_code"), ""
            )
            if status.rpartition("HTTP_")[2].startswith("4"):
                name = name_of(node.func)
                answers = Bilingual(f"{name} with status {status}", f"{name}，状态码 {status}")
                return CheckResult("error_path", True, answers)
    for function in functions(tree):
        if validated_fields(function) and {"ValueError", "PydanticCustomError"} & set(raised(function)):
            rejects = Bilingual(
                f"the validator {function.name}() raises: answered with 422",
                f"校验器 {function.name}() 抛出异常，以 422 应答",
            )
            return CheckResult("error_path", True, rejects)
    none = Bilingual(
        "no HTTPException, no 4xx response, no validator that raises",
        "没有 HTTPException、4xx 响应或抛出异常的校验器",
    )
    return missing("error_path", answer, none)


@check("json_response")
def check_json_response(answer: str) -> CheckResult:
    """The route returns what is sent as JSON: a dict, a model, JSONResponse, a declared response_model."""
    for function, decorator in routes(tree_of(answer)):
        if any(word.arg == "response_model" for word in decorator.keywords):
            declares = Bilingual(
                f"{function.name}() declares a response_model", f"{function.name}() 声明了 response_model"
            )
            return CheckResult("json_response", True, declares)
        for node in ast.walk(function):
            value = node.value if isinstance(node, ast.Return) else None
            called = name_of(value.func) if isinstance(value, ast.Call) else ""
            if (
                isinstance(value, ast.Dict | ast.List | ast.ListComp | ast.Name)
                or called in _JSON_CALLS
                or called[:1].isupper()
            ):
                shown = ast.unparse(node)[7:60]
                returns = Bilingual(f"{function.name}() returns {shown}", f"{function.name}() 返回 {shown}")
                return CheckResult("json_response", True, returns)
    none = Bilingual(
        "no route returns a dict, a model or a JSONResponse", "没有路由返回字典、模型或 JSONResponse"
    )
    return missing("json_response", answer, none)


@check("email_rule")
def check_email_rule(answer: str) -> CheckResult:
    """The e-mail address is checked: EmailStr, email_validator, a pattern with @, or "@" in the text."""
    tree = tree_of(answer)
    used = {name_of(node) for node in ast.walk(tree)}
    for name in ("EmailStr", "validate_email"):
        if name in used:
            return CheckResult("email_rule", True, _uses(name))
    for pattern in patterns(tree):
        if is_email_pattern(pattern) or pattern == "@":
            found = Bilingual(f"looks for {pattern[:60]!r}", f"查找 {pattern[:60]!r}")
            return CheckResult("email_rule", True, found)
    none = Bilingual("no EmailStr, no pattern with @", "没有 EmailStr，也没有含 @ 的模式")
    return missing("email_rule", answer, none)


@check("length_rule")
def check_length_rule(answer: str) -> CheckResult:
    """The password's length is checked: len(password) < 8, min_length=8, or a pattern such as .{8,}."""
    tree = tree_of(answer)
    for comparison in _password_comparisons(tree):
        shown = ast.unparse(comparison)[:60]
        return CheckResult("length_rule", True, Bilingual(f"compares {shown}", f"比较 {shown}"))
    for node in ast.walk(tree):
        if _mentions(assigned_name(node), _PASSWORD_WORDS):
            for word in keywords(node):
                if word.arg == "min_length":
                    name, least = assigned_name(node), ast.unparse(word.value)
                    found = Bilingual(f"min_length={least} on {name}", f"{name} 设有 min_length={least}")
                    return CheckResult("length_rule", True, found)
    for pattern in patterns(tree):
        if demanded_length(pattern) >= _SHORTEST_RULE:
            length = demanded_length(pattern)
            demands = Bilingual(
                f"{pattern[:60]!r} demands {length} characters", f"{pattern[:60]!r} 要求 {length} 个字符"
            )
            return CheckResult("length_rule", True, demands)
    return missing("length_rule", answer, Bilingual("no check of the password's length", "没有检查密码长度"))


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
        return CheckResult(name, True, _uses(", ".join(sorted(used))))
    for pattern in patterns(tree):
        if demands(pattern):
            return CheckResult(name, True, Bilingual(f"pattern {pattern[:60]!r}", f"模式 {pattern[:60]!r}"))
    listed = ", ".join(sorted(methods))
    none = Bilingual(f"none of {listed}, no pattern that demands it", f"没有 {listed}，也没有相应的模式")
    return missing(name, answer, none)


def _uses(names: str) -> Bilingual:
    return Bilingual(f"uses {names}", f"使用了 {names}")


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
