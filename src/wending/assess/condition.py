"""Under what conditions items are asked: agreement is measured under three, retention under two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wending.assess.bilingual import Bilingual

ConditionName = Literal["default", "alone", "loaded", "role_keeping", "response_format"]
"""The first three are those of agreement; for the others see role_keeping.py and response_format.py."""


@dataclass(frozen=True, slots=True)
class Condition:
    name: ConditionName
    title: Bilingual
    greedy: bool
    """At temperature 0, so that only the endpoint can make a difference."""
    background: int = 0
    """Streams of other requests that run beside."""


DEFAULT = Condition("default", Bilingual("as clients ask", "按客户端的默认采样"), greedy=False)
ALONE = Condition("alone", Bilingual("temperature 0, alone", "温度 0，单独请求"), greedy=True)
LOADED = Condition(
    "loaded", Bilingual("temperature 0, under load", "温度 0，有其他负载"), greedy=True, background=8
)
ROLE_KEEPING = Condition("role_keeping", Bilingual("with role keeping", "启用角色保持"), greedy=False)
