"""The page around the conversation: language, theme, settings, keyboard, input methods, small screens."""

from __future__ import annotations

from typing import Any

import pytest
from tests.browser.scripted_server import HOLD, Answer, ScriptedServer

expect = pytest.importorskip("playwright.sync_api").expect


def test_a_demonstration_model_is_named_as_such(page: Any, server: ScriptedServer) -> None:
    expect(page.locator("#demo-badge")).to_be_visible()
    expect(page.locator("#fine-print")).to_contain_text("not Qwen2.5-7B")
    server.is_demo = False
    page.reload()
    expect(page.locator("#model-name")).to_have_text("scripted-model")
    expect(page.locator("#demo-badge")).to_be_hidden()
    expect(page.locator("#fine-print")).not_to_contain_text("Qwen2.5-7B")


def test_the_language_switches_everywhere_and_is_remembered(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["```\ncode\n```"]))
    page.locator(".suggestion").first.click()
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()
    page.get_by_role("button", name="切换到中文").click()
    for name in ("新对话", "设置", "重新回答", "复制", "复制代码"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.reload()
    expect(page.locator("#demo-badge")).to_have_text("演示模型")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator("#demo-badge")).to_have_text("Demonstration model")


def test_a_chinese_browser_sees_chinese(chromium: Any, server: ScriptedServer) -> None:
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(server.url)
    expect(page.get_by_placeholder("输入消息")).to_be_visible()
    expect(page.locator(".suggestion-title")).to_have_text(
        ["角色扮演", "JSON 输出", "数学推理", "代码补全", "多语言"]
    )
    context.close()


def test_the_theme_follows_the_system_or_the_person(page: Any) -> None:
    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.emulate_media(color_scheme="light")
    light = background()
    page.emulate_media(color_scheme="dark")
    dark = background()
    assert light != dark
    page.get_by_role("button", name="Theme: as the system").click()
    assert background() == light
    page.get_by_role("button", name="Theme: light").click()
    page.emulate_media(color_scheme="light")
    assert background() == dark
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert background() == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_aa_asks_for(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    ratios = page.evaluate(
        """() => {
          const probe = document.createElement("div");
          document.body.append(probe);
          const luminance = (name) => {
            probe.style.color = `var(--${name})`;
            const [red, green, blue] = getComputedStyle(probe).color.match(/[\\d.]+/g)
              .map((value) => value / 255)
              .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
          };
          const pairs = [
            "text/page", "text/surface", "text/tint", "text/raised",
            "muted/page", "muted/surface", "muted/raised",
            "accent/page", "accent/raised", "on-accent/accent", "warn/warn-tint", "error/error-tint",
            ...["key", "string", "number", "keyword", "comment"].map((kind) => `code-${kind}/surface`),
          ];
          return Object.fromEntries(pairs.map((pair) => {
            const [a, b] = pair.split("/").map(luminance).sort((x, y) => y - x);
            return [pair, (a + 0.05) / (b + 0.05)];
          }));
        }"""
    )
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_enter_that_picks_a_candidate_of_an_input_method_does_not_send(
    page: Any, server: ScriptedServer
) -> None:
    prompt = page.get_by_label("Message", exact=True)
    prompt.fill("你好")
    prompt.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    prompt.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    page.keyboard.press("Shift+Enter")
    expect(prompt).to_have_value("你好\n")
    assert server.requests == []
    page.keyboard.press("Enter")
    expect(page.locator(".message.user .body")).to_have_text("你好")


def test_enter_waits_while_an_answer_is_made(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["Partial text", HOLD]))
    prompt = page.get_by_label("Message", exact=True)
    prompt.fill("one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    prompt.fill("two")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("two")
    server.release()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    assert len(server.requests) == 1


def test_the_settings_go_into_the_request_and_are_kept(page: Any, server: ScriptedServer) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("System prompt").fill("You are Captain Lin.")
    page.get_by_label("Temperature").fill("0")
    page.get_by_label("Longest answer").fill("64")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Close").click()
    page.reload()
    expect(page.locator("#role")).to_contain_text("You are Captain Lin.")
    page.get_by_label("Message", exact=True).fill("Hi")
    page.keyboard.press("Enter")
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    request = server.requests[0]
    assert request["messages"][0] == {"role": "system", "content": "You are Captain Lin."}
    assert (request["temperature"], request["top_p"], request["max_tokens"], request["seed"]) == (
        0,
        0.9,
        64,
        7,
    )
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Restore the defaults").click()
    page.keyboard.press("Escape")
    with page.expect_response("**/chat/completions"):  # the text alone may still be that of the first answer
        page.get_by_role("button", name="Answer again").click()
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    assert "seed" not in server.requests[1]
    assert "max_tokens" not in server.requests[1]
    assert server.requests[1]["messages"][0]["role"] == "user"


def test_a_setting_that_cannot_be_is_not_taken(page: Any, server: ScriptedServer) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Longest answer").fill("-5")
    page.get_by_label("Seed").focus()
    expect(page.get_by_label("Longest answer")).to_have_value("")
    page.keyboard.press("Escape")
    page.get_by_label("Message", exact=True).fill("Hi")
    page.keyboard.press("Enter")
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    assert "max_tokens" not in server.requests[0]


def test_a_service_that_asks_for_a_key_opens_once_it_is_typed(page: Any, server: ScriptedServer) -> None:
    server.key = "sk-1"
    page.reload()
    expect(page.locator("#model-name")).to_have_text("An API key is needed: enter it in the settings.")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("API key").fill("sk-2")
    expect(page.locator("#model-name")).not_to_have_text("scripted-model")
    page.get_by_label("API key").fill("密钥")  # no header can carry it: what was typed before stays
    page.get_by_label("API key").fill("sk-1 ")
    expect(page.locator("#model-name")).to_have_text("scripted-model")
    page.get_by_role("button", name="Restore the defaults").click()
    page.get_by_role("button", name="Close").click()
    page.get_by_label("Message", exact=True).fill("Hi")
    page.keyboard.press("Enter")
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    server.key = "sk-3"
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator(".message.assistant")).to_contain_text("asks for a valid API key")
    page.get_by_role("button", name="切换到中文").click()
    expect(page.locator(".message.assistant")).to_contain_text("需要有效的 API 密钥")


