"""A JSON schema as the answers of a language model are held against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

MAX_PROBLEMS = 8
MAX_PROBLEM_CHARACTERS = 240


class InvalidSchema(ValueError):  # noqa: N818 - it says what is invalid
    """A schema that answers cannot be held against. `pointer` is the JSON pointer of the place at fault."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason


class AnswerSchema:
    """Compiled once, used for many values. The schema's own draft is used, 2020-12 if it names none.

    `format` is enforced where jsonschema-rs knows it. Nothing is ever fetched: a $ref that leads out of the
    schema is InvalidSchema, as is everything else that jsonschema-rs cannot compile.
    """

    def __init__(self, schema: Any) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(
                schema, validate_formats=True, retriever=_fetch_nothing
            )
        except jsonschema_rs.ValidationError as error:
            pointer = json_pointer(error.instance_path) or _pointer_of_reference(schema, error.message)
            raise InvalidSchema(pointer, shortened(error.message)) from error
        except ValueError as error:  # nested too deep
            raise InvalidSchema("", shortened(str(error))) from error

    def problems(self, value: Any) -> tuple[str, ...]:
        """What keeps `value` from being valid, each with its JSON pointer; the first few, shortened."""
        try:
            errors = islice(self._validator.iter_errors(value), MAX_PROBLEMS)
            return tuple(
                shortened(f"{json_pointer(error.instance_path) or 'the whole value'}: {error.message}")
                for error in errors
            )
        except UnicodeEncodeError:
            return ("a string holds half a surrogate pair, which is no character",)
        except ValueError as error:
            return (shortened(str(error)),)


def json_pointer(path: Sequence[str | int]) -> str:
    """A path as a JSON pointer (RFC 6901); the whole document is the empty one."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def shortened(text: str) -> str:
    """One line of at most MAX_PROBLEM_CHARACTERS characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_PROBLEM_CHARACTERS else line[: MAX_PROBLEM_CHARACTERS - 1] + "…"


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"references are not fetched: {uri}")


def _pointer_of_reference(schema: Any, message: str) -> str:
    """jsonschema-rs names a reference that leads nowhere, but not its place: the first one it may mean."""
    for path, reference in _references(schema, ()):
        if reference.removeprefix("#") in message:
            return json_pointer((*path, "$ref"))
    return ""


def _references(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield path, node["$ref"]
        for name, child in node.items():
            yield from _references(child, (*path, name))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from _references(child, (*path, i))
