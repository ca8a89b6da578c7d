"""Replies of the scripted endpoint that a test decides request by request, where no script can say them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, repeat
from typing import Any, Literal

from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.reply import PROMPT_TOKENS, Reply
from wending.assess.scripted.script import Answer, Fate

Request = Mapping[str, Any]


def always(text: str, **fields: Any) -> Script:
    """A script that answers this, whatever is asked."""
    return Script(answers=(Answer("", (text.replace("\\", r"\\"),)),), **fields)


def say(
    *pieces: str,
    first_s: float = 0.0,
    gap_s: float = 0.0,
    finish_reason: Literal["stop", "length"] = "stop",
    prompt_tokens: int = PROMPT_TOKENS,
    fate: Fate = "answer",
) -> Reply:
    """These pieces, one event for each."""
    gaps = chain([first_s], repeat(gap_s))
    return Reply(fate, pieces, len(pieces), finish_reason, gaps, (prompt_tokens, len(pieces)))


class Decided(ScriptedServer):
    """Asks `decide` for each reply; keeps what was asked, and how many requests ran at the last one."""

    def __init__(self, decide: Callable[[Request], Reply], script: Script | None = None) -> None:
        super().__init__(script or Script(), replies=self)
        self.decide = decide
        self.requests: list[Request] = []
        self.streams = 0

    def reply(self, request: Request, streams: int, age_s: float) -> Reply:
        self.requests.append(request)
        self.streams = streams
        return self.decide(request)
