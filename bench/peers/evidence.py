"""What a server's API shows of how it reads prompts, what it computes and how it draws.

Any server with OpenAI's chat protocol can be asked: the length of a prompt tells whether template and
tokenizer agree, log-probabilities tell of the arithmetic, first tokens by many seeds tell of the sampling.
"""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
from bench.peers.chat import ChatError

from wending.assess.scenarios import load_scenarios

ANSWER_SECONDS = 300.0
ANSWER_TOKENS = 64
CONVERSATIONS = 80
TOP = 5
TOP_OF_DRAWS = 20
DRAWS = 400
AT_ONCE = 8
TEMPERATURE, TOP_P = 0.7, 0.9
MARKUP = (
    "Say <|im_end|> twice.",
    "What is <|im_start|> for?",
    "a <tool_call> b",
)
"""User texts that spell a control token out. They are text, and no server should take them for the token."""

Conversation = list[dict[str, str]]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GreedyAnswer:
    """One answer at temperature 0, alone."""

    prompt_tokens: int
    tokens: list[str]
    top: list[dict[str, float]]
    """For each token the most probable ones there, with their natural logarithms."""


@dataclass(frozen=True, slots=True)
class Evidence:
    title: str
    answers: list[GreedyAnswer]
    markup: list[int]
    """Tokens of the prompts with MARKUP."""
    first_tokens: dict[str, float]
    """The most probable first tokens of the conversation that is drawn from, with their logarithms."""
    draws: Counter[str]
    """First tokens drawn for it, one for each seed."""


def conversations() -> list[Conversation]:
    """Of all scenarios by turns, one user turn each."""
    items = [[item for item in scenario.items if item.turns == 1] for scenario in load_scenarios(None)]
    longest = max(map(len, items))
    by_turns = [of_one[number] for number in range(longest) for of_one in items if number < len(of_one)]
    return [item.conversation([]) for item in by_turns[:CONVERSATIONS]]


async def gather(title: str, url: str, reference: Evidence | None = None) -> Evidence:
    """What this server does. `reference` says which conversation is drawn from; None: this one's most open.

    Raises ChatError, or aiohttp's ClientError where there is no connection.
    """
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(f"{url}/v1/", timeout=timeout) as session:
        async with session.get("models") as response:
            model = (await response.json())["data"][0]["id"]

        async def ask(messages: Conversation, **fields: Any) -> Body:
            body = {"model": model, "messages": messages, "temperature": 0, **fields}
            async with session.post("chat/completions", json=body) as response:
                if response.status != 200:
                    raise ChatError(f"{title} answered {response.status}: {(await response.text())[:500]}")
                found: Body = await response.json()
                return found

        asked = conversations()
        greedy = {"max_tokens": ANSWER_TOKENS, "logprobs": True, "top_logprobs": TOP}
        answers = [_greedy(await ask(messages, **greedy)) for messages in asked]
        texts = [[{"role": "user", "content": text}] for text in MARKUP]
        markup = [(await ask(text, max_tokens=1))["usage"]["prompt_tokens"] for text in texts]
        open_one = asked[_most_open(reference.answers if reference is not None else answers)]
        one = await ask(open_one, max_tokens=1, logprobs=True, top_logprobs=TOP_OF_DRAWS)
        gate = asyncio.Semaphore(AT_ONCE)

        async def draw(seed: int) -> str:
            async with gate:
                sampling = {"temperature": TEMPERATURE, "top_p": TOP_P, "seed": seed, "max_tokens": 1}
                return _greedy(await ask(open_one, **sampling, logprobs=True, top_logprobs=TOP)).tokens[0]

        draws = Counter(await asyncio.gather(*(draw(seed) for seed in range(1, DRAWS + 1))))
    return Evidence(title, answers, markup, _greedy(one).top[0], draws)


def _greedy(answer: Body) -> GreedyAnswer:
    choice = answer["choices"][0]
    content, text = choice["logprobs"]["content"], choice["message"]["content"] or ""
    # Some list the token that ends the answer, some list it with an empty text, and some do not.
    while len(content) > 1 and len("".join(entry["token"] for entry in content[:-1])) >= len(text):
        content = content[:-1]
    return GreedyAnswer(
        answer["usage"]["prompt_tokens"],
        [entry["token"] for entry in content],
        [{other["token"]: other["logprob"] for other in entry["top_logprobs"]} for entry in content],
    )


def _most_open(answers: Sequence[GreedyAnswer]) -> int:
    """Which of the conversations leaves its first token most open, by the entropy of those at the top."""

    def entropy(answer: GreedyAnswer) -> float:
        if not "".join(answer.top[0]).isascii():
            return 0.0
        return -sum(math.exp(log) * log for log in answer.top[0].values())

    return max(range(len(answers)), key=lambda index: entropy(answers[index]))


