from __future__ import annotations

import pytest

from wending.serve.start_up_output import LoadingInterrupted, StartUpOutput


def test_progress_without_a_terminal_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with StartUpOutput() as output:
        for done in range(1001):
            output.loading(done, 1000)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Loading weights: 100 %"
    assert len(lines) < 20


def test_speaks_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    with StartUpOutput("zh") as output:
        output.loading(5, 5)
        output.say("ready", "就绪")
    assert capsys.readouterr().out == "正在加载权重：100%\n就绪\n"


def test_long_lines_and_markup_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    line = "http://[::1]:8080 [red]x[/red] :smile: " + "word " * 100
    with StartUpOutput() as output:
        output.say(line, "")
    assert capsys.readouterr().out == line + "\n"


def test_interrupted_loading(capsys: pytest.CaptureFixture[str]) -> None:
    with StartUpOutput() as output:
        output.loading(1, 10)
        output.interrupt()
        with pytest.raises(LoadingInterrupted):
            output.loading(2, 10)
