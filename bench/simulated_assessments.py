"""Many assessments of endpoints with planted faults: is found what is there, and nothing else?

    python bench/simulated_assessments.py                 all parts, about half an hour on two cores
    python bench/simulated_assessments.py --assessments 40 --only failures logs
    python bench/simulated_assessments.py --only capacity --at-most 20 --json proof.json
                                                          the next twenty that the file has not; and so on

What is measured is the project's own code, whole: the conductor, the load generator, the search for the
capacity, the log of the soak and its report. The endpoints follow scripts (docs/scripted-endpoint.md).
docs/proof.md explains the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the simulations take the right answers from the tests

from bench.simulation import agreement, capacity, drift_power, failures, faults, latency, soak_logs  # noqa: E402
from bench.simulation.observation import Observation, counted, coverages  # noqa: E402
from bench.simulation.side_by_side import side_by_side  # noqa: E402

from wending.assess.stats import exact  # noqa: E402

PARTS = ("failures", "agreement", "logs", "drifts", "latency", "capacity", "faults")
SHARES = {"agreement": 0.3, "drifts": 0.2, "capacity": 0.3}
"""How many of each part, as a share of --assessments, where not all: those that take long are fewer."""
AT_ONCE = {"latency": 4, "capacity": 20}
"""How many of the parts in which times are measured are under way together."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--assessments", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--processes", type=int, default=2, help="for parts in which no time is measured")
    parser.add_argument("--at-once", type=int, metavar="N", help="for the others; latency 4, capacity 20")
    parser.add_argument("--at-most", type=int, metavar="N", help="so many of these in this run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures; what it has already is kept")
    options = parser.parse_args()
    kept = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    runs: dict[str, Callable[[int, int, int], dict[str, Any]]] = {
        "failures": _failures, "agreement": _agreement, "logs": _logs, "drifts": _drifts, "faults": _faults,
    }  # fmt: skip
    timed = {"latency": _latency, "capacity": _capacity}
    for part in options.only:
        begin, count = time.monotonic(), max(1, round(options.assessments * SHARES.get(part, 1.0)))
        if part in timed:
            rows = kept.get(part, {}).get("rows", {})
            seeds = [f"{part} {options.seed} {number}" for number in range(count)]
            missing = [seed for seed in seeds if seed not in rows][: options.at_most]
            found = timed[part](missing, options.at_once or AT_ONCE[part])
            kept[part] = {"rows": rows | dict(zip(missing, found, strict=True))}
        else:
            kept[part] = runs[part](options.seed, count, options.processes)
        kept[part]["seconds"] = round(time.monotonic() - begin)
        print(f"{part}: {kept[part]['seconds']} s", file=sys.stderr)
        if options.json:
            options.json.write_text(json.dumps(kept, indent=1))
    print("\n".join(_markdown(kept)))


def _failures(seed: int, count: int, processes: int) -> dict[str, Any]:
    seeds = [f"failures {seed} {number}" for number in range(count)]
    found = _in_processes(_one_failures, seeds, processes)
    observations = [one for each, _ in found for one in each]
    hats = [pair for _, pairs in found for pair in pairs]
    bias = sum(estimate - planted for estimate, planted in hats) / len(hats) if hats else None
    return {"assessments": count, "broken_off": sum(not each for each, _ in found),
            "coverage": _coverage(observations), "pass_hat_k_bias": bias}  # fmt: skip


def _agreement(seed: int, count: int, processes: int) -> dict[str, Any]:
    found = _in_processes(
        _one_agreement, [f"agreement {seed} {number}" for number in range(count)], processes
    )
    sound = [one for one in found if not one.share]
    return {"assessments": count, "sound": len(sound), "false_alarms": sum(one.changed > 0 for one in sound),
            "coverage": _coverage([each for one in found for each in one.observations])}  # fmt: skip


def _logs(seed: int, count: int, processes: int) -> dict[str, Any]:
    """As many sound servers as such with something planted."""
    sound = _in_processes(
        partial(_one_log, sound=True), [f"sound {seed} {n}" for n in range(count)], processes
    )
    planted = _in_processes(
        partial(_one_log, sound=False), [f"planted {seed} {n}" for n in range(count)], processes
    )
    false = Counter(name for one in sound for name in one.rising)
    seen: dict[str, list[bool]] = {"memory_bytes": [], "files": [], "ttft_s": []}
    for one in planted:
        for name, slope in (
            ("memory_bytes", one.plant.leak_bytes),
            ("files", one.plant.file_leak),
            ("ttft_s", one.plant.drift_s),
        ):
            level = next(row["level"] for row in one.report["trends"] if row["name"] == name)
            if level and slope * one.plant.hours > 0.1 * level:
                seen[name].append(name in one.rising)
    crashed = [one for one in planted if one.crashes]
    return {
        "sound": len(sound), "false_leaks": dict(false), "planted": len(planted),
        "rises_of_a_tenth_found": {name: [sum(each), len(each)] for name, each in seen.items()},
        "crashes_counted_exactly": [
            sum(one.report["crashes"]["n"] == one.crashes for one in crashed), len(crashed)
        ],
        "coverage": _coverage([each for one in (*sound, *planted) for each in soak_logs.observations(one)]),
    }  # fmt: skip


