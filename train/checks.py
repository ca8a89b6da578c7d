"""Judges an answer by what its dialogue expects.  A check gives "" for a pass, else the reason."""

from __future__ import annotations

import ast
import datetime
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

CODE_SECONDS = 5


def number(answer: str, expect: dict[str, Any]) -> str:
    """The last line reads 'Answer: N' or '答案：N' with the right N."""
    last = answer.strip().rsplit("\n", 1)[-1]
    found = re.fullmatch(r"(?:Answer: |答案：)(-?\d+)", last)
    if found is None:
        return f"no answer line: {last[:60]!r}"
    return (
        "" if int(found.group(1)) == expect["number"] else f"{found.group(1)} instead of {expect['number']}"
    )


def strip_fence(answer: str) -> str:
    found = re.fullmatch(r"```\w*\n(.*?)\n?```", answer.strip(), re.DOTALL)
    return found.group(1) if found else answer


def check_value(value: Any, spec: dict[str, Any], path: str) -> str:
    kind = spec["type"]
    if kind == "object":
        return check_fields(value, spec["fields"], path)
    if kind == "array":
        if not isinstance(value, list) or len(value) != spec["count"]:
            return f"{path}: not an array of {spec['count']}"
        return next(
            (
                bad
                for i, row in enumerate(value)
                if (bad := check_fields(row, spec["fields"], f"{path}[{i}]"))
            ),
            "",
        )
    if kind == "date":
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return f"{path}: {value!r} is not written YYYY-MM-DD"
        try:
            datetime.date.fromisoformat(value)
        except ValueError:
            return f"{path}: there is no day {value}"
        return (
            "" if spec.get("from", "0") <= value <= spec.get("to", "9") else f"{path}: {value} out of range"
        )
    allowed: dict[str, type | tuple[type, ...]] = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "boolean": bool,
    }
    if not isinstance(value, allowed[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{path}: {value!r} is no {kind}"
    if "enum" in spec and value not in spec["enum"]:
        return f"{path}: {value!r} is not one of {spec['enum']}"
    if "minimum" in spec and not spec["minimum"] <= value <= spec["maximum"]:
        return f"{path}: {value} is not between {spec['minimum']} and {spec['maximum']}"
    return ""


def check_fields(value: Any, fields: dict[str, Any], path: str) -> str:
    if not isinstance(value, dict) or sorted(value) != sorted(fields):
        return f"{path}: its keys are not {sorted(fields)}"
    return next(
        (bad for key, spec in fields.items() if (bad := check_value(value[key], spec, f"{path}.{key}"))), ""
    )


def json_output(answer: str, expect: dict[str, Any]) -> str:
    """The whole answer is JSON, bare or in one fence, with the wanted keys, types, choices and counts."""
    try:
        value = json.loads(strip_fence(answer))
    except json.JSONDecodeError as error:
        return f"not JSON: {error}"
    if "count" in expect:
        return check_value(
            value, {"type": "array", "count": expect["count"], "fields": expect["fields"]}, "$"
        )
    return check_fields(value, expect["fields"], "$")


def code(answer: str, expect: dict[str, Any]) -> str:
    """The function gives the right results, in a process of its own with a time limit."""
    cases = json.dumps(expect["cases"])
    name = expect["function"]
    script = (
        f"{strip_fence(answer)}\n\nimport json as _json\n"
        f"for _arguments, _wanted in _json.loads({cases!r}):\n"
        f"    _got = {name}(*_arguments)\n"
        "    assert _got == _wanted, (_arguments, _got, _wanted)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", script],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=CODE_SECONDS,
                env={},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"still running after {CODE_SECONDS} s"
    return (
        ""
        if done.returncode == 0
        else (done.stderr.strip().rsplit("\n", 1)[-1] or f"exit code {done.returncode}")
    )


PASSWORD_RULES = {
    "email": r"email",
    "length": r"len\([\w.]+\) < \d+",
    "digit": r"isdigit|\\d",
    "special": r"SPECIAL|\[\^\\w|punctuation",
}


def endpoint(answer: str, expect: dict[str, Any]) -> str:
    """Nothing but code that parses, with a route, a pydantic model, an error path and the rules asked for."""
    source = strip_fence(answer)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return f"does not parse: {error}"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not any(
        isinstance(d, ast.Call) and ast.unparse(d.func) == "app.post"
        for f in functions
        for d in f.decorator_list
    ):
        return "no route"
    if not any(
        isinstance(n, ast.ClassDef) and any(ast.unparse(b) == "BaseModel" for b in n.bases) for n in tree.body
    ):
        return "no pydantic model"
    if "raise HTTPException(status_code=4" not in source:
        return "no error path"
    missing = [rule for rule in expect["rules"] if not re.search(PASSWORD_RULES[rule], source)]
    return f"missing rules: {missing}" if missing else ""


def language_of(line: str) -> str:
    """A guess by script: ja (any kana), zh, ar, fr (by its small words and accents) or en."""
    if re.search(r"[぀-ヿ]", line):
        return "ja"
    if re.search(r"[一-鿿]", line):
        return "zh"
    if re.search(r"[؀-ۿ]", line):
        return "ar"
    if re.search(
        r"[àâçéèêëîïôùûœ]|\b(?:le|la|les|de|du|des|dans|et|un|une|vos|avec|sur)\b|[a-z]ez\b|l'|d'", line
    ):
        return "fr"
    return "en"


def language(answer: str, expect: dict[str, Any]) -> str:
    """Numbered steps, enough of them, each in the wanted language, and one of the words the subject needs."""
    lines = answer.strip().split("\n")
    if len(lines) < expect["steps"]:
        return f"{len(lines)} lines"
    for index, line in enumerate(lines, 1):
        if not line.startswith(f"{index}. "):
            return f"line {index} is not numbered: {line[:40]!r}"
        if language_of(line) != expect["language"]:
            return f"line {index} is {language_of(line)}: {line[:40]!r}"
    return "" if any(term in answer for term in expect["terms"]) else f"none of {expect['terms']}"


def persona(answer: str, expect: dict[str, Any]) -> str:
    """The marks of the role, its language, its length and its silence about prices."""
    text = answer.strip()
    if not text.startswith(expect["opening"]):
        return f"does not begin with {expect['opening']!r}"
    if not text.endswith(expect["closing"]):
        return f"does not end with {expect['closing']!r}"
    body = (
        text.removeprefix(expect["opening"])
        .removesuffix(expect["closing"])
        .replace(expect["name"], "")
        .strip()
    )
    if not body:
        return "nothing but the marks"
    chinese = len(re.findall(r"[一-鿿]", body)) > len(re.findall(r"[A-Za-z]", body))
    if chinese != (expect["language"] == "zh"):
        return "wrong language"
    sentences = len(re.findall(r"[.!?。！？]+(?:\s|$)|[。！？]", body))
    if expect["sentences"] and sentences > expect["sentences"]:
        return f"{sentences} sentences"
    if expect["no_price"] and re.search(r"[¥$€]\s*\d|\d\s*(?:元|yuan|dollars)", body):
        return "states a price"
    return ""


CHECKS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "number": number,
    "json": json_output,
    "code": code,
    "endpoint": endpoint,
    "language": language,
    "persona": persona,
}


def judge(answer: str, expect: dict[str, Any]) -> str:
    """ "" if the answer passes, else why it fails."""
    return CHECKS[expect["check"]](answer, expect)
