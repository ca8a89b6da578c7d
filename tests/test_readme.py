"""The READMEs: two commands, the same in both languages, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wending import cli

REPOSITORY = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")


def shell_blocks(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.findall(r"```bash\n(.*?)\n```", text, flags=re.DOTALL)


def test_both_languages_give_the_same_two_commands() -> None:
    english, chinese = map(shell_blocks, READMES)
    assert english == chinese
    main_job, tests = english
    assert "pip install ." in main_job
    assert "wending assess" in main_job
    assert tests.endswith("pytest")


@pytest.mark.parametrize("name", READMES)
def test_links_and_pictures_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", text) if "://" not in target]
    assert targets
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []


@pytest.mark.parametrize("name", READMES)
def test_commands_that_are_shown_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `wending …` line parses; nothing is run."""
    ran: list[str] = []
    monkeypatch.setattr("wending.cli.serve._serve", lambda options: ran.append("serve") or 0)
    monkeypatch.setattr("wending.cli.soak._soak", lambda options: ran.append("soak") or 0)
    monkeypatch.setattr("wending.cli.compare._compare", lambda options: ran.append("compare") or 0)
    monkeypatch.setattr("wending.cli.load._load", lambda options: ran.append("load") or 0)
    monkeypatch.setattr(cli, "_chat", lambda options: ran.append("chat") or 0)
    monkeypatch.setattr("wending.cli.assess._assess", lambda options: ran.append("assess") or 0)
    monkeypatch.setattr(cli, "_bench", lambda options: ran.append("bench") or 0)
    monkeypatch.setattr(cli, "_cache", lambda options: ran.append("cache") or 0)
    monkeypatch.setattr(cli, "_selftest", lambda options: ran.append("selftest") or 0)
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    shown = re.findall(r"^wending (\S.*?)(?:\s{2,}.*)?$", text, flags=re.MULTILINE)
    for line in shown:
        assert cli.main(line.split()) == 0
    assert {"serve", "chat", "assess", "compare", "load", "soak", "bench", "cache", "selftest"} == set(ran)
