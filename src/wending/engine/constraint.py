"""What an answer must look like: a JSON schema, a regular expression, one of several texts, a grammar, or
text and calls of tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["json_schema", "regex", "choice", "lark", "tools"]
CALL_BEGINS, CALL_ENDS = "<tool_call>", "</tool_call>"
"""The tokens around a call of a tool, as Qwen2.5 was trained on them."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A form that the whole of an answer keeps to. Whether it can be enforced is seen when it is compiled."""

    kind: Kind
    source: str
    """The schema as JSON, the regular expression (Rust's syntax, without look-around), the texts as a JSON
    array, or the grammar in llguidance's dialect of Lark. For tools a JSON object:

    callable  the tools that may be called: [{"name", "schema" of the arguments, "field" of the schema}]
    required  whether the answer is calls and no text
    parallel  whether there may be several calls
    content   {"schema", "field"} that text keeps to, or null
    """
    field: str = "constraint"
    """The field of the request that it came in, for error messages."""
