"""What the endpoint says of itself at /metrics: queue, KV use, restarts and memory, under vLLM's names.

https://docs.vllm.ai/en/latest/usage/metrics.html
"""

from __future__ import annotations

import re
from typing import Any

import aiohttp

TIMEOUT_S = 2.0

_NAMES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_usage",
    "vllm:gpu_cache_usage_perc": "kv_usage",  # its name in vLLM before 0.10
    "vllm:num_preemptions_total": "preemptions",
    "wending:engine_restarts_total": "engine_restarts",
    "process_start_time_seconds": "process_started",
    "process_resident_memory_bytes": "memory_bytes",  # of the process that answers, not of its children
}
_SHARES = ("kv_usage", "process_started")
"""Of these the greatest of several samples is taken; the others are added up over engines."""
_LINE = re.compile(r"^([\w:]+)(?:\{[^}]*\})? ([-+.\deE]+)", re.MULTILINE)


def parse_metrics(text: str) -> dict[str, float]:
    """The wanted figures of a text in Prometheus' format."""
    found: dict[str, float] = {}
    for name, value in _LINE.findall(text):
        key = _NAMES.get(name)
        if key is None:
            continue
        before = found.get(key, 0.0)
        found[key] = max(before, float(value)) if key in _SHARES else before + float(value)
    return found


class ServerMetrics:
    """Asks until the endpoint says that it has none."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._url = base_url.rsplit("/", 1)[0] + "/metrics"
        self._headers = headers
        self._is_offered = True

    async def read(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        """Empty where nothing is offered, or for the moment nothing can be had."""
        if not self._is_offered:
            return {}
        try:
            async with session.get(
                self._url, headers=self._headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
            ) as response:
                if response.status in (401, 403, 404, 405):
                    self._is_offered = False
                if response.status != 200:
                    return {}
                return parse_metrics(await response.text())
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {}
