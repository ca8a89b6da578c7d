"""One check of an item: the registered name and the expectation it is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CheckSpec:
    name: str
    expectation: Mapping[str, Any]
