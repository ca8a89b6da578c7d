"""Reads a report.json, of this version or an earlier one of the same schema."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from wending.assess.bilingual import Bilingual
from wending.assess.results import SCHEMA

NEEDED = frozenset(
    (
        "schema", "complete", "target", "model", "scenarios", "id", "title", "en", "zh", "runs", "item",
        "pass", "error", "checks", "name", "k", "n", "performance", "request_type", "ttft_s", "tokens_per_s",
        "p50", "max_concurrency", "values", "parses", "rows", "ok",
    )
)  # fmt: skip
"""Fields without which nothing can be compared; others may be younger than the report."""


def load_report(path: Path) -> Mapping[str, Any]:
    """Raises ValueError, which names the file and the field, for what is no report that can be compared."""
    file = path / "report.json" if path.is_dir() else path
    try:
        report = orjson.loads(file.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
        raise ValueError(Bilingual(f"{file}: cannot be read: {why}", f"{file}：无法读取：{why}")) from None
    except ValueError as error:
        raise ValueError(Bilingual(f"{file}: is not JSON: {error}", f"{file}：不是 JSON：{error}")) from None
    number = report.get("schema") if isinstance(report, dict) else None
    if number is not None and number != SCHEMA:
        raise ValueError(
            Bilingual(
                f"{file}: is of schema {number}; this version of wending reads schema {SCHEMA}",
                f"{file}：schema 为 {number}；本版本的 wending 只读 schema {SCHEMA}",
            )
        )
    damage = next(_validator().iter_errors(report), None)
    if damage is not None:
        where = "/".join(map(str, damage.instance_path)) or "/"
        # What is wrong may be a value of any length.
        message = damage.message if len(damage.message) < 200 else f"{damage.message[:200]} …"
        raise ValueError(
            Bilingual(
                f"{file}: is no report: {where}: {message}", f"{file}：不是评测报告：{where}：{message}"
            )
        )
    return dict(report)


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    schema = orjson.loads(files("wending.assess.report").joinpath("schema.json").read_bytes())
    return jsonschema_rs.Draft202012Validator(_loosened(schema))


def _loosened(schema: Any) -> Any:
    """The same demands on the fields that are there; of those that are missing only on the needed ones."""
    if isinstance(schema, list):
        return [_loosened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {key: _loosened(value) for key, value in schema.items() if key != "additionalProperties"}
    if isinstance(schema.get("required"), list):
        loose["required"] = [name for name in schema["required"] if name in NEEDED]
    return loose
