"""A constraint made ready for the tokens of a model, and those that were made ready lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from llguidance import LLMatcher, LLParserLimits, LLTokenizer

from wending.engine.constraint import Constraint, Kind
from wending.engine.errors import InvalidRequest
from wending.engine.grammar.ending import Endings, Hints
from wending.engine.grammar.growth import Growth, growth_of_schema
from wending.engine.grammar.json_limit import JSONLimit, JSONState, json_state
from wending.engine.grammar.json_schema import grammar_of_schema
from wending.engine.grammar.pattern_text import pattern_texts
from wending.engine.grammar.tool_calls import CallGrowth, growth_of_tool_calls, lark_of_tool_calls
from wending.engine.grammar.vocabulary import grammar_vocabulary, in_tokens, tags
from wending.model.tokenizer import Tokenizer

MOST_SOURCE_BYTES = 256 << 10
MOST_KEPT = 64
"""Grammars that are kept for the next request with the same constraint."""
LIMITS = LLParserLimits(verbose_errors=False)
"""llguidance's own: a million units of work to prepare a grammar (20 ms), some 15 ms for a token at most."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """What every answer under one constraint starts from."""

    start: LLMatcher
    """At the beginning of a text. To be copied, never moved."""
    hints: Hints
    """Names that a JSON schema requires, and texts that its patterns let pass."""
    ending: tuple[int, ...]
    """The shortest complete text that was found."""
    growth: Growth | CallGrowth | None
    """By how much that can become longer; None: by any length with any token."""
    json: JSONState | None
    """Before the first token; None: the answer need not be JSON, and has no limits."""


class Grammars:
    """Compiles constraints for one vocabulary. May be used from several threads."""

    def __init__(self, tokenizer: Tokenizer, eos_token_ids: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._eos_token_ids = eos_token_ids
        self._lock = threading.Lock()
        self._kept: OrderedDict[Constraint, Grammar | InvalidRequest] = OrderedDict()
        self._made: tuple[LLTokenizer, Endings, JSONLimit] | None = None

    @property
    def endings(self) -> Endings:
        """For grammars of this vocabulary."""
        return self._vocabulary()[1]

    @property
    def json_limit(self) -> JSONLimit:
        """For grammars of this vocabulary."""
        return self._vocabulary()[2]

    def has(self, constraint: Constraint) -> bool:
        """Whether `get` returns at once."""
        return constraint in self._kept

    def get(self, constraint: Constraint) -> Grammar:
        """The grammar of a constraint. Takes up to a second. InvalidRequest if it cannot be enforced."""
        with self._lock:
            found = self._kept.get(constraint)
            if found is not None:
                self._kept.move_to_end(constraint)
        if found is None:
            found = self.prepare(constraint)
        if isinstance(found, InvalidRequest):
            raise found
        return found

    def prepare(self, constraint: Constraint) -> Grammar | InvalidRequest:
        """Compile a constraint, so that `get` returns, or raises, at once."""
        made: Grammar | InvalidRequest
        try:
            made = self._compile(constraint)
        except InvalidRequest as error:
            made = error
        with self._lock:
            self._kept[constraint] = made
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return made

    def _vocabulary(self) -> tuple[LLTokenizer, Endings, JSONLimit]:
        with self._lock:
            if self._made is None:
                tokenizer = self._tokenizer
                vocabulary = grammar_vocabulary(tokenizer, self._eos_token_ids)
                token_bytes = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size)]
                tag_ids = tags(tokenizer)
                tokenize = partial(in_tokens, vocabulary=vocabulary, tag_ids=tag_ids)
                endings = Endings(token_bytes, tokenize)
                self._made = vocabulary, endings, JSONLimit(token_bytes, tag_ids)
            return self._made

    def _compile(self, constraint: Constraint) -> Grammar:
        field, size = constraint.field, len(constraint.source.encode())
        if size > MOST_SOURCE_BYTES:
            raise InvalidRequest(field, f"has {size} bytes, the most are {MOST_SOURCE_BYTES}")
        vocabulary, endings, _ = self._vocabulary()
        start = LLMatcher(vocabulary, self._source(constraint), log_level=0, limits=LIMITS)
        if start.is_error():
            raise InvalidRequest(field, f"cannot be enforced: {' '.join(start.get_error().split())[:300]}")
        schemas = _schemas(constraint)
        hints = Hints(frozenset(_required(schemas)), pattern_texts(schemas))
        ending = endings.find(start, hints)
        if ending is None:
            message = "cannot be enforced: no complete answer was found that it allows"
            raise InvalidRequest(field, message, code="unsupported_constraint")
        return Grammar(start, hints, tuple(ending), _growth(constraint), _json(constraint.kind, schemas))

    def _source(self, constraint: Constraint) -> str:
        """In llguidance's form."""
        match constraint.kind:
            case "json_schema":
                return grammar_of_schema(constraint.source, constraint.field)
            case "regex":
                return LLMatcher.grammar_from_regex(constraint.source)
            case "choice":
                return LLMatcher.grammar_from_lark(_lark_of_choice(constraint))
            case "lark":
                return LLMatcher.grammar_from_lark(constraint.source)
            case "tools":
                added_tokens = self._tokenizer.added_tokens
                return LLMatcher.grammar_from_lark(lark_of_tool_calls(constraint, added_tokens))


def _growth(constraint: Constraint) -> Growth | CallGrowth | None:
    match constraint.kind:
        case "json_schema":
            return growth_of_schema(orjson.loads(constraint.source))
        case "tools":
            return growth_of_tool_calls(constraint)
        case _:
            return None


def _json(kind: Kind, schemas: Any) -> JSONState | None:
    match kind:
        case "json_schema":
            return json_state(schemas, in_json=True)
        case "tools":
            return json_state(schemas, in_json=schemas["content"] is not None)
        case _:
            return None


def _schemas(constraint: Constraint) -> Any:
    """JSON that has all schemas of a constraint in it."""
    return orjson.loads(constraint.source) if constraint.kind in ("json_schema", "tools") else None


def _lark_of_choice(constraint: Constraint) -> str:
    choices = orjson.loads(constraint.source)
    texts = isinstance(choices, list) and all(isinstance(one, str) and one for one in choices)
    if not texts or not choices:
        raise InvalidRequest(constraint.field, "must be a list of at least one text, none of them empty")
    return "start: " + " | ".join(orjson.dumps(one).decode() for one in dict.fromkeys(choices))


def _required(schema: Any) -> Iterator[bytes]:
    """All names in a list called `required` anywhere in a schema."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            names = value.get("required")
            if isinstance(names, list):
                yield from (name.encode() for name in names if isinstance(name, str))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
