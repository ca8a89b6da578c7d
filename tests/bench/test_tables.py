"""The arithmetic of the comparison: medians, best peer, limits, what is run within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bench.peers import tables
from bench.peers.engines import ENGINES, EngineSpec
from bench.peers.limits import Limits, Shape, median_limits, seconds_at_the_limit
from bench.peers.plan import runs_to_do
from bench.peers.works import WORKS, Work
from bench.side_by_side import Results, shape_of

BY_NAME = {spec.name: spec for spec in ENGINES}
SHAPE = Shape(
    layer_weights=100, head_weights=20, weight_bytes={"bf16": 240, "int8": 120}, kv_bytes_per_token=2
)
LIMITS = Limits(bandwidth=10.0, operations={"bf16": 50.0, "int8": 100.0})


def run(seconds: float, first: float, tokens: int) -> dict[str, Any]:
    return {"seconds": seconds, "first_token_seconds": first, "output_tokens": tokens}


def test_output_tokens_are_counted_over_the_whole_time() -> None:
    work = WORKS["8x32-64"]
    (measure,) = tables.measures_of(work)
    assert measure.name == "8 × (32 → 64)"
    assert measure.speed(work, run(4.0, 1.0, 512)) == 128.0


def test_shared_tokens_are_named_apart() -> None:
    work = WORKS["shared-1000"]
    (measure,) = tables.measures_of(work)
    assert measure.name == "16 × (1,000 shared + 32 → 64)"
    assert measure.speed(work, run(4.0, 1.0, 1024)) == 256.0


def test_a_long_prompt_gives_the_speed_of_its_parts() -> None:
    work = WORKS["prompt-4096"]
    prompt, decode = tables.measures_of(work)
    found = run(6.0, 2.0, 33)
    assert prompt.speed(work, found) == 2048.0
    assert decode.speed(work, found) == 8.0
    assert len(tables.measures_of(WORKS["prompt-512"])) == 1


def test_median_of_the_runs() -> None:
    work = WORKS["1x32-64"]
    (measure,) = tables.measures_of(work)
    runs = [run(seconds, 0.1, 64) for seconds in (1.0, 4.0, 2.0)]
    assert tables.median_speed(measure, work, runs) == 32.0
    assert tables.median_speed(measure, work, []) is None


def test_a_peer_of_fewer_bits_is_no_rival() -> None:
    speeds = {"llama-q4_0": 60.0, "llama-q8_0": 40.0, "llama-bf16": 30.0, "wending-int8": 99.0}

    def rival(own: str) -> str | None:
        return tables.best_peer(BY_NAME[own], speeds, ENGINES)

    assert rival("wending-int4") == "llama-q4_0"
    assert rival("wending-int8") == "llama-q8_0"
    assert rival("wending-bf16") == "llama-bf16"
    assert tables.best_peer(BY_NAME["wending-int8"], {}, ENGINES) is None


def test_limit_of_one_stream_is_what_it_reads() -> None:
    """3 steps after the first token, at lengths 3, 4 and 5, each of which reads 120 bytes and the cache."""
    prompt, decode = seconds_at_the_limit(Work("", 1, 2, 4), SHAPE, "int8", LIMITS)
    assert prompt == 12.0  # its arithmetic takes 4.4 s
    assert decode == pytest.approx((3 * 120 + 2 * (3 + 4 + 5)) / 10)


def test_limit_of_many_streams_is_what_they_compute() -> None:
    prompt, decode = seconds_at_the_limit(Work("", 10, 2, 3), SHAPE, "bf16", LIMITS)
    assert prompt == pytest.approx((2 * 100 * 20 + 2 * 20 * 10) / 50)
    assert decode == pytest.approx(2 * 2 * 120 * 10 / 50)


def test_limit_of_a_shared_prompt_counts_it_once() -> None:
    """2 shared tokens and 1 of each sequence's own; one step after the first token, at length 4."""
    work = Work("", 10, 3, 2, shared_tokens=2)
    prompt, decode = seconds_at_the_limit(work, SHAPE, "bf16", LIMITS)
    assert prompt == pytest.approx((2 * 100 * 12 + 2 * 20 * 10) / 50)
    assert decode == pytest.approx(max((240 + 2 * (2 + 10 * 2)) / 10, 2 * 120 * 10 / 50))


