"""Every way in which an assessment can break off: it leaves a report of what was measured."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest
from tests.assess.assessing import assess, report_of, runs_of
from tests.assess.decided import Decided, Request, always, say
from tests.assess.full_disk import files_of_at_most
from tests.assess.in_thread import in_thread
from tests.assess.raw_server import RawServer, chunked, whole

from wending.assess.conductor import BROKEN_OFF, DONE
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.reply import Reply, refusal
from wending.assess.scripted.script import Failures


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (RawServer(whole(b"500 Internal Server Error", b'{"error": "engine is dead"}')), "engine is dead"),
        (RawServer(chunked(b"data: hello\n\n")), "not JSON"),
        (RawServer(chunked(b"<html>")), "without a finish_reason"),
        (ScriptedServer(Script(failures=Failures(cut_off=1))), "lost in the middle"),
    ],
)
def test_an_endpoint_that_never_answers_right_ends_the_assessment(
    endpoint: ScriptedServer | RawServer, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_thread(endpoint):
        assert assess(endpoint.base_url, tmp_path / "out", model="m") == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    assert said in report["incomplete_reason"]
    assert said in capsys.readouterr().err
    assert report["pass_rate"]["n"] == 0
    assert report["lost_runs"] == len(runs_of(tmp_path / "out")) >= 5


def test_a_refused_key_ends_the_assessment_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_thread(ScriptedServer(Script(api_key="right"))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", api_key="opensesame") == BROKEN_OFF
        assert endpoint.served == 0
    assert "the key was refused" in capsys.readouterr().err
    assert "the key was refused" in report_of(tmp_path / "out")["incomplete_reason"]
    assert b"opensesame" not in b"".join(path.read_bytes() for path in (tmp_path / "out").glob("report.*"))


def test_nobody_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert assess(url, tmp_path / "out") == BROKEN_OFF
    said = capsys.readouterr().err
    assert "cannot be reached: Connection refused" in said
    assert "Nothing was measured" in said
    assert report_of(tmp_path / "out")["target"]["model"] is None


def test_an_endpoint_that_dies_half_way_leaves_what_was_measured(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        return say("Answer: 5", fate="cut_off" if len(endpoint.requests) > 7 else "answer")

    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", repeats=5) == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    # Requests overlap: one that was broken may end before a good one, and then it is no part of the end.
    assert report["pass_rate"]["n"] >= 6
    assert report["lost_runs"] >= 5
    runs = runs_of(tmp_path / "out")
    assert len(runs) == report["pass_rate"]["n"] + report["lost_runs"]
    assert sum(run["error"] is None for run in runs) == 6
    assert any("count in no rate" in note["en"] for note in report["notes"])


def test_an_endpoint_that_dies_during_the_performance_measurement(tmp_path: Path) -> None:
    def script(request: Request) -> Reply:
        is_dead = len(endpoint.requests) > 2 * len(report_items) + 9
        return say("Answer: 5", fate="cut_off" if is_dead else "answer")

    report_items = json.loads(
        files("wending.assess.scenarios").joinpath("math_reasoning.json").read_text("utf-8")
    )["items"]
    report_items = [item for item in report_items if item.get("level", 1) == 1]
    with in_thread(Decided(script)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", performance_seconds=30) == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert not report["complete"]
    assert report["pass_rate"]["n"] == 2 * len(report_items)
    assert report["performance"][0]["ttft_s"]["n"] == 7


def test_a_checkpoint_that_cannot_be_served_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "checkpoint"
    empty.mkdir()
    assert assess(str(empty), tmp_path / "out") == BROKEN_OFF
    said = capsys.readouterr().err
    assert "the server did not start: exit status" in said
    assert "config.json" in said
    assert (tmp_path / "out" / "server.log").stat().st_size > 0
    report_of(tmp_path / "out")


def test_ctrl_c_keeps_the_runs_and_writes_the_report(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from wending.assess.main import run_assessment;"
        "sys.exit(run_assessment(sys.argv[1], out=Path(sys.argv[2]), repeats=5, language='en', "
        "performance_seconds=0))"
    )
    out = tmp_path / "out"
    with in_thread(ScriptedServer(always("Answer: 5", ttft_s=0.2))) as endpoint:
        process = subprocess.Popen(
            [sys.executable, "-c", script, endpoint.base_url, str(out)],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not ((out / "runs.jsonl").exists() and len(runs_of(out)) >= 3) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted with Ctrl-C" in said
    report = report_of(out)
    assert not report["complete"]
    assert (
        3
        <= report["pass_rate"]["n"]
        == len(runs_of(out))
        < sum(s["planned_runs"] for s in report["scenarios"])
    )


def test_impatience_costs_neither_report_nor_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with in_thread(ScriptedServer(always("Answer: 5", ttft_s=0.2))) as endpoint:
        process = subprocess.Popen(
            [sys.executable, "-m", "wending", "assess", endpoint.base_url, "--out", str(out), "--lang", "en"],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not ((out / "runs.jsonl").exists() and runs_of(out)) and time.monotonic() < deadline:
            time.sleep(0.05)
        while process.poll() is None and not (out / "report.html").exists():
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert report_of(out)["incomplete_reason"] == "interrupted with Ctrl-C"


def test_items_that_a_living_endpoint_refuses_are_failed_runs_and_not_the_end(tmp_path: Path) -> None:
    def decide(request: Request) -> Reply:
        is_refused = request["messages"][0]["role"] == "system"
        return refusal(400, "System role not supported") if is_refused else say("Answer: 5")

    with in_thread(Decided(decide)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", scenarios=["role_play"], repeats=2) == DONE
    report = report_of(tmp_path / "out")
    refused = [run for run in runs_of(tmp_path / "out") if run["error"] is not None]
    assert len(refused) > 5
    assert (report["lost_runs"], report["pass_rate"]["n"]) == (0, len(runs_of(tmp_path / "out")))
    [problem] = [row for row in report["stability_problems"] if row["type"] == "request_refused"]
    assert problem["frequency"]["k"] == len(refused)


def test_an_endpoint_that_refuses_all_ends_the_assessment(tmp_path: Path) -> None:
    with in_thread(Decided(lambda _: refusal(400, "no such model"))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out") == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert (report["pass_rate"]["n"], "no such model" in report["incomplete_reason"]) == (0, True)


def test_turned_away_for_a_moment_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wending.assess.runner.PAUSE_WHEN_TURNED_AWAY_S", 0.01)

    def decide(_: Request) -> Reply:
        is_busy = 2 < len(endpoint.requests) % 24 < 18
        return refusal(429, "rate limit") if is_busy else say("Answer: 5")

    with in_thread(Decided(decide)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out") == DONE
    assert any(run["error_type"] == "too_many_requests" for run in runs_of(tmp_path / "out"))


def test_turned_away_for_ever_ends_the_assessment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wending.assess.runner.TURNED_AWAY_S", 0.2)
    monkeypatch.setattr("wending.assess.runner.PAUSE_WHEN_TURNED_AWAY_S", 0.01)

    def decide(_: Request) -> Reply:
        return refusal(429, "no quota") if len(endpoint.requests) > 1 else say("Answer: 5")

    with in_thread(Decided(decide)) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "out", repeats=50) == BROKEN_OFF
    report = report_of(tmp_path / "out")
    assert (report["pass_rate"]["n"], "no quota" in report["incomplete_reason"]) == (0, True)


def test_a_full_disk_is_named_and_what_was_written_stays_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint, files_of_at_most(2500):
        assert assess(endpoint.base_url, out) == BROKEN_OFF
    said = capsys.readouterr().err
    assert f"cannot write to {out / 'runs.jsonl'}: File too large" in said
    assert f"cannot write to {out / 'report.json'}: File too large. What {out} holds: runs.jsonl" in said
    assert len(runs_of(out)) > 0
    assert [path.name for path in out.iterdir()] == ["runs.jsonl"]


def test_a_disk_without_room_for_the_page_keeps_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint:
        assert assess(endpoint.base_url, tmp_path / "first") == DONE
        with files_of_at_most((tmp_path / "first" / "report.html").stat().st_size // 2):
            assert assess(endpoint.base_url, tmp_path / "out") == BROKEN_OFF
    assert "report.html: File too large" in capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["complete"]
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_mistake_of_our_own_costs_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(item: object, answers: list[str]) -> list[object]:
        if len(runs_of(tmp_path / "out")) >= 3:
            raise ZeroDivisionError("planted")
        return []

    monkeypatch.setattr("wending.assess.runner.judge", judge)
    with in_thread(ScriptedServer(always("Answer: 5"))) as endpoint, pytest.raises(ZeroDivisionError):
        assess(endpoint.base_url, tmp_path / "out")
    report = report_of(tmp_path / "out")
    assert report["incomplete_reason"] == "internal error: ZeroDivisionError: planted"
    assert report["pass_rate"]["n"] >= 3
