"""Headless Chromium on the chat page; skipped without the playwright package or a Chromium on the PATH."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.scripted_server import ScriptedServer

TIMEOUT_MS = 30_000  # generous: a busy machine must not fail a test
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    # Per module, not per session: a running playwright stands in the way of asynchronous tests elsewhere.
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on the PATH")
    sync_api.expect.set_options(timeout=TIMEOUT_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()


@pytest.fixture
def context(chromium: Any) -> Iterator[Any]:
    """A fresh browser profile: English, desktop size."""
    fresh = chromium.new_context(locale="en-US", viewport={"width": 1100, "height": 800})
    fresh.set_default_timeout(TIMEOUT_MS)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: Any, server: ScriptedServer) -> Iterator[Any]:
    """The chat page on the scripted server. A script error or a breach of its policy fails the test."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: "Security Policy" in line.text and complaints.append(line.text))
    opened.goto(server.url)
    yield opened
    assert complaints == []
