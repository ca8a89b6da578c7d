"""An answer's Markdown becomes elements, and whatever else it contains stays text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.scripted_server import Answer, ScriptedServer

expect = pytest.importorskip("playwright.sync_api").expect

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "[click](javascript:window.hacked=1)",
    "[click](JavaScript&#58;window.hacked=1)",
    "[click](data:text/html,<script>window.hacked=1</script>)",
    "![image](http://example.com/track.png)",
    "<svg onload=window.hacked=1><a href='javascript:window.hacked=1'>x</a></svg>",
    "**<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>**",
    "&lt;b&gt;",
]


@pytest.fixture(scope="module")
def blank_page(chromium: Any) -> Iterator[Any]:
    """One page for all tests that only call the module: opening a fresh one takes longer than they do."""
    server = ScriptedServer()
    page = chromium.new_page()
    page.goto(server.url)
    yield page
    page.close()
    server.close()


def render(page: Any, text: str) -> Any:
    """A locator of a new element that holds what the page's own module makes of `text`."""
    page.evaluate(
        """async (text) => {
          const { parseBlocks, renderBlock } = await import("/web/markdown.js");
          const frame = (code, language, pre) => { pre.dataset.language = language; return pre; };
          const box = document.createElement("div");
          box.id = "rendered";
          box.append(...parseBlocks(text).map((block) => renderBlock(block, frame)));
          document.getElementById("rendered")?.remove();
          document.body.append(box);
        }""",
        text,
    )
    return page.locator("#rendered")


def html(page: Any, text: str) -> str:
    markup: str = render(page, text).inner_html()
    return markup.replace(' dir="auto"', "").replace(' dir="ltr"', "").replace(' tabindex="0"', "")


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_markup_stays_text(page: Any, server: ScriptedServer, payload: str) -> None:
    places = "Before {0} after\n\n# {0}\n\n- {0}\n\n> {0}\n\n`{0}`\n\n```html\n{0}\n```"
    server.answers.append(Answer([places.format(payload)]))
    page.get_by_label("Message", exact=True).fill(payload)
    page.keyboard.press("Enter")
    answer = page.locator(".message.assistant")
    expect(answer).to_have_attribute("data-status", "done")
    expect(page.locator(".message.user .body")).to_have_text(payload)
    expect(answer.locator("pre")).to_have_text(payload)
    assert (
        page.locator(".message .body")
        .locator("script, img, iframe, a[href^=javascript], a[href^=data], [onerror], [onload]")
        .count()
        == 0
    )
    assert page.locator(".message .body svg:not(.icon)").count() == 0
    expect(answer.locator("li")).to_contain_text(payload.strip("*!"))
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    ("source", "markup"),
    [
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("## Title ##\ntext", "<h4>Title</h4><p>text</p>"),
        ("#hashtag", "<p>#hashtag</p>"),
        ("a **b *c* d** `e*f*` g", "<p>a <strong>b <em>c</em> d</strong> <code>e*f*</code> g</p>"),
        ("2 * 3 * 4 and 2*3*4 and **", "<p>2 * 3 * 4 and 2*3*4 and **</p>"),
        ("__init__ and snake_case_name", "<p>__init__ and snake_case_name</p>"),
        ("``a ` b``", "<p><code>a ` b</code></p>"),
        (r"\*not\* and \(x\)", r"<p>*not* and \(x\)</p>"),
        ("- a\n- b\n  - c\n- d", "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>"),
        ("1. a\n\n2. b\n   more\n\n   still b", "<ol><li>a</li><li>b\nmore\nstill b</li></ol>"),
        ("1. a\n- x\n- y\n2. b", "<ol><li>a<ul><li>x</li><li>y</li></ul></li><li>b</li></ol>"),
        ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ("3) a\n4) b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("- a\n\ntext", "<ul><li>a</li></ul><p>text</p>"),
        ("> a\n> b\n\nc", "<blockquote><p>a\nb</p></blockquote><p>c</p>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        (
            "```\n# no heading\n**no bold**\n```\nafter",
            '<pre data-language=""><code># no heading\n**no bold**</code></pre><p>after</p>',
        ),
        ("~~~text\n```\n~~~", '<pre data-language="text"><code>```</code></pre>'),
        (
            "1. a\n   ```c\n   int x;\n   ```\n2. b",
            '<ol><li>a</li></ol><pre data-language="c"><code>int x;</code></pre>'
            '<ol start="2"><li>b</li></ol>',
        ),
        ("```__proto__\nx\n```", '<pre data-language="__proto__"><code>x</code></pre>'),
        ("```c\nstill being writ", '<pre data-language="c"><code>still being writ</code></pre>'),
        ("", ""),
    ],
)
def test_markdown(blank_page: Any, source: str, markup: str) -> None:
    assert html(blank_page, source) == markup


