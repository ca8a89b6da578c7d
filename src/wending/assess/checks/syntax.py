"""Small questions about Python syntax trees that several checks ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wending.assess.bilingual import Bilingual
from wending.assess.checks.extract import parse_python, python_code
from wending.assess.checks.verdict import CheckResult

Function = ast.FunctionDef | ast.AsyncFunctionDef
_ROUTE_METHODS = {"get", "post", "put", "patch", "delete", "api_route"}


def tree_of(answer: str) -> ast.Module:
    """The syntax tree of an answer's code; empty when it does not parse."""
    tree = parse_python(python_code(answer))
    return ast.Module([], []) if isinstance(tree, str) else tree


def missing(name: str, answer: str, reason: str) -> CheckResult:
    """The failed verdict of a search in the code; not judged when the code does not parse."""
    if isinstance(parse_python(python_code(answer)), str):
        return CheckResult(
            name, False, Bilingual("not judged: the code does not parse", "未判定：代码无法解析")
        )
    return CheckResult(name, False, reason, problem="missing_rule")


def name_of(node: ast.AST | None) -> str:
    """The last part of a dotted name: ``HTTPException`` for ``fastapi.HTTPException``; else empty."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def callee(node: ast.AST | None) -> ast.AST | None:
    """What is called, for a call; the node itself otherwise."""
    return node.func if isinstance(node, ast.Call) else node


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions, methods and inner functions."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def routes(tree: ast.AST) -> Iterator[tuple[Function, ast.Call]]:
    """Functions with a route decorator such as ``@app.post("/path")``, and that decorator."""
    for function in functions(tree):
        for decorator in function.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Attribute)
                and decorator.func.attr in _ROUTE_METHODS
            ):
                yield function, decorator


def raised(tree: ast.AST) -> list[str]:
    """Names of the exceptions raised anywhere in the tree."""
    return [name_of(callee(node.exc)) for node in ast.walk(tree) if isinstance(node, ast.Raise)]


def keywords(tree: ast.AST) -> Iterator[ast.keyword]:
    """All keyword arguments of calls anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword):
            yield node


def assigned_name(node: ast.AST) -> str:
    """The name or attribute an assignment sets; empty for anything else."""
    if isinstance(node, ast.AnnAssign):
        return name_of(node.target)
    return name_of(node.targets[0]) if isinstance(node, ast.Assign) else ""


def parameters(function: Function) -> set[str]:
    """Names of the function's parameters but self and cls."""
    arguments = function.args
    names = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    return names - {"self", "cls"}


def validated_fields(function: Function) -> set[str]:
    """Fields a pydantic validator is for: {"password"} under ``@field_validator("password")``; else empty."""
    return {
        argument.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and "validator" in name_of(decorator.func)
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
