"""Turns tokens into visible text as they come: whole characters only, and nothing of a stop string.

Bytes that cannot be UTF-8 become U+FFFD. A character whose first bytes are the last thing generated is
never shown.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class Detokenizer:
    """The text of one completion. The start of what may become a stop string is held back."""

    def __init__(self, stop_strings: Sequence[str]) -> None:
        self._stop_strings = stop_strings
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held_back = ""
        self.stopped = False
        """Whether a stop string has appeared. Nothing more is added then."""

    def add(self, token_bytes: bytes, may_stop: bool = True) -> str:
        """Add a token's bytes; returns the text that has become certain, cut before the first stop string.

        Unless it `may_stop`, all of it is certain; a stop string counts only if it begins behind it.
        """
        text = self._held_back + self._decoder.decode(token_bytes)
        if not self._stop_strings or not may_stop:
            return text
        found = [start for start in map(text.find, self._stop_strings) if start >= 0]
        if found:
            self.stopped = True
            self._held_back = ""
            return text[: min(found)]
        certain = len(text) - self._possible_stop(text)
        self._held_back = text[certain:]
        return text[:certain]

    def finish(self) -> str:
        """The text still held back, when no stop string can come any more."""
        text, self._held_back = self._held_back, ""
        return text

    def _possible_stop(self, text: str) -> int:
        """Length of the longest end of `text` with which a stop string begins."""
        return max(
            next((k for k in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:k])), 0)
            for stop in self._stop_strings
        )
