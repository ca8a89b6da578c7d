from __future__ import annotations

import threading
from pathlib import Path

import pytest

from wending.engine.constraint import Constraint
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.grammar import Grammar, Grammars
from wending.engine.messages import Add
from wending.engine.preparation import Preparation
from wending.engine.sampling_params import SamplingParams
from wending.model.published import open_published


class SlowGrammars(Grammars):
    """Compile when they are told to."""

    go: threading.Event

    def prepare(self, constraint: Constraint) -> Grammar | InvalidRequest:
        assert self.go.wait(20)
        return super().prepare(constraint)


@pytest.fixture(scope="module")
def grammars(demo_folder: Path) -> SlowGrammars:
    tokenizer = open_published(demo_folder).tokenizer
    return SlowGrammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))


def request(key: str, regex: str | None = None) -> Add:
    constraint = None if regex is None else Constraint("regex", regex)
    return Add(key, b"", SamplingParams(constraint=constraint))


def keys(commands: list[Add]) -> list[str]:
    return [command.key for command in commands]


def test_only_who_brings_a_new_grammar_waits(grammars: SlowGrammars) -> None:
    grammars.go = threading.Event()
    preparation = Preparation(lambda: grammars)
    for command in (request("free"), request("constrained", "[a-c]+"), request("also free")):
        preparation.add(command)
    assert keys(preparation.ready()) == ["free", "also free"]
    assert preparation.pending
    preparation.wait(0.001)
    assert preparation.ready() == []
    grammars.go.set()
    preparation.wait(20)
    assert keys(preparation.ready()) == ["constrained"]
    assert not preparation.pending
    assert grammars.has(Constraint("regex", "[a-c]+"))
    preparation.add(request("again", "[a-c]+"))
    assert keys(preparation.ready()) == ["again"]


def test_what_is_wrong_is_found_there_and_said_at_once_later(grammars: SlowGrammars) -> None:
    grammars.go = threading.Event()
    grammars.go.set()
    preparation = Preparation(lambda: grammars)
    preparation.add(request("bad", "("))
    preparation.wait(20)
    assert keys(preparation.ready()) == ["bad"]
    assert grammars.has(Constraint("regex", "("))
    with pytest.raises(InvalidRequest, match="unclosed"):
        grammars.get(Constraint("regex", "("))


def test_a_request_that_leaves_is_forgotten(grammars: SlowGrammars) -> None:
    grammars.go = threading.Event()
    preparation = Preparation(lambda: grammars)
    preparation.add(request("leaves", "[x-z]+"))
    preparation.drop("leaves")
    preparation.drop("never came")
    assert not preparation.pending
    grammars.go.set()
