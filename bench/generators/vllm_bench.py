"""`vllm bench serve`, version 0.32: how it is asked, and what its detailed result holds.

It stamps every event that has choices: the first of an answer, which carries the role and no text, the events
with text, and the one with the reason for the end. Its TTFT is the time of the first of these, so that on a
server that sends the role at once it is not that of a token; its list of gaps begins there too. Here the role
and the end are left out.
"""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path

from bench.generators.timed import Job, JobError, TimedRequest

REGULAR = 1000
"""Shape of the gamma distribution of its gaps between requests: hardly any spread."""


def arguments(job: Job, folder: Path, tokenizer: Path) -> list[str]:
    prompts = folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in job.prompts))
    # It has no streams that begin one after the other; requests at this rate come to the same.
    pace: list[str] = []
    if job.ramp_s:
        pace = ["--request-rate", str(job.streams / job.ramp_s), "--burstiness", str(REGULAR)]
    return [
        *(str(Path(__file__).parent / "vllm_bench_main.py"), "--base-url", job.base_url.removesuffix("/v1")),
        *("--backend", "openai-chat", "--endpoint", "/v1/chat/completions", "--model", job.model),
        *("--tokenizer", str(tokenizer), "--dataset-name", "custom", "--dataset-path", str(prompts)),
        *("--skip-chat-template", "--disable-shuffle", "--custom-output-len", str(job.tokens)),
        *("--ignore-eos", "--num-prompts", str(len(job.prompts)), "--max-concurrency", str(job.streams)),
        *pace,
        *("--ready-check-timeout-sec", "0", "--disable-tqdm", "--metric-percentiles", "50,95"),
        *(
            "--save-result",
            "--save-detailed",
            "--result-dir",
            str(folder),
            "--result-filename",
            "result.json",
        ),
    ]


def read(folder: Path, _: float) -> tuple[list[TimedRequest], dict[str, float]]:
    """Raises JobError. Its clock is the monotonic one (time.perf_counter on Linux)."""
    result = json.loads((folder / "result.json").read_text())
    if result["failed"]:
        error = next(filter(None, result["errors"]), "").strip().splitlines()[-1:]
        raise JobError(f"{result['failed']} requests failed: {' '.join(error)}")
    columns = ("start_times", "ttfts", "itls", "output_lens", "generated_texts")
    requests = [_timed(*row) for row in zip(*(result[name] for name in columns), strict=True)]
    reported = {
        f"{name}_p{share}": result[f"p{share}_{name}_ms"] / 1000
        for name in ("ttft", "tpot", "itl")
        for share in (50, 95)
    }
    return requests, reported


def _timed(sent: float, ttft: float, gaps: list[float], tokens: int, text: str) -> TimedRequest:
    arrivals = list(accumulate(gaps, initial=sent + ttft))[1:-1]
    if not arrivals:
        raise JobError("an answer without text")
    return TimedRequest(sent, arrivals[0], arrivals[-1], tokens, text, arrivals)
