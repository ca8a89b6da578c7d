"""How a completion ends: cut behind its last whole sentence, if it is asked to, and what that took away."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import msgspec

from wending.engine.client import CompletionDelta
from wending.serve.sentence_ends import SentenceEnds


class Ending:
    """Follows one completion. What may yet be cut is held back until a sentence ends behind it."""

    def __init__(self, decode: Callable[[Sequence[int]], str], cuts: bool, beginning: str = "") -> None:
        """`decode`: the text of tokens. Unless the text is one that `cuts`, it is only counted. `beginning`
        stands before it in the same message."""
        self.tokens = 0
        self.cut_characters = 0
        self.cut_tokens = 0
        """Tokens of which nothing is left."""
        self._decode = decode
        self._sentences = SentenceEnds(beginning) if cuts else None
        self._shown = self._held = ""
        self._token_ids: list[int] = []

    def pass_on(self, delta: CompletionDelta) -> CompletionDelta:
        """The delta, with the text that has become certain instead of its own."""
        self.tokens += len(delta.token_ids)
        if self._sentences is None:
            return delta
        self._token_ids += delta.token_ids
        self._held += delta.text
        self._sentences.add(delta.text)
        if delta.finish_reason == "length":
            self._sentences.close()
        certain = self._sentences.last - len(self._shown)
        if delta.finish_reason == "stop" or (delta.finish_reason == "length" and not self._sentences.last):
            certain = len(self._held)
        text, self._held = self._held[:certain], self._held[certain:]
        self._shown += text
        if delta.finish_reason == "length" and self._held:
            self._count_cut()
        return msgspec.structs.replace(delta, text=text)

    def _count_cut(self) -> None:
        def shows_all(tokens: int) -> bool:
            return self._decode(self._token_ids[:tokens]).startswith(self._shown)

        needed = bisect_left(range(len(self._token_ids)), True, key=shows_all)
        self.cut_characters, self.cut_tokens = len(self._held), len(self._token_ids) - needed


async def ending_well(
    deltas: AsyncGenerator[CompletionDelta, None], endings: Sequence[Ending]
) -> AsyncGenerator[CompletionDelta, None]:
    """The deltas of completions that end so; one of `endings` for each."""
    async with aclosing(deltas):
        async for delta in deltas:
            yield endings[delta.index].pass_on(delta)
