"""One assessment from the command line to the report: what `wending assess` runs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console

from wending.assess.bilingual import Bilingual, in_language
from wending.assess.conductor import BROKEN_OFF, INTERRUPTED, REASONS, Conductor
from wending.assess.environment import command_line, environment_facts
from wending.assess.foreign_process import foreign_process
from wending.assess.load import CAP, Objective
from wending.assess.output import OutputError, cannot_write, kept_in
from wending.assess.profile import PROFILES, ProfileName
from wending.assess.progress import make_progress
from wending.assess.report import write_reports
from wending.assess.results import Assessment
from wending.assess.role_keeping import OF_WENDING, parse_role_keeping
from wending.assess.runner import Sampling
from wending.assess.scenarios import load_scenarios, of_levels
from wending.assess.scenarios.own import load_checks, load_own_scenario
from wending.assess.signals import pass_over_signals, signals_as_before
from wending.assess.target import TargetError, parse_target
from wending.assess.terminal import print_result
from wending.assess.wording import Language, language_of_locale, say

USAGE = 2
"""Nothing was begun: an unknown scenario, a target that is none, a folder that cannot be used."""


def run_assessment(
    target: str | None = None,
    *,
    out: Path | None = None,
    profile: ProfileName = "quick",
    repeats: int | None = None,
    scenarios: Sequence[str] | None = None,
    seed: int = 1,
    model: str | None = None,
    api_key: str | None = None,
    concurrency: int = 4,
    language: Language | None = None,
    performance_seconds: float | None = None,
    agreement_repeats: int | None = None,
    response_format_repeats: int | None = None,
    recovery: bool | None = None,
    objective: Objective | None = None,
    concurrency_cap: int = CAP,
    context: bool | None = None,
    scenario_files: Sequence[Path] = (),
    checks_modules: Sequence[Path] = (),
    role_keeping: str | None = None,
    pid: int | None = None,
) -> int:
    """Assesses a target, writes the report and returns the exit status of the process.

    `target`: checkpoint folder, base URL, or None for the bundled model. `out`: folder of the report, None
    for a new one named after date and time. `profile` says what `repeats`, `performance_seconds`,
    `agreement_repeats`, `response_format_repeats` and `recovery` do not; 0 leaves that part out.
    `scenarios`: ids, None for all. `context`: whether recall by distance is measured, None for yes unless
    scenarios are named. `scenario_files` are the user's own, asked besides; their checks may stand in
    `checks_modules`, Python files. `role_keeping`: a JSON object of request fields with which the
    conversations that are judged at several turns are held once more; None: those of our own server, if the
    target is served by it. `pid`: process of an endpoint on this machine, which is sampled.

    Status: 0 done; 1 the endpoint failed, and the report holds what was measured, or a file could not be
    written; 2 nothing was begun; 130 Ctrl-C.
    """
    language = language or language_of_locale(os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    console, errors = Console(), Console(stderr=True)
    plan = PROFILES[profile]
    if agreement_repeats is not None:
        plan = replace(plan, agreement_repeats=agreement_repeats)
    if response_format_repeats is not None:
        plan = replace(plan, response_format_repeats=response_format_repeats)
    if recovery is not None:
        plan = replace(plan, recovery=recovery)
    if context is False or (context is None and scenarios):
        plan = replace(plan, context=None)
    try:
        for module in checks_modules:
            load_checks(module)
        own = [load_own_scenario(file) for file in scenario_files]
        # One that was named, or given as a file, is asked in any case.
        asked_for = list(dict.fromkeys([*(scenarios or ()), *(scenario.id for scenario in own)]))
        chosen = of_levels(load_scenarios(scenarios and asked_for, own), plan.levels, asked_for)
        parsed_target = parse_target(target)
        process = foreign_process(pid, parsed_target)
        fields = parse_role_keeping(role_keeping) if role_keeping is not None else {}
        over_turns = any(len(item.judged_turns) > 1 for scenario in chosen for item in scenario.items)
        if fields and not over_turns:
            raise ValueError(
                Bilingual(
                    "--role-keeping: none of the items chosen is judged at several turns; "
                    "--profile standard has such",
                    "--role-keeping：所选题目中没有在多个轮次评判的对话；可用 --profile standard",
                )
            )
        if over_turns and role_keeping is None and parsed_target.kind != "endpoint":
            fields = OF_WENDING
        folder = prepare_folder(out)
    except (ValueError, TargetError, OutputError) as error:
        message = in_language(error.args[0], language)
        errors.print(say("error", language, message=message), style="red", markup=False, soft_wrap=True)
        return USAGE
    assessment = Assessment(
        target={
            "kind": parsed_target.kind,
            "given": parsed_target.given,
            "base_url": None,
            "model": model,
            "demonstration": parsed_target.kind == "bundled",
        },
        sampling=Sampling(repeats or plan.repeats, seed, concurrency),
        scenarios=chosen,
        objective=objective or Objective(),
        concurrency_cap=concurrency_cap,
        performance_seconds=plan.performance_seconds if performance_seconds is None else performance_seconds,
        profile=plan,
        role_keeping=fields,
        environment=environment_facts(command_line()),
        started=datetime.now().astimezone(),
    )
    progress = make_progress(errors)
    conductor = Conductor(assessment, parsed_target, folder, progress, language, api_key, model, process)
    status, is_written = BROKEN_OFF, False
    with signals_as_before():
        try:
            status = asyncio.run(conductor.run())
        except KeyboardInterrupt:  # before the conductor took the signal on itself
            assessment.incomplete_reason = REASONS[signal.SIGINT]
            status = INTERRUPTED + signal.SIGINT
        except Exception as error:
            # A mistake of our own must not cost the user what was measured before it.
            assessment.incomplete_reason = f"internal error: {type(error).__name__}: {error}"
            raise
        finally:
            pass_over_signals()
            progress.close()
            assessment.finished = datetime.now().astimezone()
            is_written = _write(assessment, folder, console, errors, language)
    return status if is_written else status or BROKEN_OFF


def _write(
    assessment: Assessment, folder: Path, console: Console, errors: Console, language: Language
) -> bool:
    """The report, its closing table, and where it lies; whether all could be written."""
    if assessment.incomplete_reason is not None:
        reason = in_language(assessment.incomplete_reason, language)
        text = say("incomplete" if assessment.has_measured else "nothing_measured", language, reason=reason)
        errors.print(text, style="red", markup=False, soft_wrap=True)
    report = assessment.to_json()
    try:
        write_reports(report, folder)
    except OutputError as error:
        words = in_language(error.words, language)
        message = say("kept", language, message=words, folder=folder, kept=kept_in(folder))
        errors.print(say("error", language, message=message), style="red", markup=False, soft_wrap=True)
        return False
    print_result(console, report, language)
    console.print(say("report", language, path=folder / "report.html"), markup=False, soft_wrap=True)
    return True


def prepare_folder(out: Path | None) -> Path:
    """The folder of the report, made if need be.

    Raises OutputError when it cannot be written to or already holds an assessment.
    """
    folder = out or Path(datetime.now().strftime("assessment-%Y%m%d-%H%M%S"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any((folder / name).exists() for name in ("runs.jsonl", "report.json")):
            raise OutputError(
                Bilingual(
                    f"{folder} already holds an assessment; name another folder with --out",
                    f"{folder} 中已有一次评测；请用 --out 指定其他文件夹",
                )
            )
        (folder / "runs.jsonl").touch()
    except OSError as error:
        raise cannot_write(folder, error) from None
    return folder
