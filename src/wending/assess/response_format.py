"""JSON items asked once more with their schema in the request, as ``response_format``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from wending.assess.condition import ConditionName
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import BadStatus
from wending.assess.run_record import RunLog, RunRecord
from wending.assess.runner import Runner, Sampling
from wending.assess.scenarios import Item, Scenario

CONDITION: ConditionName = "response_format"
_TRIAL_SCHEMA = {
    "type": "object",
    "required": ["ready"],
    "additionalProperties": False,
    "properties": {"ready": {"type": "boolean"}},
}


@dataclass(slots=True)
class ResponseFormatResult:
    """Filled as it goes. ``refusal``: what the endpoint said to a schema that any endpoint which offers
    response_format takes; None if it took it. ``records`` hold the failed requests too, with their error."""

    refusal: str | None = None
    records: list[RunRecord] = field(default_factory=list)

    def answered(self, scenario_id: str) -> list[RunRecord]:
        return [run for run in self._of(scenario_id) if run.error is None]

    def unanswered(self, scenario_id: str) -> list[RunRecord]:
        """Requests that failed: the schema was refused, or could not be kept to."""
        return [run for run in self._of(scenario_id) if run.error is not None]

    def _of(self, scenario_id: str) -> list[RunRecord]:
        return [run for run in self.records if run.scenario == scenario_id]


def schema_of(item: Item) -> Mapping[str, Any] | None:
    """The shape that the item's answer is checked for, with the formats, ranges and choices it must keep to,
    but never with the answer itself. None for an item without, and for conversations, whose other turns are
    not JSON.

    A pattern among the values stays a matter of the check: it looks for a language, which no client demands
    in a schema.
    """
    for spec in item.checks:
        if spec.name == "json" and item.turns == 1:
            schema, values = spec.expectation["schema"], spec.expectation["values"]
            return schema if _holds(values, "const") else _with_demands(schema, values)
    return None


def _holds(schema: Any, keyword: str) -> bool:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return (isinstance(schema, dict) and keyword in schema) or any(_holds(one, keyword) for one in inner)


def _with_demands(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, and at each place what the values demand there beside it."""
    found = dict(schema)
    for key, demand in values.items():
        if isinstance(demand, dict) and isinstance(schema.get(key), dict):
            found[key] = _with_demands(schema[key], demand)
        elif key != "pattern":
            found[key] = demand
    return found


def with_schema(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios with those items only that can be asked with a schema."""
    chosen = [
        replace(scenario, items=tuple(item for item in scenario.items if schema_of(item) is not None))
        for scenario in scenarios
    ]
    return [scenario for scenario in chosen if scenario.items]


def request_fields(item: Item) -> dict[str, Any]:
    """What the request for an item has beside what it has without the schema."""
    return _response_format(item.id, schema_of(item) or {})


def _response_format(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    form = {"name": name, "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


async def measure(
    client: EndpointClient,
    scenarios: Sequence[Scenario],
    sampling: Sampling,
    log: RunLog,
    judges: Executor,
    progress: Callable[[float, str], None],
    result: ResponseFormatResult,
) -> None:
    """Ask each item as often as ``sampling`` says, with the seeds and sampling of the runs without schema.

    ``scenarios`` are those of ``with_schema``. Nothing is asked where even a small schema is refused.
    Raises EndpointError as ``Runner.run`` does.
    """
    try:
        await client.chat(
            [{"role": "user", "content": 'Are you ready? Answer as JSON: {"ready": true}'}],
            max_tokens=32,
            temperature=0.0,
            top_p=1.0,
            seed=0,
            fields=_response_format("ready", _TRIAL_SCHEMA),
        )
    except BadStatus as error:
        if error.is_refusal:
            result.refusal = error.words
            return
    runner = Runner(
        client,
        scenarios,
        replace(sampling, condition=CONDITION),
        log,
        judges,
        progress,
        request_fields=request_fields,
    )
    try:
        await runner.run()
    finally:
        result.records = runner.records
