"""How far back does an endpoint still find a fact in a long prompt?"""

from __future__ import annotations

from wending.assess.context.effort import ContextEffort
from wending.assess.context.measure import measure
from wending.assess.context.result import ContextResult, Probe

__all__ = ["ContextEffort", "ContextResult", "Probe", "measure"]
