"""Soak: hours of mixed load, with samples, canaries and trends; the report is made from the log alone."""

from wending.assess.soak.main import SoakOptions, report_soak, run_soak
from wending.assess.soak.plan import SoakPlan
from wending.assess.soak.summary import SoakSummary, summarize

__all__ = ["SoakOptions", "SoakPlan", "SoakSummary", "report_soak", "run_soak", "summarize"]
