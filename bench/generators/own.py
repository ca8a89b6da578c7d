"""Wending's load generator: one process."""

from __future__ import annotations

import time

import orjson
from bench.generators.processor import watched
from bench.generators.timed import Job, JobError, Outcome, TimedRequest

from wending.assess.load import GeneratorError, LoadGenerator
from wending.assess.load.plan import Closed, LoadPlan
from wending.assess.load.record import RequestRecord
from wending.assess.stats import quantile

LEAD_S = 0.1
PATIENCE_S = 600.0


async def run(job: Job) -> Outcome:
    """Raises JobError."""
    starts = tuple(job.ramp_s * stream / job.streams for stream in range(job.streams))
    # A stream goes on until there are no more prompts.
    schedule = Closed(starts, warm=0, counted=len(job.prompts), fill=False)
    bodies = tuple(_body(job, prompt) for prompt in job.prompts)
    try:
        async with LoadGenerator() as generator, watched(generator.pids, job.server_pid) as processor:
            plan = LoadPlan(job.base_url, {}, bodies, schedule, time.monotonic() + LEAD_S, PATIENCE_S)
            result = await generator.run(plan)
    except GeneratorError as error:
        raise JobError(str(error)) from None
    for record in result.records:
        if record.failure is not None:
            raise JobError(record.failure.en)
    return Outcome([_timed(record) for record in result.records], processor, _reported(result.records))


def _body(job: Job, prompt: str) -> bytes:
    """As the others send it: the scripted endpoint draws what it does from the messages."""
    return orjson.dumps(
        {
            "model": job.model,
            "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
            "max_completion_tokens": job.tokens,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )


def _timed(record: RequestRecord) -> TimedRequest:
    answer = record.answer
    times = answer.content_times
    if not times:
        raise JobError("an answer without text")
    return TimedRequest(answer.sent, times[0], times[-1], answer.tokens, answer.text, times)


def _reported(records: list[RequestRecord]) -> dict[str, float]:
    answers = [record.answer for record in records]
    values = {
        "ttft": [answer.ttft_s for answer in answers if answer.ttft_s is not None],
        "tpot": [answer.tpot_s for answer in answers if answer.tpot_s is not None],
    }
    found = {
        f"{name}_p{round(100 * share)}": quantile(times, share)
        for name, times in values.items()
        for share in (0.5, 0.95)
    }
    return {name: value for name, value in found.items() if value is not None}
