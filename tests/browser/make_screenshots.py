"""Takes the pictures of the documentation: the chat page on the real service, and on request reports.

    python -m tests.browser.make_screenshots [--report DIR/report.html] [--soak DIR/soak.html]
        [--out docs/images]

The answers are greedy, so that the pictures change only with the page or the model.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from tests.browser.conftest import CHROMIUM_OPTIONS
from tests.browser.real_service import running_service

LOCALES = {"en": "en-US", "zh": "zh-CN"}
MATHEMATICS, CODE = 2, 3  # places among the examples of the page
SETTINGS = {"system": "", "temperature": 0, "topP": 1, "maxTokens": None, "seed": None}


def shoot_chat(browser: Browser, url: str, language: str, out: Path) -> None:
    """One conversation of two of the page's own examples."""
    context = browser.new_context(locale=LOCALES[language], viewport={"width": 1200, "height": 860})
    context.add_init_script(f"localStorage.setItem('wending.settings', {json.dumps(json.dumps(SETTINGS))})")
    page = context.new_page()
    page.goto(url)
    page.locator("#health[data-state=ready]").wait_for(timeout=120_000)
    prompts = page.locator(".suggestion-prompt").all_text_contents()
    for asked, prompt in enumerate((prompts[MATHEMATICS], prompts[CODE]), start=1):
        page.locator("#prompt").fill(prompt)
        page.keyboard.press("Enter")
        answer = page.locator(".message.assistant[aria-busy=false]").nth(asked - 1)
        answer.wait_for(timeout=120_000)
        if answer.get_attribute("data-status") != "done":
            raise RuntimeError(f"the page has no answer but: {answer.inner_text()}")
    save(page, out / f"chat-{language}.png")
    context.close()


def shoot_report(browser: Browser, report: Path, language: str, out: Path) -> None:
    """The top of the report of an assessment or a soak, which shows itself in the language of the browser."""
    context = browser.new_context(locale=LOCALES[language], viewport={"width": 1200, "height": 1500})
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    save(page, out / f"{report.stem}-{language}.png")
    context.close()


def save(page: Any, path: Path) -> None:
    page.wait_for_timeout(500)  # fonts and transitions
    page.screenshot(path=path)
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("--report", type=Path, help="a report.html to take pictures of as well")
    parser.add_argument("--soak", type=Path, help="a soak.html to take pictures of as well")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder for the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, running_service() as url:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
        for language in LOCALES:
            shoot_chat(browser, url, language, options.out)
            for report in filter(None, (options.report, options.soak)):
                shoot_report(browser, report, language, options.out)
        browser.close()


if __name__ == "__main__":
    main()
