from __future__ import annotations

import random
from typing import Any

import pytest

from wending.serve.turns import conversation_of

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def messages(roles: str) -> list[dict[str, Any]]:
    return [{"role": ROLES[role], "content": f"{role}{i}"} for i, role in enumerate(roles)]


@pytest.mark.parametrize(
    ("roles", "system", "turns"),
    [
        ("u", "", ["u"]),
        ("su", "s", ["u"]),
        ("ssu", "ss", ["u"]),
        ("suauau", "s", ["ua", "ua", "u"]),
        ("uu", "", ["u", "u"]),
        ("auau", "", ["a", "ua", "u"]),
        ("suatau", "s", ["uata", "u"]),
        ("uattau", "", ["uatta", "u"]),
        ("suasu", "s", ["ua", "su"]),
        ("suassu", "s", ["ua", "ssu"]),
        ("usu", "", ["u", "su"]),
        ("usau", "", ["usa", "u"]),
        ("sus", "s", ["us"]),
        ("suaus", "s", ["ua", "us"]),
        ("sa", "s", ["a"]),
        ("s", "s", []),
    ],
)
def test_turns(roles: str, system: str, turns: list[str]) -> None:
    conversation = conversation_of(messages(roles))
    assert "".join(one["content"][0] for one in conversation.system) == system
    assert ["".join(one["content"][0] for one in turn) for turn in conversation.turns] == turns


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_lost_and_every_user_has_a_turn(seed: int) -> None:
    numbers = random.Random(seed)
    given = messages("".join(numbers.choices("suat", k=numbers.randrange(1, 12))))
    system, turns = conversation_of(given)
    assert [*system, *(message for turn in turns for message in turn)] == given
    assert all(turn for turn in turns)
    assert all(sum(message["role"] == "user" for message in turn) == 1 for turn in turns[1:])
