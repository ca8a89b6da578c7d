from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from wending.engine.constraint import Constraint
from wending.engine.grammar.grammar import Grammars
from wending.engine.grammar.pattern_text import pattern_texts, text_of_pattern
from wending.model.published import open_published
from wending.model.tokenizer import Tokenizer

PATTERNS = [
    "[一-鿿]",
    "^[一-鿿]{2,4}$",
    "[\\u4e00-\\u9fff]{2}",
    "[😀-🙏]",
    "é",
    "中文$",
    "北京|上海",
    "[0-9]+ (USD|EUR)",
    "\\d{4}-\\d{2}",
    "^.*[a-z]{3}@[a-z]{3}.*$",
    "^\\S+@\\S+\\.\\S+$",
    'say "[*+]{2,}"',
    "a\\\\b\\$",
]


@pytest.fixture(scope="module")
def tokenizer(demo_folder: Path) -> Tokenizer:
    return open_published(demo_folder).tokenizer


@pytest.fixture(scope="module")
def grammars(tokenizer: Tokenizer) -> Grammars:
    return Grammars(tokenizer, frozenset([tokenizer.added_tokens["<|im_end|>"]]))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_describes_its_text(pattern: str) -> None:
    text = text_of_pattern(pattern)
    assert text is not None
    assert re.search(pattern, json.loads(b'"%s"' % text))
    assert len(text) < 20


@pytest.mark.parametrize("pattern", ["(", "a^b", "[^\\s\\S]"])
def test_none_for_what_describes_no_text(pattern: str) -> None:
    assert text_of_pattern(pattern) is None


def test_of_all_patterns_the_shortest_first() -> None:
    schema = {"items": [{"pattern": "x{3}"}, {"pattern": "("}], "patternProperties": {"^ab$": {"pattern": 1}}}
    assert pattern_texts(schema) == (b"ab", b"xxx")
    assert pattern_texts({"enum": ["x"]}) == ()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_strings_with_patterns_anywhere_have_a_short_end(
    tokenizer: Tokenizer, grammars: Grammars, pattern: str
) -> None:
    text: Any = {"type": "string", "pattern": pattern}
    pair = {"type": "object", "properties": {"a": text, "b": text}, "required": ["a", "b"]}
    for schema in (text, pair | {"additionalProperties": False}, pair, {"items": text, "minItems": 2}):
        grammar = grammars.get(Constraint("json_schema", json.dumps(schema)))
        answer = b"".join(map(tokenizer.token_bytes, grammar.ending))
        assert jsonschema_rs.is_valid(schema, json.loads(answer)), answer
        assert len(answer) < 60
