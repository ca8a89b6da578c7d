"""A conversation on the page: answers stream in, can be stopped and repeated, and say how they went."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.browser.scripted_server import HOLD, Answer, ScriptedServer, chunk

expect = pytest.importorskip("playwright.sync_api").expect


def ask(page: Any, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def last_answer(page: Any) -> Any:
    return page.locator(".message.assistant").last


def test_an_answer_streams_in(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["First half, ", HOLD, "second half."]))
    ask(page, "Hi")
    expect(page.locator(".message.user .body")).to_have_text("Hi")
    expect(last_answer(page).locator(".body")).to_have_text("First half, ")
    expect(last_answer(page)).to_have_attribute("aria-busy", "true")
    server.release()
    expect(last_answer(page).locator(".body")).to_have_text("First half, second half.")
    expect(last_answer(page)).to_have_attribute("aria-busy", "false")


def test_time_to_first_token_and_rate_are_shown(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer([HOLD, "one", HOLD, " two"], completion_tokens=1234))
    ask(page, "Hi")
    server.release()
    expect(last_answer(page).locator(".body")).to_have_text("one")
    server.release()
    statistics = last_answer(page).locator(".statistics")
    expect(statistics.locator(".ttft")).to_contain_text("TTFT")
    expect(statistics.locator(".rate")).to_contain_text("tok/s")
    expect(statistics.locator(".count")).to_have_text("1,234 tokens")


def test_time_to_first_token_ends_at_the_first_text_not_at_the_empty_role_chunk(
    page: Any, server: ScriptedServer
) -> None:
    server.answers.append(Answer(["", HOLD, "text"]))
    ask(page, "Hi")
    expect(last_answer(page)).to_have_attribute("aria-busy", "true")
    page.wait_for_timeout(300)
    server.release()
    expect(last_answer(page).locator(".body")).to_have_text("text")
    message = page.evaluate("JSON.parse(localStorage['wending.conversation']).at(-1)")
    assert message["timeToFirstToken"] >= 0.25


def test_stop_keeps_the_partial_answer_and_hangs_up(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["Partial text", HOLD, " never seen"]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body")).to_have_text("Partial text")
    page.get_by_role("button", name="Stop").click()
    expect(last_answer(page).locator(".notice")).to_contain_text("Stopped by you")
    expect(last_answer(page).locator(".body")).to_have_text("Partial text")
    assert server.hung_up.wait(10)
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_escape_stops_too(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["Partial text", HOLD]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body")).to_have_text("Partial text")
    page.keyboard.press("Escape")
    expect(last_answer(page).locator(".notice")).to_contain_text("Stopped by you")


def test_answer_again_replaces_the_last_answer(page: Any, server: ScriptedServer) -> None:
    server.answers.extend([Answer(["first try"]), Answer(["second try"])])
    ask(page, "Hi")
    expect(last_answer(page).locator(".body")).to_have_text("first try")
    page.get_by_role("button", name="Answer again").click()
    expect(last_answer(page).locator(".body")).to_have_text("second try")
    expect(page.locator(".message")).to_have_count(2)
    assert (
        server.requests[0]["messages"]
        == server.requests[1]["messages"]
        == [{"role": "user", "content": "Hi"}]
    )


def test_the_conversation_so_far_is_sent(page: Any, server: ScriptedServer) -> None:
    ask(page, "one")
    expect(page.get_by_role("button", name="Answer again")).to_have_count(1)
    ask(page, "two")
    expect(page.locator(".message")).to_have_count(4)
    expect(last_answer(page)).to_have_attribute("data-status", "done")
    expect(page.get_by_role("button", name="Answer again")).to_have_count(1)
    assert server.requests[1]["messages"] == [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "Hello there."},
        {"role": "user", "content": "two"},
    ]
    assert server.requests[1]["model"] == "scripted-model"
    assert server.requests[1]["stream_options"] == {"include_usage": True}


def test_an_error_is_shown_in_the_servers_words_and_can_be_retried(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(status=400, error="temperature is 9, the most is 2"))
    ask(page, "Hi")
    expect(page.get_by_role("alert")).to_have_text(
        "The service reported an error: temperature is 9, the most is 2"
    )
    page.get_by_role("button", name="Try again").click()
    expect(last_answer(page).locator(".body")).to_have_text("Hello there.")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_error_in_the_middle_of_a_stream_keeps_the_text(page: Any, server: ScriptedServer) -> None:
    error = b'data: {"error": {"message": "the logits are not finite"}}\n\n'
    server.answers.append(Answer(raw=[chunk("Some text"), error]))
    ask(page, "Hi")
    expect(page.get_by_role("alert")).to_contain_text("the logits are not finite")
    expect(last_answer(page).locator(".body")).to_have_text("Some text")


def test_a_stream_that_ends_too_early_is_an_error(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["Some text"], finish_reason=None))
    ask(page, "Hi")
    expect(page.get_by_role("alert")).to_contain_text("The connection broke")
    expect(last_answer(page).locator(".body")).to_have_text("Some text")


def test_a_service_that_is_gone_is_said_to_be_and_found_again(page: Any, server: ScriptedServer) -> None:
    expect(page.locator("#model-name")).to_have_text("scripted-model")
    server.close()
    ask(page, "Hi")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator("#health")).to_have_attribute("data-state", "unreachable")
    back = ScriptedServer(port=server.port)
    try:
        expect(page.locator("#health")).to_have_attribute("data-state", "ready")
        page.get_by_role("button", name="Try again").click()
        expect(last_answer(page).locator(".body")).to_have_text("Hello there.")
    finally:
        back.close()


def test_a_service_that_is_starting_is_waited_for(page: Any, server: ScriptedServer) -> None:
    server.status = "starting"
    page.reload()
    expect(page.locator("#model-name")).to_contain_text("starting")
    ask(page, "Hi")
    expect(last_answer(page).locator(".notice")).to_contain_text("still starting")
    server.status = "ok"
    expect(last_answer(page).locator(".body")).to_have_text("Hello there.")
    expect(page.locator("#model-name")).to_have_text("scripted-model")


def test_an_engine_that_has_stopped_is_not_waited_for(page: Any, server: ScriptedServer) -> None:
    server.status = "failed"
    ask(page, "Hi")
    expect(page.get_by_role("alert")).to_contain_text("The engine is failed.")
    expect(page.locator("#model-name")).to_have_text("The engine has stopped.")
    server.status = "ok"
    expect(page.locator("#model-name")).to_have_text("scripted-model")


def test_an_answer_cut_at_the_limit_says_so(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["The answer is"], finish_reason="length"))
    ask(page, "Hi")
    expect(last_answer(page).locator(".notice")).to_contain_text("Cut at the token limit")


def test_an_empty_answer_says_so(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer([]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".notice")).to_contain_text("empty answer")


def test_new_chat_forgets_the_conversation_and_a_running_answer(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["Partial text", HOLD]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body")).to_have_text("Partial text")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".message")).to_have_count(0)
    expect(page.get_by_role("heading", name="What would you like to ask?")).to_be_visible()
    assert server.hung_up.wait(10)
    ask(page, "Again")
    expect(last_answer(page).locator(".body")).to_have_text("Hello there.")
    assert server.requests[-1]["messages"] == [{"role": "user", "content": "Again"}]


def test_the_conversation_survives_a_reload(page: Any, server: ScriptedServer) -> None:
    server.answers.extend([Answer(), Answer(["Partial text", HOLD])])
    ask(page, "Hi")
    expect(last_answer(page)).to_have_attribute("data-status", "done")
    ask(page, "More")
    expect(last_answer(page).locator(".body")).to_have_text("Partial text")
    page.reload()
    expect(page.locator(".message .body")).to_have_text(["Hi", "Hello there.", "More", "Partial text"])
    expect(last_answer(page)).to_have_attribute("data-status", "stopped")


def test_bytes_may_be_split_anywhere_and_lines_may_end_in_any_way(page: Any, server: ScriptedServer) -> None:
    # Raw UTF-8 (no \u escapes), CRLF line ends, a BOM, comments, and a piece of text in two data lines.
    def raw(text: str, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
        return b"data:" + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\r\n\r\n"

    stream = (
        b"\xef\xbb\xbf: ping\r\n\r\n"
        + raw("稳定")
        + b"event: message\r\nid: 7\r\n"
        + raw("，é")
        + raw("😀", "stop")
    )
    stream += b'data: {"choices":\ndata: [], "usage": {"completion_tokens": 3}}\n\n: ping\n\ndata: [DONE]\r\r'
    server.answers.append(Answer(raw=[stream[i : i + 1] for i in range(len(stream))]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body")).to_have_text("稳定，é😀")
    expect(last_answer(page).locator(".count")).to_have_text("3 tokens")


def test_a_reader_who_scrolled_up_is_left_there(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["line\n\n" * 60, HOLD, "line\n\n" * 60]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body p")).to_have_count(60)
    at_end = "() => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 2"
    page.wait_for_function(at_end)
    page.evaluate("scroller.scrollTop = 0")
    server.release()
    expect(last_answer(page).locator(".body p")).to_have_count(120)
    assert page.evaluate("scroller.scrollTop") == 0
    page.get_by_role("button", name="Jump to the latest").click()
    page.wait_for_function(at_end)


def test_finished_blocks_are_not_made_anew_while_the_answer_grows(page: Any, server: ScriptedServer) -> None:
    server.answers.append(Answer(["first\n\nsecond", HOLD, " goes on\n\nthird"]))
    ask(page, "Hi")
    expect(last_answer(page).locator(".body p")).to_have_count(2)
    page.evaluate("document.querySelector('.message.assistant .body p').dataset.kept = 'yes'")
    server.release()
    expect(last_answer(page).locator(".body p")).to_have_text(["first", "second goes on", "third"])
    expect(last_answer(page).locator(".body p").first).to_have_attribute("data-kept", "yes")


def test_copy_takes_the_answer_as_the_model_wrote_it(context: Any, page: Any, server: ScriptedServer) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    server.answers.append(Answer(["**bold**\n\n```python\nprint(1)\n```"]))
    ask(page, "Hi")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#announcement")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "**bold**\n\n```python\nprint(1)\n```"
    page.get_by_role("button", name="Copy code").click()
    page.wait_for_function("() => navigator.clipboard.readText().then((text) => text === 'print(1)')")
