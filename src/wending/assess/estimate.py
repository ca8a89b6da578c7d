"""How long an assessment is going to take, from the speed of one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wending.assess.chat_answer import ChatAnswer
from wending.assess.profile import Profile
from wending.assess.response_format import schema_of
from wending.assess.runner import Sampling
from wending.assess.scenarios import Item, Scenario

SHARE_OF_MAX_TOKENS = 0.35
"""How much of its max_tokens an answer usually takes."""
SLOWED_BY_OTHERS = 3.0
"""How much longer a request takes beside the background load, or beside the other requests in flight."""
RECOVERY_S = 30.0
SHARE_OF_CONTEXT_S = 0.5
"""How much of the time that recall by distance may take it usually takes."""


def estimate_s(
    scenarios: Sequence[Scenario],
    sampling: Sampling,
    profile: Profile,
    performance_seconds: float,
    trial: ChatAnswer,
    role_keeping: bool = False,
) -> float:
    """Seconds, right within a factor of two or so. `trial`: one request alone. `role_keeping`: whether the
    conversations are held once more."""

    def of(items: Iterable[Item]) -> float:
        """Seconds to ask these items once, one after the other."""
        return sum(item.turns * _request_s(trial, item.max_tokens) for item in items)

    items = [item for scenario in scenarios for item in scenario.items]
    at_once = min(SLOWED_BY_OTHERS / sampling.concurrency, 1.0)
    several = of(item for item in items if len(item.judged_turns) > 1) if role_keeping else 0.0
    asked = sampling.repeats * (of(items) + several) * at_once
    constrained = of(item for item in items if schema_of(item) is not None)
    with_schema = profile.response_format_repeats * constrained * at_once
    again = profile.agreement_repeats * of(item for item in items if item.turns == 1) * (1 + SLOWED_BY_OTHERS)
    context = SHARE_OF_CONTEXT_S * profile.context.total_s if profile.context else 0.0
    recovery = RECOVERY_S if profile.recovery else 0.0
    return asked + with_schema + again + performance_seconds + context + recovery


def _request_s(trial: ChatAnswer, max_tokens: int) -> float:
    """An answer too short to have a speed is taken for the endpoint's way to answer: others end as soon."""
    if trial.tokens_per_s is None:
        return max((trial.ended or trial.sent) - trial.sent, 0.0)
    return (trial.ttft_s or 0.0) + SHARE_OF_MAX_TOKENS * max_tokens / trial.tokens_per_s
