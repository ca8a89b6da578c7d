"""Runs requests through an engine, tidily or with every disturbance it must withstand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from wending.engine.client import CompletionDelta, TokenLogprob
from wending.engine.engine import Engine
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency


@dataclass
class Answer:
    """All that a caller gets of one completion."""

    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    hidden_state: bytes | None = None

    def add(self, delta: CompletionDelta) -> None:
        self.text += delta.text
        self.token_ids += delta.token_ids
        self.logprobs += delta.logprobs or []
        self.finish_reason = delta.finish_reason
        self.hidden_state = delta.hidden_state or self.hidden_state


def answers(
    engine: Engine,
    requests: Sequence[tuple[list[int], SamplingParams]],
    disturbance: random.Random | None = None,
) -> list[list[Answer]]:
    """The answers of each request, one for each of its n completions.

    With `disturbance`, requests are added in random order at random steps with random priorities, and further
    ones come and are aborted. Without it, all are there before the first step.
    """
    collected = [[Answer() for _ in range(params.n)] for _, params in requests]
    to_come = list(range(len(requests)))
    if disturbance is not None:
        disturbance.shuffle(to_come)
    passers_by: list[str] = []
    steps = 0
    while to_come or engine.has_work:
        while to_come and (disturbance is None or not engine.has_work or disturbance.random() < 0.3):
            number = to_come.pop()
            priority = 0 if disturbance is None else disturbance.randrange(-2, 3)
            engine.add_request(str(number), *requests[number], Urgency(priority))
        if disturbance is not None and disturbance.random() < 0.2:
            passers_by.append(f"passer-by {steps}")
            prompt = [disturbance.randrange(256) for _ in range(disturbance.randrange(1, 40))]
            engine.add_request(passers_by[-1], prompt, SamplingParams(max_tokens=15))
        if passers_by and disturbance is not None and disturbance.random() < 0.2:
            engine.abort_request(passers_by.pop(disturbance.randrange(len(passers_by))))
        for request_id, delta in engine.step():
            if not request_id.startswith("passer-by"):
                collected[int(request_id)][delta.index].add(delta)
        engine.scheduler.check_integrity()
        steps += 1
    engine.check_integrity()
    return collected


def answers_of_two_engines(
    first: Engine, second: Engine, requests: Sequence[tuple[list[int], SamplingParams]], steps: int
) -> list[list[Answer]]:
    """The answers when the first engine dies after so many steps and the second goes on with what was said.

    Requests need seeds: the second engine would draw others.
    """
    collected = [[Answer() for _ in range(params.n)] for _, params in requests]
    for number, request in enumerate(requests):
        first.add_request(str(number), *request)
    for _ in range(steps):
        for request_id, delta in first.step():
            collected[int(request_id)][delta.index].add(delta)
    for number, (prompt, params) in enumerate(requests):
        progress = [Progress(one.token_ids, one.finish_reason is not None) for one in collected[number]]
        second.add_request(str(number), prompt, params, progress=progress)
    while second.has_work:
        for request_id, delta in second.step():
            collected[int(request_id)][delta.index].add(delta)
    second.check_integrity()
    return collected
