"""What may happen during a soak, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wending.assess.bilingual import Bilingual

_EVENTS = {
    "server_ended": Bilingual("the server ended", "服务终止"),
    "server_restarted": Bilingual("the server answered again", "服务恢复"),
    "engine_restart": Bilingual("the engine was started again", "引擎重启"),
    "process_ended": Bilingual(
        "the server's process ended; it is no longer sampled", "服务进程终止；不再采样"
    ),
    "process_restart": Bilingual("the server was started again", "服务重启"),
    "oom_kill": Bilingual("a process was killed for want of memory", "有进程因内存不足被终止"),
    "stall_begin": Bilingual("a stall began", "停顿开始"),
    "stall_end": Bilingual("the stall ended", "停顿结束"),
}
CRASHES = ("server_ended", "engine_restart", "process_restart", "process_ended")
MARKED = (*CRASHES, "stall_begin", "oom_kill")
"""Shown in charts."""


def event_words(event: Mapping[str, Any]) -> Bilingual:
    """What happened; an event of a later version by its own name."""
    name = event["event"]
    return _EVENTS.get(name, Bilingual(name, name))


def event_details(event: Mapping[str, Any]) -> Bilingual:
    """How often, how long, or how; empty where there is nothing more to say."""
    if "words" in event:
        return Bilingual(event["words"], event.get("words_zh", event["words"]))
    if "exit_status" in event:
        return Bilingual(f"exit status {event['exit_status']}", f"退出状态 {event['exit_status']}")
    if "silent_s" in event:
        return Bilingual(f"{event['silent_s']} s without a token", f"{event['silent_s']} 秒没有 token")
    if "seconds" in event:
        return Bilingual(f"after {event['seconds']} s", f"历时 {event['seconds']} 秒")
    if event.get("count", 1) > 1:
        return Bilingual(f"{event['count']} times", f"{event['count']} 次")
    return Bilingual("", "")
