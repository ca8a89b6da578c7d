"""The form that a request asks its answer to have: OpenAI's `response_format`, and vLLM's names for more.

Exactly one may be given. Whether it can be enforced is the engine's to say.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from wending.engine.constraint import Constraint
from wending.serve.openai_errors import APIError, invalid_value
from wending.serve.schema_numbers import check_numbers

ANY_OBJECT = '{"type":"object"}'


def _is_schema(value: Any) -> Any:
    if not isinstance(value, dict | bool | str):
        raise PydanticCustomError("schema_type", "must be a JSON schema, as an object or as text")
    check_numbers(_parsed(value) if isinstance(value, str) else value)
    return value


def _parsed(text: str) -> Any:
    """A schema that came as text, with all digits of its integers; None if it is none: the engine says so."""
    try:
        orjson.loads(text)
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


Schema = Annotated[Any, AfterValidator(_is_schema)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Text(_Strict):
    type: Literal["text"]


class JSONObject(_Strict):
    type: Literal["json_object"]


class NamedSchema(_Strict):
    """Enforced also where `strict` is not true: there is no looser way of keeping to a schema."""

    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=True)

    name: str = Field(min_length=1, max_length=64)
    description: str | None = None
    schema_: Schema = Field(default_factory=dict, alias="schema")
    strict: bool | None = None


class JSONSchema(_Strict):
    type: Literal["json_schema"]
    json_schema: NamedSchema


ResponseFormat = Annotated[Text | JSONObject | JSONSchema, Field(discriminator="type")]


class StructuredOutputs(_Strict):
    """vLLM's field of this name, and its older fields `guided_json` and so on."""

    json_: Schema | None = Field(default=None, alias="json")
    regex: str | None = None
    choice: list[str] | None = None
    grammar: str | None = None


class ConstraintFields(BaseModel):
    """The fields of a request that say what its answer must look like."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    response_format: ResponseFormat | None = None
    """{"type": "json_object"}, or {"type": "json_schema", "json_schema": {"name", "schema"}}, or "text"."""
    structured_outputs: StructuredOutputs | None = None
    """vLLM's: one of "json", "regex", "choice" and "grammar"."""
    guided_json: Schema | None = None
    """A JSON schema, as an object or as text."""
    guided_regex: str | None = None
    """A regular expression for the whole answer, in Rust's syntax, without look-around."""
    guided_choice: list[str] | None = None
    """The answer is one of these."""
    guided_grammar: str | None = None
    """A grammar in llguidance's dialect of Lark."""

    def constraint(self) -> Constraint | None:
        """Raises APIError 400 if there are several."""
        found = [one for one in (_of_format(self.response_format), *self._guided()) if one is not None]
        if len(found) > 1:
            raise invalid_value(found[1].field, f"it contradicts '{found[0].field}': only one may be given")
        return found[0] if found else None

    def _guided(self) -> list[Constraint | None]:
        outputs = self.structured_outputs or StructuredOutputs()
        return [
            _schema("guided_json", self.guided_json),
            _text("regex", "guided_regex", self.guided_regex),
            _choice("guided_choice", self.guided_choice),
            _text("lark", "guided_grammar", self.guided_grammar),
            _schema("structured_outputs.json", outputs.json_),
            _text("regex", "structured_outputs.regex", outputs.regex),
            _choice("structured_outputs.choice", outputs.choice),
            _text("lark", "structured_outputs.grammar", outputs.grammar),
        ]


def refuse_stop_strings(constraint: Constraint | None, stop: list[str] | None) -> None:
    """A constrained answer ends when it is whole, and not before. Raises APIError 400."""
    if constraint is not None and stop:
        message = f"'stop' could end an answer before it keeps to '{constraint.field}'; drop one."
        raise APIError(400, message, param="stop", code="unsupported_parameter")


def _of_format(response_format: Text | JSONObject | JSONSchema | None) -> Constraint | None:
    match response_format:
        case JSONObject():
            return Constraint("json_schema", ANY_OBJECT, "response_format")
        case JSONSchema():
            field = "response_format.json_schema.schema"
            return _schema(field, response_format.json_schema.schema_)
        case _:
            return None


def _schema(field: str, schema: dict[str, Any] | bool | str | None) -> Constraint | None:
    if schema is None:
        return None
    source = schema if isinstance(schema, str) else orjson.dumps(schema).decode()
    return Constraint("json_schema", source, field)


def _text(kind: Literal["regex", "lark"], field: str, source: str | None) -> Constraint | None:
    return None if source is None else Constraint(kind, source, field)


def _choice(field: str, choices: list[str] | None) -> Constraint | None:
    return None if choices is None else Constraint("choice", orjson.dumps(choices).decode(), field)