def test_only_web_addresses_become_links(blank_page: Any) -> None:
    link = render(
        blank_page, "see [the **page**](https://example.com/a?b=1&c=2) or [that](file:///etc/passwd)"
    ).locator("a")
    expect(link).to_have_count(1)
    expect(link).to_have_text("the page")
    expect(link).to_have_attribute("href", "https://example.com/a?b=1&c=2")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('[\n  {"id": 1}\n]', "json"),
        ('{"id": 1,\n', "json"),
        ("from fastapi import FastAPI\n\napp = FastAPI()\n# a comment", "python"),
        ("def f(x):\n    return x", "python"),
        ("@app.post('/')\nasync def f(): ...", "python"),
    ],
)
def test_an_answer_that_is_nothing_but_code_is_shown_as_code(
    blank_page: Any, text: str, language: str
) -> None:
    code = render(blank_page, text).locator("pre")
    expect(code).to_have_attribute("data-language", language)
    assert code.text_content() == text.rstrip()


@pytest.mark.parametrize(
    "text",
    ["[1] is a footnote", "[link](https://example.com) first", "import duties rise", "{braces} in prose"],
)
def test_prose_is_not_taken_for_code(blank_page: Any, text: str) -> None:
    expect(render(blank_page, text).locator("pre")).to_have_count(0)


def test_colour_does_not_change_code(blank_page: Any) -> None:
    code = (
        'x = "# no comment"  # a comment\n@app.get("/é")\ndef f():\n'
        '    """doc\n    string"""\n    return None, 1_000.5, \'unclosed'
    )
    block = render(blank_page, f"```python\n{code}\n```").locator("code")
    assert block.text_content() == code
    expect(block.locator(".code-comment")).to_have_text("# a comment")
    expect(block.locator(".code-keyword")).to_have_text(["def", "return", "None"])


def test_arabic_runs_from_right_to_left_and_code_does_not(blank_page: Any) -> None:
    box = render(blank_page, "# العنوان\n\nمرحبا `code` بكم\n\n1. أولا\n2. ثانيا\n\nEnglish\n\n```\nx\n```")
    directions = box.evaluate("(box) => [...box.children].map((child) => getComputedStyle(child).direction)")
    assert directions == ["rtl", "rtl", "rtl", "ltr", "ltr"]
    assert box.locator("p code").evaluate("(code) => getComputedStyle(code).direction") == "ltr"


def test_a_long_hostile_line_does_not_block_the_page(blank_page: Any) -> None:
    # Quadratic or worse matching would take minutes here and run into the time limit.
    for unit in ("**a ", "`", "[a](", "*a ", "# ", "- ", "1. ", "> "):
        blank_page.evaluate(
            """async (text) => {
              const { parseBlocks, renderBlock } = await import("/web/markdown.js");
              parseBlocks(text).forEach((block) => renderBlock(block, (code, language, pre) => pre));
            }""",
            unit * 20_000,
        )
