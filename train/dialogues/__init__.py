"""The synthetic dialogues the demonstration model is trained on, and their split in training and held-out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from train.dialogues import (
    code_completion,
    copying,
    essay,
    json_output,
    math_reasoning,
    multilingual,
    role_play,
    small_talk,
)
from train.dialogues.dialogue import Dialogue, Message, pick

__all__ = [
    "BROAD",
    "COPYING",
    "HARD",
    "KINDS",
    "Dialogue",
    "Message",
    "held_out_dialogues",
    "mixed",
    "training_dialogues",
]

KINDS: dict[str, Callable[[random.Random], Dialogue]] = {
    "role_play": role_play.make,
    "json_output": json_output.make,
    "math_reasoning": math_reasoning.make,
    "code_completion": code_completion.make,
    "multilingual": multilingual.make,
}
"""The five kinds that are evaluated."""

Maker = Callable[[random.Random], Dialogue]


def mixture(**shares: float) -> dict[str, float]:
    """Shares of the generators among the dialogues by name; what is missing to one is mixed conversations."""
    return shares | {"mixed": 1 - sum(shares.values())}


BROAD = mixture(
    copying=0.10,
    role_play=0.18,
    long_role_play=0.008,
    json_output=0.14,
    math_reasoning=0.20,
    drill=0.08,
    code_completion=0.14,
    multilingual=0.08,
    small_talk=0.03,
    essay=0.008,
)
COPYING = {kind: 0.7 / 0.9 * share for kind, share in BROAD.items()} | {"copying": 0.30}
"""The start: so much copying that the heads planted for it are used from the first step, not trained away."""
HARD = mixture(
    copying=0.06,
    json_output=0.29,
    math_reasoning=0.30,
    drill=0.11,
    role_play=0.08,
    long_role_play=0.004,
    code_completion=0.07,
    multilingual=0.03,
    small_talk=0.01,
    essay=0.004,
)
"""More of what is learned last: arithmetic, and JSON of the demanded shape."""


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


MAKERS: dict[str, Maker] = KINDS | {
    "long_role_play": role_play.make_long,
    "drill": math_reasoning.make_drill,
    "copying": copying.make,
    "small_talk": small_talk.make,
    "essay": essay.make,
    "mixed": mixed,
}


def training_dialogues(seed: int, shares: dict[str, float] = BROAD) -> Iterator[Dialogue]:
    """An endless stream of dialogues, none of them held out; the same for the same seed and shares."""
    rng = random.Random(seed)
    makers, weights = [MAKERS[name] for name in shares], list(shares.values())
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
