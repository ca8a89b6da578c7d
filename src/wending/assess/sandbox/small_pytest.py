"""A small stand-in for pytest: collects test cases from source text and runs them against a module.

Its text is executed inside the sandbox, where pytest itself is out of reach, and there it is the module that
``import pytest`` finds. Offered are ``raises``, ``approx``, ``fail``, ``fixture`` (its value returned or
yielded, new for each test), ``param`` and ``mark.parametrize``; other marks change nothing. Collected are
functions ``test*``, and methods ``test*`` of classes ``Test*`` (after ``setup_method``) and of
unittest.TestCase. Built-in fixtures such as ``tmp_path``, plugins and what else pytest has are not offered: a
test that needs them fails.

Only the standard library is imported, and nothing here is trusted by the side that judges.
"""

from __future__ import annotations

import inspect
import itertools
import re
import sys
import types
import unittest
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

_SHOWN_FAILURES = 3
_CASES = "_parametrize"
_FIXTURE = "_is_fixture"


class _Raises:
    """The context of ``with raises(...) as info``; ``info.value`` is the exception."""

    def __init__(self, expected: Any, match: str | None) -> None:
        self.expected, self.match = expected, match
        self.value: BaseException | None = None

    @property
    def type(self) -> type[BaseException]:
        return type(self.value)  # type: ignore[return-value]

    def __enter__(self) -> _Raises:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            raise AssertionError(f"did not raise {self.expected}")
        if not isinstance(error, self.expected):
            return False
        if self.match is not None and not re.search(self.match, str(error)):
            raise AssertionError(f"{str(error)!r} does not match {self.match!r}")
        self.value = error
        return True


def raises(expected: Any, *call: Any, match: str | None = None, **options: Any) -> _Raises:
    """``with raises(ValueError, match=...):``, or ``raises(ValueError, function, *arguments)``."""
    context = _Raises(expected, match)
    if call:
        with context:
            call[0](*call[1:], **options)
    return context


class approx:  # noqa: N801 - pytest's name
    """Equal within a relative 1e-6 or an absolute 1e-12, number by number in lists and dictionaries."""

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None) -> None:
        self.expected, self.rel, self.abs = expected, rel, abs

    def __eq__(self, other: object) -> bool:
        return self._equal(self.expected, other)

    __hash__ = None  # type: ignore[assignment]

    def _equal(self, expected: Any, found: Any) -> bool:
        if isinstance(expected, Mapping):
            return (
                isinstance(found, Mapping)
                and expected.keys() == found.keys()
                and all(self._equal(value, found[key]) for key, value in expected.items())
            )
        if isinstance(expected, list | tuple):
            return (
                isinstance(found, Sequence)
                and len(expected) == len(found)
                and all(map(self._equal, expected, found))
            )
        if expected == found or isinstance(expected, str) or expected is None:
            return bool(expected == found)
        relative = 0.0 if self.rel is None and self.abs is not None else self.rel or 1e-6
        return bool(abs(expected - found) <= max(relative * abs(expected), self.abs or 1e-12))


class _Param:
    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values


def param(*values: Any, **_: Any) -> _Param:
    """One case of ``parametrize``; its id and marks change nothing."""
    return _Param(values)


class _Mark:
    @staticmethod
    def parametrize(names: str | Sequence[str], values: Any, **_: Any) -> Callable[[Any], Any]:
        """Each value is one case; several names take a sequence of values each."""
        listed = isinstance(names, list | tuple) or "," in str(names)
        wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        cases = []
        for value in values:
            given = value.values if isinstance(value, _Param) else tuple(value) if listed else (value,)
            if len(given) != len(wanted):
                raise ValueError(f"parametrize: {len(wanted)} names, {len(given)} values: {given!r}")
            cases.append(dict(zip(wanted, given, strict=True)))

        def mark(target: Any) -> Any:
            setattr(target, _CASES, [*getattr(target, _CASES, []), cases])
            return target

        return mark

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def mark(*given: Any, **options: Any) -> Any:
            return (
                given[0] if len(given) == 1 and callable(given[0]) and not options else lambda target: target
            )

        return mark


mark = _Mark()


def fixture(function: Any = None, **_: Any) -> Any:
    """Marks a function whose value a test takes by naming it as a parameter."""
    if function is None:
        return fixture
    setattr(function, _FIXTURE, True)
    return function


def fail(reason: str = "") -> None:
    raise AssertionError(reason)


def run_tests(name: str, code: str, tests: str) -> dict[str, Any]:
    """Run the test cases of the source ``tests`` against ``code``, which they import as the module ``name``.

    Returns {"cases": how many were run, "failed": how many of them failed, "failures": the first of them as
    [name, error]}. Whatever a case raises is its failure; an exception while the tests are being imported is
    handed on.
    """
    sys.modules["pytest"] = sys.modules[__name__]
    _import(name, code)
    suite = _import(f"test_{name}", tests)
    cases, failures = 0, []
    for title, case in _collect(vars(suite)):
        cases += 1
        try:
            case()
        except BaseException as error:
            text = " ".join(str(error).split())[:80]
            failures.append([title, f"{type(error).__name__}: {text}" if text else type(error).__name__])
    return {"cases": cases, "failed": len(failures), "failures": failures[:_SHOWN_FAILURES]}


def _import(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, f"<{name}>", "exec", dont_inherit=True), module.__dict__)
    return module


def _collect(names: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each test case of a module, with its name, in the order in which they stand."""
    fixtures = {name: value for name, value in names.items() if getattr(value, _FIXTURE, False)}
    for name, value in names.items():
        if isinstance(value, types.FunctionType) and name.startswith("test"):
            yield from _cases(name, value, fixtures, None)
        elif isinstance(value, type) and issubclass(value, unittest.TestCase):
            for method in unittest.defaultTestLoader.getTestCaseNames(value):
                yield f"{name}.{method}", value(method).debug
        elif isinstance(value, type) and name.startswith("Test"):
            for method, function in vars(value).items():
                if isinstance(function, types.FunctionType) and method.startswith("test"):
                    yield from _cases(f"{name}.{method}", function, fixtures, value)


def _cases(
    name: str, function: Any, fixtures: Mapping[str, Any], owner: type | None
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The function once for each combination of its parameters."""
    marks = [*getattr(function, _CASES, []), *getattr(owner, _CASES, [])]
    for number, chosen in enumerate(itertools.product(*marks)):
        given = {key: value for part in chosen for key, value in part.items()}
        yield f"{name}[{number}]" if marks else name, partial(_run, function, given, fixtures, owner)


def _run(function: Any, given: Mapping[str, Any], fixtures: Mapping[str, Any], owner: type | None) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError("a test is a plain function: nothing would run this one")
    made: dict[str, Any] = dict(given)
    unfinished: list[Iterator[Any]] = []

    def make(name: str) -> Any:
        if name not in made:
            if name not in fixtures:
                raise LookupError(f"there is no fixture {name!r}")
            value = call(fixtures[name])
            if inspect.isgenerator(value):
                unfinished.append(value)
                value = next(value)
            made[name] = value
        return made[name]

    def call(target: Any) -> Any:
        wanted = inspect.signature(target).parameters.values()
        return target(**{one.name: make(one.name) for one in wanted if one.default is one.empty})

    instance: Any = None if owner is None else owner()
    try:
        if hasattr(instance, "setup_method"):
            instance.setup_method()
        call(function if owner is None else function.__get__(instance))
    finally:
        for generator in reversed(unfinished):
            next(generator, None)
