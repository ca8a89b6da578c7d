"""The tools that a request offers, which of them the answer may or must call, and how that is enforced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from wending.engine.constraint import Constraint
from wending.serve.openai_errors import invalid_value
from wending.serve.schema_numbers import check_numbers

MAX_TOOLS = 128
NAME = r"^[a-zA-Z0-9_.\-]{1,64}$"
NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


def _of_objects(parameters: Any) -> Any:
    if not isinstance(parameters, dict):
        raise PydanticCustomError("schema_type", "must be a JSON schema, as an object")
    if parameters.get("type", "object") != "object":
        raise PydanticCustomError("schema_of_arguments", 'must be a schema with "type": "object"')
    check_numbers(parameters)
    return parameters


Parameters = Annotated[dict[str, Any], BeforeValidator(_of_objects)]


class Function(_Strict):
    """Arguments keep to `parameters` also where `strict` is not true."""

    name: str = Field(pattern=NAME)
    description: str | None = None
    parameters: Parameters | None = None
    strict: bool | None = None

    def schema_of_arguments(self) -> dict[str, Any]:
        """Arguments are an object in any case, and an empty one if no parameters are named."""
        return NO_ARGUMENTS if self.parameters is None else {"type": "object"} | self.parameters


class Tool(_Strict):
    type: Literal["function"]
    function: Function

    def for_template(self) -> dict[str, Any]:
        """As the chat template takes it: what says how to enforce it is not for the model."""
        return self.model_dump(exclude={"function": {"strict"}}, exclude_unset=True)


class NamedFunction(_Strict):
    name: str


class ToolChoice(_Strict):
    """OpenAI writes the first three as a text."""

    type: Literal["auto", "none", "required", "function"]
    function: NamedFunction | None = None


def _as_object(choice: Any) -> Any:
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            raise PydanticCustomError("choice", "must be 'auto', 'none', 'required' or an object")
        return {"type": choice}
    if isinstance(choice, dict) and choice.get("type") == "function" and choice.get("function") is None:
        raise PydanticCustomError("choice", "must say which one: 'function' is absent")
    return choice


_Choice = Literal["auto", "none", "required"] | ToolChoice


class ToolFields(BaseModel):
    """The fields of a request about tools."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tools: list[Tool] | None = Field(default=None, max_length=MAX_TOOLS)
    """Up to 128 functions that the model may call, with JSON schemas of their parameters."""
    tool_choice: Annotated[
        ToolChoice | None, BeforeValidator(_as_object, json_schema_input_type=_Choice | None)
    ] = None
    """Whether a tool may ("auto", the default), must not ("none") or must be called ("required"), or which
    one must: {"type": "function", "function": {"name"}}."""
    parallel_tool_calls: bool | None = None
    """Whether there may be several calls in one answer. Default true."""

    def check_tools(self) -> None:
        """Raises APIError 400 for a name that two tools have, and for a choice of what there is not."""
        names = [tool.function.name for tool in self.tools or ()]
        for i, name in enumerate(names):
            if name in names[:i]:
                other = names.index(name)
                raise invalid_value(f"tools[{i}].function.name", f"tools[{other}] has the name '{name}', too")
        if self._wanted is not None and self._wanted not in names:
            known = ", ".join(names[:10]) or "none"
            message = f"'{self._wanted}' is none of the tools, which are: {known}"
            raise invalid_value("tool_choice.function.name", message)
        if self._choice == "required" and not names:
            raise invalid_value("tool_choice", "'required' needs 'tools', which are absent or empty")

    def tools_constraint(self, of_text: Constraint | None) -> Constraint | None:
        """What the answer must look like, if its text has to keep to `of_text`. Raises APIError 400."""
        if not self.tools or (self._choice == "none" and of_text is not None):
            return of_text
        if of_text is not None and of_text.kind != "json_schema":
            raise invalid_value(of_text.field, "together with 'tools' it can only be a JSON schema")
        return Constraint("tools", self._source(self.tools, of_text), "tools")

    def _source(self, tools: Sequence[Tool], of_text: Constraint | None) -> str:
        wanted = self._wanted
        callables = [
            {
                "name": tool.function.name,
                "schema": tool.function.schema_of_arguments(),
                "field": f"tools[{i}].function.parameters",
            }
            for i, tool in enumerate(tools)
            if self._choice != "none" and wanted in (None, tool.function.name)
        ]
        return orjson.dumps(
            {
                "callable": callables,
                "required": self._choice in ("required", "function"),
                "parallel": self.parallel_tool_calls is not False and wanted is None,
                "content": None
                if of_text is None
                else {"schema": orjson.loads(of_text.source), "field": of_text.field},
            }
        ).decode()

    def template_tools(self) -> list[dict[str, Any]] | None:
        """The tools as the chat template takes them."""
        return [tool.for_template() for tool in self.tools] if self.tools else None

    @property
    def _choice(self) -> str:
        return "auto" if self.tool_choice is None else self.tool_choice.type

    @property
    def _wanted(self) -> str | None:
        """The name of the one tool that must be called."""
        function = None if self.tool_choice is None else self.tool_choice.function
        return None if function is None else function.name
