"""Prometheus text under vLLM's names, of one engine or several."""

from __future__ import annotations

from wending.assess.soak.server_metrics import parse_metrics

TEXT = """\
# HELP vllm:num_requests_waiting Requests that wait.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="1",model_name="m"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
wending:engine_restarts_total 2
process_start_time_seconds 1.7e+09
process_resident_memory_bytes 1.048576e+06
unknown_metric 1
vllm:broken
"""


def test_engines_are_added_up_and_the_fullest_cache_counts() -> None:
    assert parse_metrics(TEXT) == {
        "waiting": 7.0,
        "kv_usage": 0.5,
        "engine_restarts": 2.0,
        "process_started": 1.7e9,
        "memory_bytes": 1048576.0,
    }
