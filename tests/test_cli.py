"""The command line: help is complete and light, bad options are refused with the number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wending import __version__, cli

HEAVY = ("numpy", "fastapi", "uvicorn", "aiohttp", "tokenizers", "rich", "jinja2", "wending._kernels")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wending", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize("command", [[], ["serve"], ["chat"], ["assess"], ["bench"], ["selftest"], ["cache"]])
def test_help_shows_an_example_in_both_languages(command: list[str]) -> None:
    english = run(*command, "--help", LC_ALL="C.UTF-8")
    chinese = run(*command, "--help", LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    assert english.returncode == chinese.returncode == 0
    assert "example:" in english.stdout
    assert "示例：" in chinese.stdout


def test_the_number_of_scenarios_is_the_true_one() -> None:
    from wending.assess.profile import PROFILES
    from wending.assess.scenarios import load_scenarios, of_levels

    scenarios = load_scenarios()
    assert (len(scenarios), len(of_levels(scenarios, PROFILES["quick"].levels, []))) == (6, 5)
    root = Path(__file__).parents[1]
    said = [
        (root / "README.md").read_text("utf-8"),
        run("assess", "--help", LC_ALL="C", COLUMNS="500").stdout,
    ]
    assert all("six scenarios (five in the quick profile)" in text for text in said)
    assert "六类场景的检验（quick 方案为五类）" in (root / "README.zh-CN.md").read_text("utf-8")


def test_help_imports_nothing_heavy() -> None:
    """Help must answer within a blink; what would make it slow is an import, so imports are checked."""
    script = (
        "import sys\nfrom wending import cli\n"
        "try:\n    cli.main(['assess', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stderr.strip() == "[]"


def test_version() -> None:
    assert run("--version").stdout.strip() == f"wending {__version__}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--port", "70000"], "70000"),
        (["serve", "--port", "http"], "'http' is not a whole number"),
        (["serve", "--memory", "0"], "0 GiB"),
        (["serve", "--memory", "lots"], "'lots' is not a number of GiB"),
        (["serve", "--threads", "0"], "0 is too small"),
        (["serve", "--max-context", "0"], "0 is too small"),
        (["serve", "--kv-cache", "int4"], "'int4'"),
        (
            ["serve", "--upstream", "http://there", "--quant", "int8"],
            "--quant cannot be used with --upstream",
        ),
        (["serve", "--upstream", "http://there", "--no-cache"], "--no-cache cannot be used with"),
        (["serve", "--upstream", "http://there", "./checkpoint"], "MODEL cannot be used with --upstream"),
        (["serve", "--guard-tries", "5"], "--guard-tries cannot be used without --upstream"),
        (["serve", "--upstream-model", "x"], "--upstream-model cannot be used without"),
        (["serve", "--upstream", "http://there", "--guard-tries", "0"], "0 is too small"),
        (["serve", "--upstream", "http://there", "--guard-deadline", "0"], "0 is out of range"),
        (["serve", "--upstream", "http://there", "--guard-deadline", "soon"], "'soon' is not a number"),
        (["assess", "--repeats", "0"], "0 is too small"),
        (["assess", "--seed", "-1"], "-1 is negative"),
        (["assess", "--lang", "fr"], "fr"),
        (["dance"], "dance"),
        (["serve", "--max-requests", "0"], "0 is too small"),
        (["serve", "--deadline", "0"], "0 is out of range"),
        (["serve", "--drain-seconds", "soon"], "'soon' is not a number of seconds"),
        (["serve", "--cors-origin", "https://a.example/"], "'https://a.example/' is not an origin"),
        (["serve", "--log-format", "xml"], "xml"),
        (["chat", "--temperature", "3"], "3 is out of range"),
        (["cache", "eat"], "eat"),
    ],
)
def test_bad_options_are_refused_with_the_value(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_ctrl_c_before_a_command_has_begun_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("wending.assess.main.run_assessment", interrupted)
    assert cli.main(["assess"]) == 130


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["assess", "--repeats", "many"], "参数 --repeats：'many' 不是整数"),
        (["assess", "--repeats"], "参数 --repeats：需要一个值"),
        (["assess", "--profile", "slow"], "没有 'slow' 这一选项，可选："),
        (["assess", "--nonsense"], "无法识别的参数：--nonsense"),
        (["load"], "需要其中一个参数：--rate --trace"),
        (["load", "--rate", "1", "--trace", "x"], "不能与 --rate 同时使用"),
        (["soak", "--hours", "9000"], "9000 超出范围"),
        ([], "缺少参数：COMMAND"),
    ],
)
def test_wrong_options_are_named_in_chinese(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
