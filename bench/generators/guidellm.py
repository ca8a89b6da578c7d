"""guidellm, version 0.8: how it is asked, and what its report holds.

Of each request it keeps when its head was written and when the first and the last event with text came, by
the clock of the calendar.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.generators.timed import Job, JobError, TimedRequest


def arguments(job: Job, folder: Path, tokenizer: Path) -> list[str]:
    prompts = folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in job.prompts))
    target = f"target={job.base_url.removesuffix('/v1')},model={job.model},max_tokens={job.tokens}"
    return [
        *("-m", "guidellm", "run", "--disable-progress", "--backend", f"kind=openai_http,{target}"),
        *("--profile", f"kind=concurrent,streams={job.streams},rampup_duration={job.ramp_s:g}"),
        *("--constraint", f"kind=max_requests,count={len(job.prompts)}"),
        *("--data", f"kind=json_file,path={prompts}"),
        *("--tokenizer", f"kind=huggingface_auto,model={tokenizer}"),
        *("--output", f"kind=json,path={folder / 'result.json'}"),
    ]


def read(folder: Path, clock_offset: float) -> tuple[list[TimedRequest], dict[str, float]]:
    """`clock_offset`: seconds that its clock is before the monotonic one. Raises JobError."""
    (result,) = json.loads((folder / "result.json").read_text())["benchmarks"]
    requests = result["requests"]
    if failed := len(requests["errored"] or ()):
        raise JobError(f"{failed} requests failed: {requests['errored'][0]['info']['error']}")
    metrics = {
        "ttft": "time_to_first_token_ms",
        "itl": "inter_token_latency_ms",
        "tpot": "time_per_output_token_ms",
    }
    reported = {
        f"{name}_p{share}": result["metrics"][metric]["successful"]["percentiles"][f"p{share}"] / 1000
        for name, metric in metrics.items()
        for share in (50, 95)
    }
    return [_timed(request, clock_offset) for request in requests["successful"]], reported


def _timed(request: dict[str, Any], clock_offset: float) -> TimedRequest:
    times = request["info"]["timings"]
    names = ("request_start", "first_token_iteration", "last_token_iteration")
    sent, first, last = (times[name] - clock_offset for name in names)
    return TimedRequest(sent, first, last, request["output_metrics"]["total_tokens"], request["output"], None)