def test_limits_are_medians_of_all_rounds() -> None:
    rounds = [{"bandwidth": speed, "operations": {"int8": 2 * speed}} for speed in (1.0, 9.0, 3.0)]
    assert median_limits(rounds) == Limits(3.0, {"int8": 6.0})
    assert median_limits([]) is None


def test_the_published_shape() -> None:
    """494 M parameters with tied embeddings; int8 in groups of 64 with a two-byte or four-byte scale each."""
    shape = shape_of("0.5b")
    assert shape.layer_weights + shape.head_weights == pytest.approx(494e6, rel=0.001)
    assert shape.weight_bytes["bf16"] == pytest.approx(988e6, rel=0.001)
    assert shape.weight_bytes["int4"] < 0.75 * shape.weight_bytes["int8"]
    assert shape.kv_bytes_per_token == 12_288


def test_cheap_cells_are_run_in_full_and_expensive_ones_share_the_rest() -> None:
    cost = {"cheap": 1.0, "dear": 30.0, "dearer": 40.0}
    planned = runs_to_do(cost, {"cheap": 1, "dear": 1, "dearer": 1}, 5, 110.0)
    assert planned["cheap"] == 4
    assert 30.0 * planned["dear"] + 40.0 * planned["dearer"] <= 106.0
    assert min(planned["dear"], planned["dearer"]) == 1
    assert not any(runs_to_do(cost, dict.fromkeys(cost, 5), 5, 1e9).values())
    assert not any(runs_to_do(cost, {}, 5, 0.5).values())


def test_results_go_on_where_they_were_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Results(path, resume=False).add("run", work="8x32-64", engine="vllm", **run(2.0, 1.0, 512))
    again = Results(path, resume=True)
    again.add("run", work="8x32-64", engine="vllm", **run(4.0, 1.0, 512))
    assert [one["seconds"] for one in again.runs()["8x32-64", "vllm"]] == [2.0, 4.0]
    assert Results(path, resume=False).records == []
    assert (tmp_path / "results.old.jsonl").exists()


def test_tables() -> None:
    work = WORKS["1x32-64"]
    engines: list[EngineSpec] = [BY_NAME[name] for name in ("wending-int8", "llama-q8_0", "llama-q4_0")]
    runs = {
        (work.name, "wending-int8"): [run(1.0, 0.1, 64)] * 3,
        (work.name, "llama-q8_0"): [run(2.0, 0.1, 64)] * 2,
        (work.name, "llama-q4_0"): [run(0.5, 0.1, 64)],
    }
    speeds = tables.speed_table(runs, [work, WORKS["8x32-64"]], engines).splitlines()
    assert speeds[0] == "| tok/s (runs) | 1 × (32 → 64) | 8 × (32 → 64) |"
    assert speeds[2:] == [
        "| wending INT8 | 64.0 (3) | – |",
        "| llama.cpp Q8_0 | 32.0 (2) | – |",
        "| llama.cpp Q4_0 | 128 (1) | – |",
    ]
    shape = Shape(1000, 0, {"int8": 1000}, 0)  # 64 steps that read 1,000 bytes each
    limits = Limits(bandwidth=128_000.0, operations={"int8": 1e9})
    ratios = tables.ratio_table(runs, [work], engines, limits, shape).splitlines()
    assert ratios[2] == "| 1 × (32 → 64) | **2.00** llama.cpp Q8_0, 50% |"
    facts = {"llama-q8_0": {"version": "0.3", "start_seconds": [1.0, 3.0, 2.0], "installed_bytes": 179e6}}
    assert tables.engine_table(engines, facts).splitlines()[3] == (
        "| llama.cpp Q8_0 | 0.3 | 2.0 s (3) | 179 MB | – |"
    )
