"""What an answer must look like: a JSON schema, a regular expression, one of several texts, a grammar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["json_schema", "regex", "choice", "lark"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A form that the whole of an answer keeps to. Whether it can be enforced is seen when it is compiled."""

    kind: Kind
    source: str
    """The schema as JSON, the regular expression (Rust's syntax, without look-around), the texts as a JSON
    array, or the grammar in llguidance's dialect of Lark."""
    field: str = "constraint"
    """The field of the request that it came in, for error messages."""