def test_the_role_of_an_example_belongs_to_its_chat(page: Any, server: ScriptedServer) -> None:
    page.locator(".suggestion", has_text="Role play").click()
    expect(page.locator("#role")).to_contain_text("FastAPI")
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    assert server.requests[0]["messages"][0]["role"] == "system"
    page.get_by_role("button", name="New chat").click()
    page.locator(".suggestion", has_text="Mathematics").click()
    expect(page.locator(".message.assistant .body")).to_have_text("Hello there.")
    assert [message["role"] for message in server.requests[1]["messages"]] == ["user"]
    expect(page.locator("#role")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_nothing_is_wider_than_a_small_screen(
    chromium: Any, server: ScriptedServer, width: int, locale: str
) -> None:
    wide = "x" * 400
    server.answers.append(
        Answer([f"# {wide}\n\n{wide} `{wide}`\n\n1. {wide}\n\n```python\nvalue = '{wide}'\n```"], "length")
    )
    context = chromium.new_context(
        locale=locale, viewport={"width": width, "height": 720}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(server.url)
    fits = (
        "document.documentElement.scrollWidth <= innerWidth && scroller.scrollWidth <= scroller.clientWidth"
    )
    expect(page.locator("#demo-badge")).to_be_visible()
    assert page.evaluate(fits)
    page.locator("#prompt").fill(wide)
    page.keyboard.press("Enter")
    expect(page.locator(".message.assistant .notice")).to_be_visible()
    assert page.evaluate(fits)
    page.locator("#open-settings").click()
    assert page.evaluate("settings.scrollWidth <= innerWidth")
    context.close()


def test_every_control_has_a_name(page: Any) -> None:
    page.locator(".suggestion").first.click()
    expect(page.locator(".again")).to_be_visible()
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, textarea")]
             .filter((node) => !node.ariaLabel && !node.textContent.trim() && !node.labels?.length)
             .map((node) => node.outerHTML)"""
    )
    assert unnamed == []
