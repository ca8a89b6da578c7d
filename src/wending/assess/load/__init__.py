"""Load: a generator that knows its own overhead, and the highest load that keeps an objective."""

from __future__ import annotations

from wending.assess.load.calibration import Calibration, calibrate
from wending.assess.load.generator import GeneratorError, LoadGenerator
from wending.assess.load.level import Level
from wending.assess.load.objective import Objective
from wending.assess.load.search import CAP, Capacity, find_capacity

__all__ = [
    "CAP",
    "Calibration",
    "Capacity",
    "GeneratorError",
    "Level",
    "LoadGenerator",
    "Objective",
    "calibrate",
    "find_capacity",
]
