"""What happened, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from wending.assess.soak.events import CRASHES, MARKED, event_details, event_words


@pytest.mark.parametrize(
    ("event", "en", "zh"),
    [
        ({"event": "server_ended", "exit_status": 3}, "exit status 3", "退出状态 3"),
        (
            {"event": "server_ended", "exit_status": -9, "words": "killed", "words_zh": "被终止"},
            "killed",
            "被终止",
        ),
        ({"event": "server_restarted", "seconds": 4.0}, "after 4.0 s", "历时 4.0 秒"),
        ({"event": "engine_restart", "count": 2}, "2 times", "2 次"),
        ({"event": "stall_begin", "silent_s": 30.1}, "30.1 s without a token", "30.1 秒没有 token"),
        ({"event": "process_ended"}, "", ""),
        ({"event": "of_tomorrow", "count": 1}, "", ""),
    ],
)
def test_details(event: dict[str, Any], en: str, zh: str) -> None:
    details = event_details(event)
    assert (str(details), details.zh) == (en, zh)


def test_words() -> None:
    for name in {*CRASHES, *MARKED, "server_restarted", "stall_end"}:
        words = event_words({"event": name})
        assert words != name
        assert words != words.zh
    assert event_words({"event": "of_tomorrow"}) == "of_tomorrow"
