"""The scenarios: readable data files (one per scenario) and what turns them into items to ask and judge."""

from __future__ import annotations

from wending.assess.scenarios.check_spec import CheckSpec
from wending.assess.scenarios.item import Item, Message, Scenario
from wending.assess.scenarios.judge import judge
from wending.assess.scenarios.load import SCENARIO_IDS, load_scenario, load_scenarios, of_levels

__all__ = [
    "SCENARIO_IDS",
    "CheckSpec",
    "Item",
    "Message",
    "Scenario",
    "judge",
    "load_scenario",
    "load_scenarios",
    "of_levels",
]
