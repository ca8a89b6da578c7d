"""What is found in written logs: days are read in bounded memory, leaks are told from level memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from wending.assess.soak.findings import findings
from wending.assess.soak.log import NAME
from wending.assess.soak.report import write_report
from wending.assess.soak.summary import NoSoakError, summarize
from wending.assess.soak.timeline import MAX_BINS
from wending.assess.soak.window import Window

HOUR = 3600.0


def head(kind: str = "checkpoint") -> dict[str, Any]:
    return {
        "kind": "start",
        "at": 0.0,
        "target": {
            "kind": kind, "given": "m", "base_url": "http://h/v1", "model": "a|<b>", "demonstration": False,
        },
        "plan": {
            "duration_s": 24 * HOUR, "concurrency": 4, "sample_s": 60.0, "canary_s": HOUR, "stall_s": 30.0,
            "seed": 1,
        },
        "environment": {
            "cpu": "c", "usable_cores": 2, "memory_bytes": 2**33, "os": "o", "python": "3", "wending": "0",
            "command": "wending soak",
        },
        "baseline": {"list": "red", "code": None},
    }  # fmt: skip


def sample(at: float, **values: Any) -> dict[str, Any]:
    window = Window(requests=5, tokens=100)
    for _ in range(5):
        window.ttft.add(0.2)
    return {"kind": "sample", "at": at, **values, **window.to_json()}


def written(folder: Path, lines: list[dict[str, Any]]) -> Path:
    (folder / NAME).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return folder


def day(folder: Path, memory: Callable[[float], float], samples: int = 1440) -> dict[str, Any]:
    """A day's report; `memory` gives MiB at an hour."""
    times = [(number + 1) * 24 * HOUR / samples for number in range(samples)]
    lines = [sample(t, memory_bytes=memory(t / HOUR) * 2**20, threads=11) for t in times]
    written(folder, [head(), *lines, {"kind": "end", "at": 24 * HOUR, "reason": "done"}])
    return summarize(folder).to_json()


