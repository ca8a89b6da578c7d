"""wending (稳定): serves Qwen2.5 so that it stays stable, and proves it.

Names are imported on first use, so that `import wending` and `wending --help` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wending.engine.llm import LLM
    from wending.engine.sampling_params import SamplingParams

__version__ = "0.1.0"

_LAZY = {"LLM": "wending.engine.llm", "SamplingParams": "wending.engine.sampling_params"}

__all__ = ["LLM", "SamplingParams", "__version__"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
