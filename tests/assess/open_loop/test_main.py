"""`wending load` from its options to its files, against a scripted endpoint."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.assess.full_disk import files_of_at_most
from tests.assess.in_thread import in_thread

from wending.assess.open_loop.main import DONE, FAILED, USAGE, LoadOptions, run_load
from wending.assess.scripted import Script, ScriptedServer
from wending.assess.scripted.script import Failures
from wending.cli import main


@pytest.fixture
def endpoint() -> Iterator[str]:
    script = Script(seed=5, ttft_s=0.02, token_s=0.002, tokens=20, failures=Failures(http_error=0.3))
    with in_thread(ScriptedServer(script)) as server:
        yield server.base_url


def test_a_poisson_load_is_sent_whole_and_every_request_written_down(endpoint: str, tmp_path: Path) -> None:
    options = LoadOptions(rate=20.0, seconds=2.0, kinds=("short",))
    assert run_load(endpoint, options, out=tmp_path, language="en") == DONE
    report = json.loads((tmp_path / "load.json").read_text())
    with (tmp_path / "requests.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert report["complete"]
    assert report["requests"] == report["plan"]["requests"] == len(rows)
    failed = sum(row["error"] != "" for row in rows)
    assert (report["failed"]["k"], report["goodput"]["k"] <= len(rows) - failed) == (failed, True)
    assert 0 < failed < len(rows)
    assert run_load(endpoint, options, out=tmp_path, language="en") == USAGE


def test_a_full_disk_is_named(endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = LoadOptions(rate=20.0, seconds=0.5, kinds=("short",))
    with files_of_at_most(100):
        assert run_load(endpoint, options, out=tmp_path, language="zh") == FAILED
    assert f"无法写入 {tmp_path / 'load.json'}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_trace_is_replayed_with_its_lengths(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival,input,output\n0.0,30,8\n1.0,60,8\n2.0,90,8\n")
    out = tmp_path / "out"
    status = main(
        ["load", endpoint, "--trace", str(trace), "--speed", "4", "--out", str(out), "--lang", "zh"]
    )
    assert status == DONE
    report = json.loads((out / "load.json").read_text())
    assert (report["requests"], report["offered_s"]) == (3, 0.5)
    assert "有效吞吐" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"), [("head\n", "no requests"), ("head\n1,2\n", "trace.csv:2"), (None, "No such file")]
)
def test_a_trace_that_cannot_be_read_is_refused(
    text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.csv"
    if text is not None:
        trace.write_text(text)
    arguments = ["load", "http://127.0.0.1:9/v1", "--trace", str(trace), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--lang", "en"]) == USAGE
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
