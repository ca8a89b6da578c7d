"""The "wending" object of an answer: what was effectively used, for who asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from fastapi import Request

from wending.engine.client import EngineClient
from wending.engine.sampling_params import SamplingParams
from wending.serve.conversation_report import ConversationReport
from wending.serve.sampling_fields import SamplingFields
from wending.serve.tally import Tally

REPORT_HEADER = "x-wending-report"

# Said for each prompt (seed, max_tokens), or visible in the answer itself.
_NOT_SAMPLING = ("seed", "max_tokens", "n", "logprobs", "hidden_state", "constraint")


class Report:
    """Made when the request begins; it tells how often the engine was restarted since then."""

    def __init__(
        self,
        params: SamplingParams,
        client: EngineClient,
        generation_config: str,
        conversation: ConversationReport | None = None,
    ) -> None:
        """`generation_config`: whose sampling defaults are used, "none" or "model"."""
        self._params = params
        self._client = client
        self._generation_config = generation_config
        self._conversation = conversation
        self._restarts_before = client.stats().restarts_total

    def of_prompt(self, tally: Tally) -> dict[str, Any]:
        """The report on an answer to one prompt."""
        report = self._common() | self._prompt(tally)
        return report if self._conversation is None else report | {"conversation": self._conversation.json()}

    def of_prompts(self, tallies: Sequence[Tally]) -> dict[str, Any]:
        """The report on an answer to several prompts."""
        return self._common() | {"prompts": [self._prompt(tally) for tally in tallies]}

    def _common(self) -> dict[str, Any]:
        values = {each.name: getattr(self._params, each.name) for each in fields(self._params)}
        sampling = {name: value for name, value in values.items() if name not in _NOT_SAMPLING}
        sampling["logit_bias"] = {str(token_id): bias for token_id, bias in self._params.logit_bias.items()}
        constraint = self._params.constraint
        return {
            "sampling": sampling,
            "constrained_by": None if constraint is None else constraint.field,
            "generation_config": self._generation_config,
            "engine_restarts": self._client.stats().restarts_total - self._restarts_before,
        }

    def _prompt(self, tally: Tally) -> dict[str, Any]:
        room = self._client.info.max_context - tally.prompt_tokens
        asked = self._params.max_tokens
        return {
            "seed": tally.seed,
            "cached_tokens": tally.cached_tokens or 0,
            "max_tokens": room if asked is None else min(asked, room),
            "max_tokens_clamped": asked is not None and asked > room,
        }


def wants_report(request: Request, asked: SamplingFields) -> bool:
    """Whether a client asks for it, by the header `X-Wending-Report: 1` or the field "wending_report"."""
    return bool(asked.wending_report) or request.headers.get(REPORT_HEADER) == "1"
