"""All that one assessment found out, and its form as report.json (see docs/report-format.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from wending.assess.agreement import scenario_agreement
from wending.assess.agreement_conditions import agreement_json
from wending.assess.bilingual import chinese
from wending.assess.context import ContextResult
from wending.assess.distribution import distribution
from wending.assess.failed_requests import failed_requests_json
from wending.assess.load.calibration import Calibration
from wending.assess.load.level import Level
from wending.assess.load.objective import Objective
from wending.assess.load.search import CONFIRMATIONS, Capacity
from wending.assess.notes import notes_of
from wending.assess.performance import RequestTypePerformance
from wending.assess.profile import Profile
from wending.assess.rate import level_rates, rate, rate_over, with_interval
from wending.assess.recovery.conversations import conversations_json
from wending.assess.recovery.row import RecoveryResult
from wending.assess.resources import NOTHING_MEASURED, Resources
from wending.assess.response_format import ResponseFormatResult, with_schema
from wending.assess.retention import retention_json
from wending.assess.run_record import RunRecord, by_scenario, rounded
from wending.assess.runner import Sampling
from wending.assess.scenarios import Item, Scenario
from wending.assess.stability import JudgedRun, StabilityProblem, find_problems
from wending.assess.stats import mean_over_items, pass_at_k, pass_hat_k
from wending.assess.verdict import verdict_json

SCHEMA = 1

JSON_RATES = {
    "parses": "json_parses",
    "schema": "json_schema",
    "repairable": "json_repairable",
    "values": "json_values",
}
"""The four rates of JSON answers, kept apart, and the checks that they count."""


@dataclass(slots=True)
class Assessment:
    """Filled step by step, so that a report of what was measured can be written at any moment."""

    target: dict[str, Any]
    sampling: Sampling
    scenarios: Sequence[Scenario]
    objective: Objective
    concurrency_cap: int
    performance_seconds: float
    profile: Profile
    environment: Mapping[str, Any]
    started: datetime
    finished: datetime | None = None
    incomplete_reason: str | None = None
    records: list[RunRecord] = field(default_factory=list)
    lost_runs: int = 0
    agreement_records: list[RunRecord] = field(default_factory=list)
    """Runs at temperature 0, alone and under load; they count for agreement only."""
    role_keeping: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a request by which the endpoint keeps roles; {}: not asked about."""
    role_keeping_refusal: str | None = None
    """What the endpoint said when it refused them."""
    role_keeping_records: list[RunRecord] = field(default_factory=list)
    """Runs with these fields; they count for retention only."""
    response_format: ResponseFormatResult | None = None
    context: ContextResult | None = None
    recovery: RecoveryResult | None = None
    performance: list[RequestTypePerformance] = field(default_factory=list)
    calibration: Calibration | None = None
    """What the load generator itself adds to the times of the performance."""
    usage_missing: bool = False
    """The endpoint gave no token counts: events with content stand for tokens."""
    has_reasoning: bool = False
    """The model reasons before it answers."""
    refused_fields: Mapping[str, str] = field(default_factory=dict)
    """Request fields that the endpoint refused and that were left out or renamed, with what it said."""
    sent_again: int = 0
    """Requests that the endpoint never looked at, since it had closed their connection."""
    turned_away: int = 0
    """Requests that the endpoint asked to be sent again later (Retry-After)."""
    sandbox_layers: tuple[str, ...] = ()
    resources: Resources = field(default_factory=lambda: Resources(reason=NOTHING_MEASURED))

    @property
    def has_measured(self) -> bool:
        """Whether the report says anything of the endpoint."""
        return bool(self.records) or any(result.single_stream.requests for result in self.performance)

    def scenarios_of_one_turn(self) -> list[Scenario]:
        """What agreement is measured on: in a conversation one answer that differs changes all others."""
        return [
            replace(scenario, items=tuple(item for item in scenario.items if item.turns == 1))
            for scenario in self.scenarios
        ]

    def scenarios_of_retention(self) -> list[Scenario]:
        """The conversations that are judged at several turns."""
        return [
            replace(scenario, items=tuple(item for item in scenario.items if len(item.judged_turns) > 1))
            for scenario in self.scenarios
        ]

    def to_json(self) -> dict[str, Any]:
        scenarios = [self._scenario(scenario) for scenario in self.scenarios]
        finished = self.finished or self.started
        report = {
            "schema": SCHEMA,
            "complete": self.incomplete_reason is None,
            "incomplete_reason": self.incomplete_reason,
            "incomplete_reason_zh": None
            if self.incomplete_reason is None
            else chinese(self.incomplete_reason),
            "started": self.started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "duration_s": round((finished - self.started).total_seconds(), 1),
            "target": self.target,
            "settings": self._settings(),
            "environment": dict(self.environment),
            "notes": notes_of(self),
            "lost_runs": self.lost_runs,
            "pass_rate": rate_of(self.records),
            "failed_requests": failed_requests_json(self.records, self.agreement_records, self.performance),
            "scenarios": scenarios,
            "agreement": agreement_json(self.scenarios, [*self.records, *self.agreement_records]),
            "performance": [_performance(result) for result in self.performance],
            "load_generator": None
            if self.calibration is None
            else _rounded_floats(self.calibration.to_json()),
            "context": None if self.context is None else self.context.to_json(),
            "recovery": None if self.recovery is None else self.recovery.to_json(),
            "model_recovery": conversations_json(self.scenarios, self.records),
            "resources": asdict(self.resources),
            "stability_problems": [_problem(problem) for problem in self._problems()],
        }
        return report | {"verdict": verdict_json(report)}

    def _settings(self) -> dict[str, Any]:
        return {
            "profile": self.profile.name,
            "levels": sorted(self.profile.levels),
            "agreement_repeats": self.profile.agreement_repeats,
            "role_keeping": dict(self.role_keeping) or None,
            "response_format_repeats": self.profile.response_format_repeats,
            "repeats": self.sampling.repeats,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "seed": self.sampling.seed,
            "concurrency": self.sampling.concurrency,
            "scenarios": [scenario.id for scenario in self.scenarios],
            "performance_seconds": self.performance_seconds,
            "objective": asdict(self.objective),
            "concurrency_cap": self.concurrency_cap,
            "confidence": 0.95,
            "tokens_counted_by": "content_events" if self.usage_missing else "usage",
            "sandbox_layers": list(self.sandbox_layers),
        }

    def _scenario(self, scenario: Scenario) -> dict[str, Any]:
        runs = by_scenario(self.records, scenario.id)
        of_item: dict[str, list[RunRecord]] = defaultdict(list)
        for run in runs:
            of_item[run.item].append(run)
        texts = {
            item.id: [run.text for run in of_item[item.id] if run.error is None] for item in scenario.items
        }
        agreement = scenario_agreement(
            (texts[item.id], [item.answer_of(text) for text in texts[item.id]]) for item in scenario.items
        )
        return {
            "id": scenario.id,
            "title": dict(scenario.title),
            "description": dict(scenario.description),
            "items": [_item(item, of_item[item.id]) for item in scenario.items],
            "planned_runs": self.sampling.repeats * len(scenario.items),
            "runs": [run.to_json() for run in runs],
            "other_runs": [run.to_json() for run in self._other_runs(scenario)],
            "pass_rate": rate_of(runs),
            "pass_hat_k": _of_k_repeats(pass_hat_k, of_item.values(), self.sampling.repeats),
            "pass_at_k": _of_k_repeats(pass_at_k, of_item.values(), self.sampling.repeats),
            "json_rates": _json_rates(runs),
            "response_format": self._response_format(scenario),
            "agreement": agreement.to_json(),
            "retention": retention_json(scenario, [*self.records, *self.role_keeping_records]),
        }

    def _other_runs(self, scenario: Scenario) -> list[RunRecord]:
        """Judged too, but under other conditions, so that no pass rate counts them."""
        constrained = self.response_format.records if self.response_format is not None else ()
        return [run for run in (*self.role_keeping_records, *constrained) if run.scenario == scenario.id]

    def _response_format(self, scenario: Scenario) -> dict[str, Any] | None:
        """What came of the schema in the request; None where it was not sent."""
        result = self.response_format
        if result is None or not with_schema([scenario]):
            return None
        answered, unanswered = result.answered(scenario.id), result.unanswered(scenario.id)
        reason = result.refusal or next((run.error for run in unanswered), None)
        return {
            "offered": result.refusal is None,
            "unanswered": rate(len(unanswered), len(unanswered) + len(answered)),
            "reason": None if reason is None else {"en": str(reason), "zh": chinese(reason)},
            "pass_rate": rate_of(answered),
            "json_rates": _json_rates(answered),
        }

    def _problems(self) -> list[StabilityProblem]:
        items = {(scenario.id, item.id): item for scenario in self.scenarios for item in scenario.items}
        return find_problems(
            JudgedRun(
                run.scenario,
                run.item,
                run.answers,
                run.checks,
                run.cut_turns,
                run.error,
                run.error_type,
                items[run.scenario, run.item].comparable_answer(run.text),
                run.repeat,
            )
            for scenario in self.scenarios
            for run in by_scenario(self.records, scenario.id)
        )


