"""Reads scenario files, strictly: a mistake in a data file is an error that names the file and the item."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import jsonschema_rs

from wending.assess.bilingual import Bilingual
from wending.assess.checks import validate
from wending.assess.checks.canonical import ANSWER_KINDS
from wending.assess.scenarios.check_spec import CheckSpec
from wending.assess.scenarios.item import Item, Scenario
from wending.assess.scenarios.verdict_message import PLACE

SCENARIO_IDS = ("role_play", "json_output", "math_reasoning", "code_completion", "multilingual", "correction")

_TEXTS = {
    "type": "object",
    "required": ["en", "zh"],
    "additionalProperties": False,
    "properties": {"en": {"type": "string", "minLength": 1}, "zh": {"type": "string", "minLength": 1}},
}
_MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "additionalProperties": False,
    "properties": {
        "role": {"enum": ["system", "user"]},
        "content": {"type": "string", "minLength": 1},
        "when_right": {"type": "string", "minLength": 1},
    },
}
_ITEM = {
    "type": "object",
    "required": ["id", "language", "messages", "checks", "max_tokens"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "language": {"enum": ["en", "zh", "ar", "de", "es", "fr", "it", "ja", "ko", "pt", "ru", "th", "vi"]},
        "messages": {"type": "array", "minItems": 1, "items": _MESSAGE},
        "checks": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["check"]}},
        "answer": {"enum": list(ANSWER_KINDS)},
        "max_tokens": {"type": "integer", "minimum": 1},
        "level": {"enum": [1, 2, 3]},
        "probes": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
        "recovery": {"enum": ["told_json_wrong", "user_corrects", "user_insists", "role_pressed"]},
    },
}
_SCENARIO = {
    "type": "object",
    "required": ["id", "title", "description", "items"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "title": _TEXTS,
        "description": _TEXTS,
        "items": {"type": "array", "minItems": 1, "items": _ITEM},
    },
}
_VALIDATOR = jsonschema_rs.Draft202012Validator(_SCENARIO)


def load_scenarios(ids: Sequence[str] | None = None, own: Sequence[Scenario] = ()) -> list[Scenario]:
    """The scenarios of these ids, in this order; for None all that are bundled, and then one's own.

    Raises ValueError for an unknown id, naming those there are, and for an id that two scenarios have.
    """
    folder = files("wending.assess.scenarios")
    known = [*SCENARIO_IDS, *(scenario.id for scenario in own)]
    for scenario in own:
        if known.count(scenario.id) > 1:
            raise ValueError(
                Bilingual(
                    f"two scenarios have the id {scenario.id!r}; give yours another one",
                    f"有两个场景的 id 都是 {scenario.id!r}；请换一个 id",
                )
            )
    for scenario_id in ids or ():
        if scenario_id not in known:
            names = ", ".join(known)
            raise ValueError(
                Bilingual(
                    f"unknown scenario {scenario_id!r}; there are: {names}",
                    f"没有场景 {scenario_id!r}；可选：{names}",
                )
            )
    of_id = {scenario.id: scenario for scenario in own}
    return [
        of_id.get(scenario_id) or load_scenario(folder / f"{scenario_id}.json")
        for scenario_id in ids or known
    ]


def of_levels(
    scenarios: Sequence[Scenario], levels: Collection[int], asked_for: Collection[str] = ()
) -> list[Scenario]:
    """The scenarios with their items of these levels only. One that has none is left out, unless its id is
    among those that were asked for: then it stays whole."""
    chosen = []
    for scenario in scenarios:
        items = tuple(item for item in scenario.items if item.level in levels)
        if items or scenario.id in asked_for:
            chosen.append(replace(scenario, items=items or scenario.items))
    return chosen


def load_scenario(file: Path | Traversable) -> Scenario:
    """Read one scenario file. Raises ValueError that names the file and the place of a mistake."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file.name}: not valid JSON: {error}") from None
    for problem in _VALIDATOR.iter_errors(data):
        place = "/".join(map(str, problem.instance_path)) or "the file"
        raise ValueError(f"{file.name}: {place}: {problem.message}")
    items = tuple(_item(file.name, item) for item in data["items"])
    item_ids = [item.id for item in items]
    for item_id in item_ids:
        if item_ids.count(item_id) > 1:
            raise ValueError(f"{file.name}: item id {item_id!r} is used {item_ids.count(item_id)} times")
    return Scenario(data["id"], data["title"], data["description"], items)


def _item(file_name: str, data: Mapping[str, Any]) -> Item:
    place = f"{file_name}: item {data['id']!r}"
    roles = [message["role"] for message in data["messages"]]
    if "user" not in roles or "system" in roles[1:]:
        raise ValueError(
            f"{place}: messages must be one optional system prompt followed by user turns, got {roles}"
        )
    checks = []
    for entry in data["checks"]:
        expectation = {key: value for key, value in entry.items() if key != "check"}
        try:
            validate(entry["check"], expectation)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        checks.append(CheckSpec(entry["check"], expectation))
    users = [message for message in data["messages"] if message["role"] == "user"]
    for turn, message in enumerate(users, 1):
        tells = "when_right" in message
        if tells != (PLACE in message["content"]) or (
            tells and (turn == 1 or any(spec.name != "json" for spec in checks))
        ):
            raise ValueError(
                f"{place}: user turn {turn}: {PLACE} and when_right go together, after another user turn, "
                "in an item whose checks are all json"
            )
    probes, turns = data.get("probes", []), roles.count("user")
    if probes and (probes != sorted(set(probes)) or probes[-1] != turns):
        raise ValueError(
            f"{place}: probes must ascend and end with the last of its {turns} user turns, got {probes}"
        )
    return Item(
        id=data["id"],
        language=data["language"],
        messages=tuple(data["messages"]),
        checks=tuple(checks),
        answer_kind=data.get("answer", "text"),
        max_tokens=data["max_tokens"],
        level=data.get("level", 1),
        probes=tuple(probes),
        recovery=data.get("recovery"),
    )
