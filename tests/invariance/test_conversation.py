"""The care of conversations on the bundled model, over HTTP: nothing of it depends on how an answer comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest
from tests.serve.serving import Serving

from wending import demo

URL = "/v1/chat/completions"
SAMPLED = {"temperature": 0.8, "seed": 3}
REQUESTS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": content}], **sampling}
    for content in (
        "Hello! Who are you?",
        "你好，请介绍一下你自己。",
        "Explain in three sentences what a cache is.",
        "请用列表说明如何备份数据。",
        "Write a Python function that adds two numbers.",
        "Expliquez en français ce qu'est une base de données.",
    )
    for sampling in ({"temperature": 0}, SAMPLED)
]
SENTENCE = {"truncation": "sentence", "wending_report": True}


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    serving = Serving("--max-context", "1024", "--threads", "2")
    yield serving
    serving.close()


@pytest.fixture
def http(serving: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=serving.url, timeout=60) as http:
        yield http


def answer(http: httpx.Client, body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = http.post(URL, json={"model": demo.NAME} | body | fields)
    assert response.status_code == 200, response.text
    whole: dict[str, Any] = response.json()
    return whole


def text_of(whole: dict[str, Any]) -> str:
    text: str = whole["choices"][0]["message"]["content"]
    return text


def streamed(http: httpx.Client, body: dict[str, Any], **fields: Any) -> str:
    response = http.post(URL, json={"model": demo.NAME, "stream": True} | body | fields)
    blocks = response.text.removesuffix("\n\n").split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    chunks = [json.loads(block.removeprefix("data: ")) for block in blocks]
    return "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])


def together(url: str, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers to requests that are all there at once."""

    async def ask() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            requests = [http.post(URL, json={"model": demo.NAME} | body) for body in bodies]
            return [response.json() for response in await asyncio.gather(*requests)]

    return asyncio.run(ask())


@pytest.mark.parametrize("max_tokens", [6, 17, 30])
def test_cut_texts(serving: Serving, http: httpx.Client, max_tokens: int) -> None:
    """Streamed as whole, alone as in a crowd, and the beginning of the text that is not cut."""
    alone = [answer(http, body, max_tokens=max_tokens, **SENTENCE) for body in REQUESTS]
    crowd = together(serving.url, [body | SENTENCE | {"max_tokens": max_tokens} for body in REQUESTS])
    cuts = 0
    for body, whole, other in zip(REQUESTS, alone, crowd, strict=True):
        text = text_of(whole)
        assert text_of(other) == text
        assert streamed(http, body, max_tokens=max_tokens, **SENTENCE) == text
        uncut = answer(http, body, max_tokens=max_tokens)
        [cut] = whole["wending"]["conversation"]["cut"]
        assert text_of(uncut)[: len(text)] == text
        assert cut["characters"] == len(text_of(uncut)) - len(text)
        assert whole["usage"] | {"prompt_tokens_details": None} == uncut["usage"] | {
            "prompt_tokens_details": None
        }
        cuts += cut["characters"] > 0
    assert max_tokens < 17 or cuts


@pytest.mark.parametrize("times", [1, 3])
def test_a_continued_answer_is_the_longer_one(http: httpx.Client, times: int) -> None:
    for body in REQUESTS:
        continued = answer(http, body, max_tokens=9, **{"continue": times}, wending_report=True)
        longer = answer(http, body, max_tokens=9 * (times + 1))
        assert continued["choices"] == longer["choices"]
        assert continued["usage"]["completion_tokens"] == longer["usage"]["completion_tokens"]
        tokens = longer["usage"]["completion_tokens"]
        assert continued["wending"]["conversation"]["continued"] == [(tokens - 1) // 9]
        assert streamed(http, body, max_tokens=9, **{"continue": times}) == text_of(longer)


def test_a_continued_message_is_what_one_longer_answer_says(http: httpx.Client) -> None:
    """Wherever the tokens of the text so far, read again, are those that were generated."""
    seams = equal_tokens = 0
    for body in (body for body in REQUESTS if body["temperature"] == 0):
        longer = answer(http, body, max_tokens=40, logprobs=True)
        tokens = [bytes(token["bytes"]) for token in longer["choices"][0]["logprobs"]["content"]]
        for count in range(1, len(tokens), 3):
            so_far = b"".join(tokens[:count]).decode(errors="ignore")
            read = http.post("/tokenize", json={"prompt": so_far, "return_token_strs": True}).json()
            seams += 1
            if read["token_strs"] != [token.decode(errors="replace") for token in tokens[:count]]:
                continue
            equal_tokens += 1
            messages = [*body["messages"], {"role": "assistant", "content": so_far}]
            fields = {"continue_final_message": True, "add_generation_prompt": False}
            rest = answer(
                http, {"messages": messages, "temperature": 0}, max_tokens=len(tokens) - count, **fields
            )
            assert so_far + text_of(rest) == text_of(longer)
    assert equal_tokens > 0.5 * seams


@pytest.mark.parametrize("restate", [0, 2])
def test_the_prefix_cache_works_from_turn_to_turn(http: httpx.Client, restate: int) -> None:
    """Though turns are left out and the system prompt is restated."""
    messages = [{"role": "system", "content": f"You are a polite assistant, number {restate}."}]
    fields = {"context_policy": "drop-oldest", "restate_system": restate, "wending_report": True}
    before, dropped, misses = 0, 0, 0
    for turn in range(44):
        messages.append({"role": "user", "content": f"What is {turn} plus {turn}?"})
        whole = answer(http, {"messages": messages}, temperature=0, max_tokens=16, ignore_eos=True, **fields)
        messages.append({"role": "assistant", "content": text_of(whole)})
        report = whole["wending"]["conversation"]
        if turn and report["dropped_turns"] == dropped:
            assert report["restated_system"] or turn < 2 or not restate
            # Whole blocks of 16 tokens are found again.
            assert whole["usage"]["prompt_tokens_details"]["cached_tokens"] > before - 16
        misses += report["dropped_turns"] != dropped
        before, dropped = whole["usage"]["prompt_tokens"], report["dropped_turns"]
    assert dropped > 12
    assert misses < 14
