"""The sandbox: the only place where generated code runs."""

from __future__ import annotations

from wending.assess.sandbox.limits import Limits
from wending.assess.sandbox.run import Outcome, SandboxError, SandboxResult, active_layers, run_python

__all__ = ["Limits", "Outcome", "SandboxError", "SandboxResult", "active_layers", "run_python"]
