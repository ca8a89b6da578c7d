"""Scenarios and items as the runner sees them: what to ask, how many turns, how to judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wending.assess.checks.canonical import canonical_answer
from wending.assess.scenarios.check_spec import CheckSpec
from wending.assess.scenarios.verdict_message import PLACE, verdict_message

Message = dict[str, str]
"""``role`` and ``content``. A user turn that tells what the item's checks have against the answer before, at
``{verdict}``, has ``when_right`` beside: what is said instead where they have nothing against it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One task: an optional system prompt and one or more user turns, each of which the model answers."""

    id: str
    language: str
    messages: tuple[Message, ...]
    checks: tuple[CheckSpec, ...]
    answer_kind: str
    max_tokens: int
    level: int = 1
    """How difficult it is, 1 to 3."""
    probes: tuple[int, ...] = ()
    """The user turns, from 1, whose answers are judged; () for the last one only."""
    recovery: str | None = None
    """The trial of recovery/conversations.py that it is, if any."""

    @property
    def turns(self) -> int:
        """How many user turns there are, that is how many answers a run needs."""
        return sum(message["role"] == "user" for message in self.messages)

    @property
    def judged_turns(self) -> tuple[int, ...]:
        """Ascending; the last one is always among them."""
        return self.probes or (self.turns,)

    def conversation(self, answers: Sequence[str]) -> list[Message]:
        """Messages of the next request, the turns asked before it filled in with ``answers``."""
        if len(answers) >= self.turns:
            raise ValueError(
                f"item {self.id!r} has {self.turns} user turns; {len(answers)} are answered already"
            )
        conversation: list[Message] = []
        asked = 0
        for message in self.messages:
            conversation.append({"role": message["role"], "content": self._content(message, answers[:asked])})
            if message["role"] == "user":
                if asked == len(answers):
                    break
                conversation.append({"role": "assistant", "content": answers[asked]})
                asked += 1
        return conversation

    def needed_recovery(self, answers: Sequence[str]) -> bool:
        """False where the model was to be told what is wrong with an answer, and nothing was."""
        turns = [message for message in self.messages if message["role"] == "user"]
        return all(
            self._content(message, answers[:turn]) != message.get("when_right")
            for turn, message in enumerate(turns)
        )

    def _content(self, message: Message, answers: Sequence[str]) -> str:
        if "when_right" not in message:
            return message["content"]
        verdict = verdict_message(self.checks, answers[-1], self.language)
        return message["when_right"] if verdict is None else message["content"].replace(PLACE, verdict)

    def comparable_answer(self, text: str) -> str | None:
        """The parsed answer where only one can be right (numbers), so that repeats must agree; else None."""
        return self.answer_of(text) if self.answer_kind == "number" else None

    def answer_of(self, text: str) -> str | None:
        """The parsed answer in canonical form, for agreement between repeats; None when there is none."""
        return canonical_answer(self.answer_kind, text)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named group of items. ``title`` and ``description`` are given in "en" and "zh"."""

    id: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    items: tuple[Item, ...]
