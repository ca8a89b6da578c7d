"""What can go wrong in following a grammar. Imports nothing, as most engines never need llguidance."""

from __future__ import annotations


class GrammarBroken(ArithmeticError):  # noqa: N818
    """A grammar became too complex for its limits, or does not lead to what was said: nothing can follow."""