def rate_of(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """How many runs passed, with the interval over items: repeats of one item are not independent."""
    of_item: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for run in runs:
        of_item[run.scenario, run.item].append(run.passed)
    return rate_over(of_item.values())


def _of_k_repeats(
    chance: Callable[[int, int, int], float | None], items: Iterable[Sequence[RunRecord]], repeats: int
) -> list[dict[str, Any]]:
    """For each k up to the number of repeats: the chance that all, or that some, of k repeats of an item
    pass, over the items with so many runs."""
    counts = [(len(runs), sum(run.passed for run in runs)) for runs in items]
    found = []
    for k in range(1, repeats + 1):
        asked = [(n, share) for n, passed in counts if (share := chance(n, passed, k)) is not None]
        mean = mean_over_items([share for _, share in asked], trials=sum(n for n, _ in asked) / k)
        if mean is not None:
            low, high = map(rounded, mean.interval)
            found.append({"k": k, "share": rounded(mean.mean), "low": low, "high": high, "items": mean.items})
    return found


def _item(item: Item, runs: Sequence[RunRecord]) -> dict[str, Any]:
    return {
        "id": item.id,
        "language": item.language,
        "messages": [dict(message) for message in item.messages],
        "max_tokens": item.max_tokens,
        "judged_turns": list(item.judged_turns),
        "pass_rate": rate(sum(run.passed for run in runs), len(runs)),
    }


def _json_rates(runs: Sequence[RunRecord]) -> dict[str, Any] | None:
    """The four rates over the runs that were checked for them; None for a scenario without JSON checks."""
    rates = {}
    for name, check in JSON_RATES.items():
        verdicts: dict[str, list[bool]] = defaultdict(list)
        for run in runs:
            verdicts[run.item] += [result.passed for result in run.checks if result.name == check]
        rates[name] = rate_over(verdicts.values())
    return rates if rates["parses"]["n"] else None


def _performance(result: RequestTypePerformance) -> dict[str, Any]:
    outcomes = result.single_stream
    # Where not one level counts, the search found nothing, not even that no stream holds.
    capacity = result.capacity if result.capacity and result.capacity.levels else None
    invalid_levels = result.capacity.invalid_levels if result.capacity else []
    ttfts, speeds, counts = outcomes.ttfts, outcomes.speeds, outcomes.token_counts
    return {
        "request_type": result.request_type,
        "max_tokens": result.max_tokens,
        "ttft_s": distribution(ttfts, "p50", "p95"),
        "tokens_per_s": distribution(speeds, "p5", "p50", "p95"),
        "tokens": {
            **distribution(counts, "p50"),
            "min": min(counts, default=None),
            "max": max(counts, default=None),
        },
        "shorter_than_meant": result.shorter_than_meant,
        "errors": len(outcomes.errors),
        "max_concurrency": capacity.max_concurrency if capacity else None,
        "at_least": capacity.at_least if capacity else None,
        "failed_at": capacity.failed_at if capacity else None,
        "stopped_by": capacity.stopped_by if capacity else None,
        "confirmations": _confirmations(capacity) if capacity else None,
        "steady": _steady(capacity) if capacity else None,
        "goodput": _goodput(capacity) if capacity else None,
        "overhead": _overhead(capacity) if capacity and capacity.levels else None,
        "levels": [_level(level) for level in capacity.levels] if capacity else [],
        "invalid_levels": [_invalid_level(level) for level in invalid_levels],
        "values": {
            "ttft_s": [rounded(value) for value in ttfts],
            "tokens_per_s": [rounded(value) for value in speeds],
        },
    }


def _confirmations(capacity: Capacity) -> dict[str, int]:
    """All that were made at the highest concurrency held, or it would not be the highest."""
    made = capacity.confirmations_made
    return {"planned": CONFIRMATIONS, "made": made, "held": made}


def _steady(capacity: Capacity) -> dict[str, int] | None:
    """How many of the measurements at the highest concurrency were steady; null where no stream held."""
    if capacity.max_concurrency == 0:
        return None
    return {"measured": len(capacity.highest), "steady": sum(level.steady for level in capacity.highest)}


def _goodput(capacity: Capacity) -> dict[str, Any] | None:
    """Valid answers of all attempts at the highest concurrency; null where not even one stream held."""
    if capacity.max_concurrency == 0:
        return None
    levels = capacity.highest
    return rate(sum(level.valid for level in levels), sum(level.requests for level in levels))


def _overhead(capacity: Capacity) -> dict[str, Any]:
    """How late the generator itself was, in the worst of the levels that count."""
    return {
        "send_lag_s": rounded(max(level.send_lag_s for level in capacity.levels)),
        "loop_lag_s": rounded(max(level.loop_lag_s for level in capacity.levels)),
    }


def _level(level: Level) -> dict[str, Any]:
    fields = _rounded_floats(asdict(level))
    for left_out in ("invalid", "ttfts", "speeds"):
        del fields[left_out]
    complete = not level.decided_early
    return {
        **fields,
        **level_rates(level.requests, level.errors, level.valid),
        "distributions": {
            "ttft_s": distribution(level.ttfts, "p50", "p95", complete=complete),
            "tokens_per_s": distribution(level.speeds, "p5", "p50", "p95", complete=complete),
        },
        "steady": level.steady,
        "unsteady": _words(level.unsteady),
        "measured_again": _words(level.measured_again),
        "reason_zh": chinese(level.reason),
        "held": level.held,
    }


def _words(reason: str) -> dict[str, str] | None:
    return {"en": str(reason), "zh": chinese(reason)} if reason else None


def _invalid_level(level: Level) -> dict[str, Any]:
    return {
        "concurrency": level.concurrency,
        "send_lag_s": rounded(level.send_lag_s),
        "loop_lag_s": rounded(level.loop_lag_s),
        "reason": str(level.invalid),
        "reason_zh": chinese(level.invalid),
    }


def _rounded_floats(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: rounded(value) if isinstance(value, float) else value for key, value in fields.items()}


def _problem(problem: StabilityProblem) -> dict[str, Any]:
    return {
        "type": problem.type,
        "scenario": problem.scenario,
        "frequency": with_interval(problem.k, problem.n, problem.interval),
        "example": problem.example,
        "example_zh": chinese(problem.example),
        "title": dict(problem.title),
        "action": dict(problem.action),
        "severity": problem.severity,
        "first_seen": dict(zip(("item", "repeat"), problem.evidence[0], strict=True)),
        "evidence": [{"item": item, "repeat": repeat} for item, repeat in problem.evidence],
    }
