"""The synthetic dialogues the demonstration model is trained on, and their split in training and held-out."""

from __future__ import annotations

import random
from collections.abc import Iterator

from train.dialogues import (
    code_completion,
    essay,
    json_output,
    math_reasoning,
    multilingual,
    role_play,
    small_talk,
)
from train.dialogues.dialogue import Dialogue, Message, pick

__all__ = ["KINDS", "MIXTURE", "Dialogue", "Message", "held_out_dialogues", "mixed", "training_dialogues"]

KINDS = {
    "role_play": role_play.make,
    "json_output": json_output.make,
    "math_reasoning": math_reasoning.make,
    "code_completion": code_completion.make,
    "multilingual": multilingual.make,
}
"""The five kinds that are evaluated."""

MIXTURE = (
    (role_play.make, 0.20),
    (role_play.make_long, 0.008),
    (json_output.make, 0.14),
    (math_reasoning.make, 0.22),
    (math_reasoning.make_drill, 0.10),
    (code_completion.make, 0.16),
    (multilingual.make, 0.09),
    (small_talk.make, 0.03),
    (essay.make, 0.008),
)
"""Share of each generator among the dialogues; the rest are mixed conversations."""


def mixed(rng: random.Random) -> Dialogue:
    """Two to four unrelated exchanges in one conversation, as a user of a chat page has them."""
    makers = (
        json_output.make,
        math_reasoning.make,
        code_completion.make,
        multilingual.make,
        small_talk.make,
        small_talk.make,
    )
    parts = [pick(rng, makers)(rng) for _ in range(rng.randint(2, 4))]
    while any(part.held_out for part in parts):
        parts = [part if not part.held_out else pick(rng, makers)(rng) for part in parts]
    messages: list[Message] = [
        message for part in parts for message in part.messages if message["role"] != "system"
    ]
    defects = [part.defect for part in parts if part.defect]
    return Dialogue(
        "mixed", parts[-1].language, "|".join(p.key for p in parts), messages, defect=",".join(defects)
    )


def training_dialogues(seed: int) -> Iterator[Dialogue]:
    """An endless stream of dialogues, none of them held out; the same for the same seed."""
    rng = random.Random(seed)
    makers, weights = [maker for maker, _ in MIXTURE], [weight for _, weight in MIXTURE]
    makers.append(mixed)
    weights.append(1 - sum(weights))
    while True:
        dialogue = rng.choices(makers, weights)[0](rng)
        if not dialogue.held_out:
            yield dialogue


def held_out_dialogues(kind: str, count: int, seed: int) -> list[Dialogue]:
    """`count` dialogues of one kind with different keys that training never sees, free of defects."""
    rng = random.Random(seed)
    found: dict[str, Dialogue] = {}
    while len(found) < count:
        dialogue = KINDS[kind](rng)
        if dialogue.held_out and not dialogue.defect:
            found.setdefault(dialogue.key, dialogue)
    return list(found.values())
