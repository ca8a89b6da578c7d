"""Plans for scripted endpoints."""

from __future__ import annotations

import time

import orjson

from wending.assess.load.plan import Closed, LoadPlan, Open


def plan_for(
    base_url: str, schedule: Closed | Open, requests: int, *, max_tokens: int = 64, patience_s: float = 60.0
) -> LoadPlan:
    bodies = tuple(
        orjson.dumps(
            {
                "messages": [{"role": "user", "content": f"Request {number}"}],
                "max_tokens": max_tokens,
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        )
        for number in range(requests)
    )
    return LoadPlan(base_url, {}, bodies, schedule, time.monotonic() + 0.05, patience_s)
