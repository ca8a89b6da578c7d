"""What every engine is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VOCABULARY = 100_000
"""Prompts are drawn from the ids below: none of Qwen2.5's control tokens."""


@dataclass(frozen=True, slots=True)
class Work:
    """So many sequences at once, each a prompt of random tokens to be completed greedily."""

    name: str
    sequences: int
    prompt_tokens: int
    output_tokens: int
    shared_tokens: int = 0
    """Of each prompt, so many tokens are the same in all sequences, as a system prompt is."""

    @property
    def length(self) -> int:
        """Tokens of one sequence when it is done."""
        return self.prompt_tokens + self.output_tokens

    @property
    def tokens(self) -> int:
        """Tokens of all sequences."""
        return self.sequences * self.length

    @property
    def computed_prompt_tokens(self) -> int:
        """Tokens of all prompts that must be computed: what is shared counts once."""
        return self.shared_tokens + self.sequences * (self.prompt_tokens - self.shared_tokens)

    def job(self, repeat: int, vocabulary: int = VOCABULARY) -> dict[str, Any]:
        """What the adapter is sent.

        The work's name is part of the seed: prompts of two works or repeats never begin alike, so a prefix
        cache finds in a job what the job itself shares, and nothing of an earlier one.
        """
        return {
            "sequences": self.sequences,
            "prompt_tokens": self.prompt_tokens,
            "output_tokens": self.output_tokens,
            "shared_tokens": self.shared_tokens,
            "seed": f"{self.name} {repeat}",
            "vocabulary": vocabulary,
        }


# The long prompt is followed by a few tokens: one run gives the speed of the prompt (its tokens over the time
# to the first token) and of one stream at this context (tokens after the first over the rest of the time).
WORKS = {
    work.name: work
    for work in (
        Work("1x32-64", 1, 32, 64),
        Work("8x32-64", 8, 32, 64),
        Work("16x128-64", 16, 128, 64),
        Work("32x256-128", 32, 256, 128),
        Work("shared-1000", 16, 1032, 64, shared_tokens=1000),
        Work("prompt-512", 1, 512, 1),
        Work("prompt-4096", 1, 4096, 33),
    )
}
WORKS_7B = {work.name: work for work in (Work("1x32-32", 1, 32, 32), Work("8x32-32", 8, 32, 32))}
START = Work("start", 1, 32, 1)
"""The first job of a fresh process, for the time from its start to its first token."""