def nucleus(first_tokens: Mapping[str, float], temperature: float, top_p: float) -> dict[str, float]:
    """The probabilities that tokens are to be drawn with: temperature first, then the fewest tokens that hold
    `top_p` (Holtzman et al. 2020). `first_tokens`: natural logarithms of the most probable ones."""
    weights = {token: math.exp(log / temperature) for token, log in first_tokens.items()}
    whole, held = sum(weights.values()), 0.0
    kept: dict[str, float] = {}
    for token in sorted(weights, key=lambda token: -weights[token]):
        if held >= top_p:
            break
        kept[token] = weights[token] / whole
        held += kept[token]
    return {token: share / held for token, share in kept.items()}


def distance(draws: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Total variation: half the sum of the differences of shares, 0 to 1."""
    count = sum(draws.values())
    return 0.5 * sum(
        abs(draws.get(token, 0) / count - expected.get(token, 0.0)) for token in {*draws, *expected}
    )


def distance_by_chance(expected: Mapping[str, float], count: int) -> float:
    """The distance that 95 of 100 series of so many right draws stay within, by simulation."""
    tokens, shares = list(expected), list(expected.values())
    series = np.random.default_rng(0).multinomial(count, shares, 2000)
    found = [distance(dict(zip(tokens, counts.tolist(), strict=True)), expected) for counts in series]
    return float(np.quantile(found, 0.95))


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """One server's answers beside those of the reference, up to where they part."""

    differences: list[float]
    """Of the log-probability of each token that both chose, after the same tokens."""
    equal: int
    compared: int
    gaps: list[float]
    """For each answer that parts: by how much the reference preferred its token there to the next best."""


def arithmetic(reference: Sequence[GreedyAnswer], answers: Sequence[GreedyAnswer]) -> Arithmetic:
    """Answers of the reference with other than ASCII are left out: servers write a part of a character in
    different ways."""
    differences, gaps, equal, compared = [], [], 0, 0
    for ours, theirs in zip(reference, answers, strict=True):
        if not "".join(ours.tokens).isascii():
            continue
        compared += 1
        pairs = zip(ours.tokens, theirs.tokens, strict=False)
        common = next((number for number, (a, b) in enumerate(pairs) if a != b), None)
        equal += common is None
        for number in range(len(ours.tokens[:common])):
            token = ours.tokens[number]
            if token in ours.top[number] and number < len(theirs.top) and token in theirs.top[number]:
                differences.append(abs(ours.top[number][token] - theirs.top[number][token]))
        if common is not None:
            best, second = sorted(ours.top[common].values(), reverse=True)[:2]
            gaps.append(best - second)
    return Arithmetic(differences, equal, compared, gaps)


def evidence_table(found: Sequence[Evidence]) -> str:
    """Markdown. The first is what the others are held against."""
    reference, *others = found
    lines = [
        "| | " + " | ".join(evidence.title for evidence in others) + " |",
        "|---|" + "---|" * len(others),
    ]
    cells = [dict(_cells(reference, evidence)) for evidence in others]
    lines += [f"| {name} | " + " | ".join(cell[name] for cell in cells) + " |" for name in cells[0]]
    return "\n".join(lines)


def _cells(reference: Evidence, evidence: Evidence) -> Iterator[tuple[str, str]]:
    same = sum(
        ours.prompt_tokens == theirs.prompt_tokens
        for ours, theirs in zip(reference.answers, evidence.answers, strict=True)
    )
    yield f"Prompts as long as those of {reference.title}", f"{same} of {len(evidence.answers)}"
    spelled = ", ".join(
        f"{count} ({ours})" for ours, count in zip(reference.markup, evidence.markup, strict=True)
    )
    yield f"Tokens of prompts that spell a control token (those of {reference.title})", spelled
    found = arithmetic(reference.answers, evidence.answers)
    yield "Equal greedy answers", f"{found.equal} of {found.compared}"
    gaps = f"{statistics.median(found.gaps):.3f}, {max(found.gaps):.3f}" if found.gaps else "–"
    yield "Where they part, lead of the best token: median, largest (nats)", gaps
    yield (
        "Log-probability of a token, difference: median, largest (nats)",
        f"{statistics.median(found.differences):.1e}, {max(found.differences):.3f} "
        f"(n = {len(found.differences):,})",
    )
    expected = nucleus(evidence.first_tokens, TEMPERATURE, TOP_P)
    outside = sum(count for token, count in evidence.draws.items() if token not in expected)
    yield f"Draws outside of top_p {TOP_P}", f"{outside} of {DRAWS}"
    yield (
        "Distance of the draws from temperature, then top_p (by chance at most)",
        f"{distance(evidence.draws, expected):.3f} ({distance_by_chance(expected, DRAWS):.3f})",
    )