def test_a_planted_leak_is_found_with_its_size(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    report = day(tmp_path, lambda hour: 1000 + 3 * hour + random.normal(0, 5))
    memory, threads, ttft = report["trends"]
    assert memory["rises"]
    assert memory["low"] < 3 * 2**20 < memory["high"]
    assert memory["in_30_days"] == pytest.approx(3 * 720 * 2**20, rel=0.05)
    assert not threads["rises"]
    assert not ttft["rises"]
    write_report(report, tmp_path)
    assert "Memory rises by" in (tmp_path / "soak.md").read_text("utf-8")


def test_level_memory_is_no_leak_even_when_it_warms_up_and_wanders(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    wander = [0.0]

    def memory(hour: float) -> float:
        wander[0] = 0.9 * wander[0] + random.normal(0, 2)
        return 1000 - 300 * float(np.exp(-hour)) + wander[0]

    report = day(tmp_path, memory)
    assert not any(row["rises"] for row in report["trends"])
    assert report["complete"]
    assert report["crashes"]["hours_between_at_least"] == pytest.approx(24 / 2.9957, rel=1e-3)


def test_growth_that_levels_off_is_no_leak(tmp_path: Path) -> None:
    """Even if it goes on beyond the warm-up."""
    random = np.random.default_rng(3)
    report = day(tmp_path, lambda hour: 300 + min(hour, 12) + random.normal(0, 7))
    memory = report["trends"][0]
    assert memory["is_certain"]
    assert not memory["still_rises"]
    assert not memory["rises"]
    write_report(report, tmp_path)
    assert "rose at first, then no more" in (tmp_path / "soak.md").read_text("utf-8")


def test_the_timeline_stays_small_over_many_samples(tmp_path: Path) -> None:
    report = day(tmp_path, lambda hour: 1000, samples=5000)
    assert len(report["series"]["memory_bytes"]) <= MAX_BINS
    assert report["requests"] == 5 * 5000
    assert report["ttft_s"]["p99"] == pytest.approx(0.2, rel=0.05)


def test_a_gap_is_shown_and_is_not_soaked_time(tmp_path: Path) -> None:
    lines = [head(), sample(60), {"kind": "resume", "at": 1060.0}, sample(1120), sample(1180)]
    report = summarize(written(tmp_path, lines)).to_json()
    assert report["gaps"] == [{"begin_s": 60.0, "seconds": 1000.0}]
    assert report["soaked_s"] == 180.0
    assert report["sessions"] == 2
    assert not report["complete"]
    page = write_report(report, tmp_path).read_text("utf-8")
    assert "until the soak was gone on with" in page
    assert "a|&lt;b&gt;" in page


def test_events_and_canaries_are_counted_and_named(tmp_path: Path) -> None:
    differs = {"id": "list", "equal": False, "text": "blue"}
    lines = [
        head(),
        {"kind": "event", "at": 10.0, "event": "server_ended", "exit_status": -9, "words": "killed"},
        {"kind": "event", "at": 14.0, "event": "server_restarted", "seconds": 4.0},
        {"kind": "event", "at": 20.0, "event": "engine_restart", "count": 2},
        {"kind": "event", "at": 50.0, "event": "stall_begin", "silent_s": 30.1},
        {"kind": "event", "at": 60.0, "event": "stall_end", "seconds": 40.0},
        {"kind": "canary", "at": 70.0, "loaded": True, "answers": [differs, {"id": "code", "equal": None}]},
        {
            "kind": "canary", "at": 80.0, "loaded": False,
            "answers": [{"id": "list", "equal": None, "error": "timeout"}],
        },
    ]  # fmt: skip
    report = summarize(written(tmp_path, lines)).to_json()
    assert report["crashes"]["n"] == 3
    assert report["crashes"]["down_s"] == 4.0
    assert report["stalls"] == {"n": 1, "seconds": 40.0, "longest_s": 40.0, "open": False}
    assert report["canary"]["loaded"]["n"] == 1
    assert report["canary"]["differing"][0]["text"] == "blue"
    assert report["canary"]["unsteady"] == ["code"]
    page = write_report(report, tmp_path).read_text("utf-8")
    assert "the server answered again" in page
    assert "历时 4.0 秒" in page
    assert "after 4.0 s · 历时 4.0 秒" in (tmp_path / "soak.md").read_text("utf-8")
    found = orjson.loads((tmp_path / "soak.json").read_bytes())["findings"]
    assert len(found) == 5
    assert all(words["en"] and words["zh"] for words in found)


def test_a_server_of_others_without_metrics_says_nothing_of_crashes(tmp_path: Path) -> None:
    report = summarize(written(tmp_path, [head("endpoint"), sample(60)])).to_json()
    assert not report["crashes"]["visible"]
    assert report["crashes"]["per_hour_at_most"] is None
    told = summarize(written(tmp_path, [head("endpoint"), sample(60, engine_restarts=0)])).to_json()
    assert told["crashes"]["visible"]


WHOLE = [
    head(),
    sample(60.0),
    {"kind": "event", "at": 61.0, "event": "stall_end", "seconds": 2.0},
    {"kind": "canary", "at": 62.0, "loaded": True, "answers": [{"id": "list", "equal": True}]},
]


@pytest.mark.parametrize(
    "damaged",
    [
        {"kind": "sample", "at": "noon"},
        {"kind": "sample", "at": -1.0},
        {"kind": "sample", "at": 1e300},
        {"kind": "sample"},
        {"kind": "sample", "at": 70.0},
        sample(70.0) | {"ttft": {"x": 1}},
        sample(70.0) | {"errors": {"timeout": "many"}},
        sample(70.0) | {"memory_bytes": "1 GiB"},
        {"kind": "event", "at": 70.0},
        {"kind": "event", "at": 70.0, "event": ["stall_end"]},
        {"kind": "event", "at": 70.0, "event": "stall_end"},
        {"kind": "event", "at": 70.0, "event": "server_restarted", "seconds": None},
        {"kind": "event", "at": 70.0, "event": "oom_kill", "count": "2"},
        {"kind": "canary", "at": 70.0, "loaded": True, "answers": [{"id": "list", "equal": False}]},
        {"kind": "canary", "at": 70.0, "answers": []},
        {"kind": "server", "at": 70.0, "pid": "7"},
        {"kind": "end", "at": 70.0},
        {"kind": ["end"], "at": 70.0},
        head() | {"plan": head()["plan"] | {"sample_s": 0}},
        {name: value for name, value in head().items() if name != "baseline"},
        [],
        7,
    ],
)
def test_a_line_without_its_fields_is_passed_over_and_counted(tmp_path: Path, damaged: Any) -> None:
    expected = summarize(written(tmp_path, WHOLE)).to_json()
    report = summarize(written(tmp_path, [*WHOLE[:2], damaged, *WHOLE[2:]])).to_json()
    assert report == expected | {"lines_passed_over": 1}
    write_report(report, tmp_path)
    assert "1 line of the log could not be used" in (tmp_path / "soak.md").read_text("utf-8")


def test_events_and_kinds_of_a_later_version_are_no_damage(tmp_path: Path) -> None:
    later = [{"kind": "event", "at": 70.0, "event": "moved", "to": "mars"}, {"kind": "weather", "at": 71.0}]
    report = summarize(written(tmp_path, [*WHOLE, *later])).to_json()
    assert report["event_counts"] == {"stall_end": 1, "moved": 1}
    assert report["lines_passed_over"] == 0
    assert "moved" in write_report(report, tmp_path).read_text("utf-8")


def test_the_end_and_the_target_are_said_in_both_languages(tmp_path: Path) -> None:
    end = {"kind": "end", "at": 70.0, "reason": "it is gone", "reason_zh": "它不见了"}
    report = summarize(written(tmp_path, [head("bundled"), sample(60.0), end])).to_json()
    page = write_report(report, tmp_path).read_text("utf-8")
    assert "提前结束（它不见了）" in page
    assert "自带的演示模型" in page


def test_a_process_that_is_watched_shows_its_crashes(tmp_path: Path) -> None:
    lines = [head("endpoint"), {"kind": "process", "at": 1.0, "pid": 7}, sample(60.0)]
    assert summarize(written(tmp_path, lines)).to_json()["crashes"]["visible"]
    ended = {"kind": "event", "at": 61.0, "event": "process_ended"}
    report = summarize(written(tmp_path, [*lines, ended])).to_json()
    assert report["crashes"]["n"] == 1
    assert findings(report) == ["The server or its engine ended 1 time."]


def test_no_log_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(NoSoakError, match=str(tmp_path)):
        summarize(tmp_path)
    (tmp_path / NAME).write_text("{half")
    with pytest.raises(NoSoakError, match="no first line"):
        summarize(tmp_path)
