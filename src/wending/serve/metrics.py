"""GET /metrics: counts and times for Prometheus, with vLLM's names where it has them."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wending.engine.client import EngineStats
from wending.serve.log_queue import dropped_lines
from wending.serve.prometheus_text import CONTENT_TYPE, Labels, Metric, render
from wending.serve.request_metrics import RequestMetrics
from wending.serve.service import Service, service_of

router = APIRouter()


@router.get("/metrics", summary="Counts and times for Prometheus.")
async def metrics(request: Request) -> Response:
    return Response(render(_all(service_of(request))), media_type=CONTENT_TYPE)


def _all(service: Service) -> Iterator[Metric]:
    yield from _of_http(service)
    up = Metric("wending:engine_up", "gauge", "1 while the engine makes tokens, else 0.")
    up.add(int(service.status()[0] == "ok"), {})
    yield up
    dropped = Metric(
        "wending:log_lines_dropped_total", "counter", "Lines of the log that nobody read in time."
    )
    dropped.add(dropped_lines(), {})
    yield dropped
    if service.client is not None:
        labels = {"model_name": service.client.info.name}
        yield from _of_requests(service.metrics, labels)
        yield from _of_engine(service.client.stats(), labels)


def _of_http(service: Service) -> Iterator[Metric]:
    requests = Metric("http_requests_total", "counter", "Answered HTTP requests.")
    for (method, handler, status), count in sorted(service.http_requests.items()):
        requests.add(count, {"method": method, "handler": handler, "status": str(status)})
    yield requests


def _of_requests(counts: RequestMetrics, labels: Labels) -> Iterator[Metric]:
    for name, help_, value in (
        ("prompt_tokens", "Tokens of prompts that were read.", counts.prompt_tokens),
        ("generation_tokens", "Tokens that were generated.", counts.generation_tokens),
    ):
        metric = Metric(f"vllm:{name}_total", "counter", help_)
        metric.add(value, labels)
        yield metric
    finished = Metric("vllm:request_success_total", "counter", "Completions by how they ended.")
    for reason, count in counts.finished.items():
        finished.add(count, {**labels, "finished_reason": reason})
    yield finished
    for name, help_, histogram in (
        ("time_to_first_token", "From a request's arrival to the first token.", counts.first_token_s),
        ("inter_token_latency", "From one token to the next.", counts.between_tokens_s),
        ("e2e_request_latency", "From a request's arrival to the end.", counts.whole_s),
    ):
        metric = Metric(f"vllm:{name}_seconds", "histogram", help_)
        metric.add_histogram(histogram, labels)
        yield metric


def _of_engine(stats: EngineStats, labels: Labels) -> Iterator[Metric]:
    usage = stats.kv_blocks_used / max(stats.kv_blocks_total, 1)
    for name, help_, level in (
        ("vllm:num_requests_running", "Sequences that hold KV blocks.", stats.running),
        ("vllm:num_requests_waiting", "Sequences that wait.", stats.waiting),
        ("vllm:kv_cache_usage_perc", "Share of the KV blocks in use, 0 to 1.", usage),
    ):
        metric = Metric(name, "gauge", help_)
        metric.add(level, labels)
        yield metric
    for name, help_, count in (
        ("vllm:num_preemptions", "Times that a sequence gave up its blocks.", stats.preemptions_total),
        ("vllm:prefix_cache_queries", "Tokens looked for in the prefix cache.", stats.cache_queries_total),
        ("vllm:prefix_cache_hits", "Tokens found in the prefix cache.", stats.cached_tokens_total),
        ("vllm:spec_decode_num_draft_tokens", "Tokens that were guessed.", stats.tokens_drafted_total),
        ("vllm:spec_decode_num_accepted_tokens", "Guesses that came true.", stats.drafts_accepted_total),
        ("wending:engine_restarts", "Times that the engine was started again.", stats.restarts_total),
    ):
        metric = Metric(f"{name}_total", "counter", help_)
        metric.add(count, labels)
        yield metric
