from __future__ import annotations

import io

from rich.console import Console

from wending.engine.client import CompletionDelta
from wending.engine.generation_progress import GenerationProgress


def shown(progress: bool | None, terminal: bool) -> str:
    text = io.StringIO()
    with GenerationProgress(2, progress, Console(file=text, force_terminal=terminal, width=80)) as bar:
        bar.add(CompletionDelta(0, "a", [1, 2]))
        bar.add(CompletionDelta(0, "", [3], finish_reason="stop"))
    return text.getvalue()


def test_the_bar_counts_completions_and_speed() -> None:
    assert "1/2" in shown(True, terminal=True)
    assert "tok/s" in shown(True, terminal=False)


def test_unasked_there_is_a_bar_on_a_terminal_only() -> None:
    assert "1/2" in shown(None, terminal=True)
    assert shown(None, terminal=False) == ""
    assert shown(False, terminal=True) == ""