def _drifts(seed: int, count: int, processes: int) -> dict[str, Any]:
    """As many soaks for each size and number of requests."""
    seeds, rows = [f"drifts {seed} {number}" for number in range(count)], []
    for requests in drift_power.REQUESTS:
        for drift in drift_power.DRIFTS:
            is_found = partial(drift_power.is_found, requests=requests, drift=drift)
            found = sum(_in_processes(is_found, seeds, processes))
            rows.append({"requests": requests, "drift": drift, "found": found})
    return {"soaks": count, "rows": rows}


def _latency(seeds: Sequence[str], at_once: int) -> list[dict[str, Any]]:
    # No process is started that takes long, but for that of the generator.
    found = asyncio.run(side_by_side(latency.simulate, seeds, at_once, gap_s=0.5))
    return [one.to_json() for one in found]


def _capacity(seeds: Sequence[str], at_once: int) -> list[dict[str, Any]]:
    async def one(seed: str) -> dict[str, Any]:
        row = (await capacity.simulate(seed)).to_json()
        print(row, file=sys.stderr)
        return row

    return asyncio.run(side_by_side(one, seeds, at_once))


def _faults(seed: int, _: int, __: int) -> dict[str, Any]:
    found: list[faults.Named] = []
    for check in faults.checks(seed):
        found.append(asyncio.run(check()))
        print(found[-1], file=sys.stderr)
    return {"named": sum(one.is_named for one in found), "rows": [asdict(one) for one in found]}


def _one_failures(seed: str) -> tuple[list[Observation], list[tuple[float, float]]]:
    return asyncio.run(failures.simulate(seed))


def _one_agreement(seed: str) -> agreement.Compared:
    return asyncio.run(agreement.simulate(seed))


def _one_log(seed: str, *, sound: bool) -> soak_logs.Soaked:
    return soak_logs.simulate(seed, sound=sound)


def _in_processes(work: Callable[[str], Any], seeds: Sequence[str], processes: int) -> list[Any]:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, seeds))


def _coverage(observations: Sequence[Observation]) -> list[dict[str, Any]]:
    return [one.to_json() for one in coverages(observations)]


def _markdown(parts: dict[str, Any]) -> Iterator[str]:
    yield from (
        "| figure | intervals | hold what was planted | 95 % interval of that | |",
        "|---|---|---|---|---|",
    )
    for name, part in parts.items():
        coverage = _timed_coverage(part["rows"].values()) if name == "latency" else part.get("coverage", ())
        for row in coverage:
            share = f"{100 * row['low']:.1f}–{100 * row['high']:.1f} %"
            held = f"{100 * row['covered'] / row['n']:.1f} %"
            yield f"| {row['figure']} | {row['n']} | {held} | {share} | {row['verdict']} |"
    yield ""
    for name, part in parts.items():
        rest = {key: value for key, value in part.items() if key not in ("coverage", "rows")}
        yield f"- {name}: " + "; ".join(f"{key} {value}" for key, value in rest.items())
    if "latency" in parts:
        rows = parts["latency"]["rows"].values()
        withheld = Counter(one for row in rows for one in row["withheld"] if not row["invalid"])
        invalid = sum(bool(row["invalid"]) for row in rows)
        yield f"- latency: {len(rows)} assessments, {invalid} of them invalid; withheld {dict(withheld)}"
    if "drifts" in parts:
        yield from _drift_table(parts["drifts"])
    if "capacity" in parts:
        yield from _capacity_tables(list(parts["capacity"]["rows"].values()))
    if "faults" in parts:
        yield from ("", "| planted fault | what the report says | |", "|---|---|---|")
        for row in parts["faults"]["rows"]:
            yield f"| {row['fault']} | {', '.join(row['said']) or '–'} | {'✓' if row['is_named'] else '✕'} |"


def _timed_coverage(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    pairs = [(figure, held) for row in rows if not row["invalid"] for figure, held in row["covered"]]
    return [one.to_json() for one in counted(pairs)]


def _drift_table(part: dict[str, Any]) -> Iterator[str]:
    """Of so many soaks, in how many a drift was found."""
    drifts = [f"{drift:.0%}" for drift in drift_power.DRIFTS]
    yield from ("", f"| requests | {' | '.join(drifts)} |", "|---" * (1 + len(drifts)) + "|")
    for requests in drift_power.REQUESTS:
        found = [f"{row['found']} of {part['soaks']}" for row in part["rows"] if row["requests"] == requests]
        yield f"| {requests:,} | {' | '.join(found)} |"


def _capacity_tables(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """How many were right, by what happens beyond the capacity, then those that were not."""
    yield from ("", "| beyond the capacity | within 10 % or one stream | 95 % interval | not driven |")
    yield "|---|---|---|---|"
    for kind in (*sorted({row["beyond"] for row in rows}), "all"):
        of_kind = Counter(row["verdict"] for row in rows if kind in (row["beyond"], "all"))
        right, count = of_kind["right"], of_kind["right"] + of_kind["wrong"]
        low, high = exact(right, count) or (0.0, 1.0)
        interval = f"{100 * low:.1f}–{100 * high:.1f} %"
        yield f"| {kind} | {right} of {count} | {interval} | {of_kind['not driven']} |"
    yield from ("", "| beyond the capacity | true | found | held | |", "|---|---|---|---|---|")
    for row in rows:
        if row["verdict"] != "right":
            yield f"| {row['beyond']} | {row['true']} | {row['found']} | {row['held']} | {row['verdict']} |"


if __name__ == "__main__":
    main()
