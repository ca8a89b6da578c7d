"""The chat page on the real service and the bundled model."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.real_service import running_service

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def service_url(demo_folder: Path) -> Iterator[str]:
    if not (demo_folder / "model.safetensors").is_file():
        pytest.skip("the demonstration model is not in this checkout")
    with running_service() as url:
        yield url


def test_the_bundled_model_answers(context: Any, service_url: str) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
    page.goto(service_url)
    expect(page.locator("#model-name")).to_have_text("wending-demo", timeout=60_000)
    expect(page.locator("#demo-badge")).to_be_visible()

    page.locator(".suggestion", has_text="Code").click()
    answer = page.locator(".message.assistant")
    expect(answer).to_have_attribute("data-status", "done", timeout=60_000)
    expect(answer.locator(".body")).to_contain_text("def is_palindrome")
    expect(answer.locator(".ttft")).to_contain_text("TTFT")
    expect(answer.locator(".count")).to_contain_text("tokens")

    with urllib.request.urlopen(f"{service_url}/health") as response:
        assert json.load(response)["running"] == 0
    assert [text for text in complaints if "503" not in text] == []  # it may have been asked while it started
