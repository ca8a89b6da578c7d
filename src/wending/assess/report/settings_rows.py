"""The table of settings and environment: what another person needs to repeat the assessment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wending.assess.report.numbers import bytes_size
from wending.assess.report.texts import Pair, setting_label


def settings_rows(report: Mapping[str, Any]) -> list[tuple[Pair, str]]:
    """(label, value) in the order in which they are shown."""
    settings, environment = report["settings"], report["environment"]
    values = {
        "command": environment["command"],
        "base_url": report["target"]["base_url"] or "–",
        "profile": settings["profile"],
        "repeats": settings["repeats"],
        "role_keeping": json.dumps(settings["role_keeping"]) if settings["role_keeping"] else "–",
        "temperature": settings["temperature"],
        "top_p": settings["top_p"],
        "seed": settings["seed"],
        "concurrency": settings["concurrency"],
        "performance_seconds": f"{settings['performance_seconds']:g}",
        "tokens_counted_by": settings["tokens_counted_by"],
        "sandbox_layers": ", ".join(settings["sandbox_layers"]) or "–",
        "cpu": environment["cpu"],
        "cores": f"{environment['usable_cores']} / {environment['logical_cores']}",
        "memory": bytes_size(environment["memory_bytes"]),
        "instruction_sets": " ".join(environment["instruction_sets"]) or "–",
        "os": environment["os"],
        "python": environment["python"],
        "wending": environment["wending"],
        "started": report["started"],
        "finished": report["finished"],
    }
    return [(setting_label(key), str(value)) for key, value in values.items()]
