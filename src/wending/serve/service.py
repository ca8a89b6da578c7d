"""What the endpoints share: the engine once it is there, the names it has, and whether it may be used now."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from contextlib import aclosing
from typing import Any, Literal

from fastapi import Request

from wending import __version__
from wending.engine.client import EngineClient, ModelInfo
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.sampling_params import SamplingParams
from wending.serve.conversation_settings import ConversationSettings
from wending.serve.hosted import Hosted
from wending.serve.http_metrics import RequestCounts
from wending.serve.openai_errors import APIError, unavailable
from wending.serve.operations import Operations
from wending.serve.request_metrics import RequestMetrics

Status = Literal["starting", "ok", "restarting", "stopping", "failed"]

DefaultsOf = Literal["none", "model"]
"""Whose sampling values count where a request has none: OpenAI's, or those of generation_config.json."""

STARTING_RETRY_AFTER_S = 2
_GENERATION_CONFIG_FIELDS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")


class Service(Hosted):
    """The state of one application. It begins without an engine, so that it can answer while one loads."""

    def __init__(
        self,
        aliases: Collection[str] = (),
        operations: Operations | None = None,
        generation_config: DefaultsOf = "none",
        conversation: ConversationSettings | None = None,
    ) -> None:
        super().__init__(operations)
        self.aliases = frozenset(aliases)
        self.generation_config: DefaultsOf = generation_config
        self.conversation = conversation or ConversationSettings()
        self.metrics = RequestMetrics()
        self.http_requests: RequestCounts = Counter()
        self.client: EngineClient | None = None
        self._ready = False
        self._failure: str | None = None

    async def attach(self, client: EngineClient) -> None:
        """Start the engine and let it produce its first token; from then on requests are taken.

        Raises what the engine raises when it cannot. The status is then "failed", with the reason.
        """
        self.client = client
        try:
            self._check_sampling_defaults()
            await client.start()
            await self._warm_up(client)
        except Exception as error:
            self._failure = str(error)
            raise
        self._ready = True

    def _check_sampling_defaults(self) -> None:
        """Raises InvalidRequest if a value of generation_config.json is one that no request may have."""
        try:
            SamplingParams(**self.sampling_defaults())
        except InvalidRequest as error:
            raise InvalidRequest(f"generation_config.json: {error.field}", error.message) from error

    async def _warm_up(self, client: EngineClient) -> None:
        prompt_token_ids = client.encode("Hello")
        params = SamplingParams(temperature=0.0, max_tokens=1, ignore_eos=True)
        async with aclosing(client.generate(prompt_token_ids, params, "warm-up")) as deltas:
            async for delta in deltas:
                if delta.error is not None:
                    raise EngineDead(f"the first token could not be generated: {delta.error}")

    async def close(self) -> None:
        """Stop the engine, if there is one."""
        if self.client is not None:
            await self.client.close()

    def status(self) -> tuple[Status, str]:
        """Whether requests can be answered now, and if not, why."""
        if self.draining or self.stopping.is_set():
            return "stopping", "The server is shutting down."
        stats = None if self.client is None else self.client.stats()
        failure = self._failure
        if failure is None and stats is not None:
            failure = stats.error
        if failure is not None:
            return "failed", f"The engine has stopped: {failure}"
        if not self._ready:
            return "starting", "The model is still being loaded."
        if stats is not None and stats.restarting:
            return "restarting", f"The engine's process is being restarted. The last one: {stats.last_death}."
        return "ok", ""

    def ready_client(self) -> EngineClient:
        """The engine, ready to take requests. Raises APIError 503 if it is not.

        While it is being restarted they are taken and wait.
        """
        status, reason = self.status()
        if self.client is None or status == "starting":
            raise unavailable(reason, "starting", STARTING_RETRY_AFTER_S)
        if status == "stopping":
            raise unavailable(reason, "shutting_down")
        if status == "failed":
            raise unavailable(reason, "engine_dead")
        return self.client

    def sampling_defaults(self) -> dict[str, Any]:
        """Fields of SamplingParams for requests that do not have them."""
        if self.client is None or self.generation_config == "none":
            return {}
        config = self.client.info.generation_config
        return {name: getattr(config, name) for name in _GENERATION_CONFIG_FIELDS}

    def check_model(self, name: str, info: ModelInfo) -> None:
        """Raises APIError 404 if `name` is not what is served here."""
        if name != info.name and name not in self.aliases:
            message = f"The model '{name[:200]}' does not exist. This server has '{info.name}'."
            raise APIError(404, message, param="model", code="model_not_found")


def service_of(request: Request) -> Service:
    """The service of the application that a request has come to."""
    service = request.app.state.service
    if not isinstance(service, Service):
        raise TypeError(f"app.state.service is a {type(service).__name__}")
    return service


def system_fingerprint(info: ModelInfo) -> str:
    """What, besides the request and its seed, decides the bytes of an answer."""
    parts = (
        *(__version__, info.name, info.precision, info.kv_precision),
        *(info.positions, info.instruction_set),
    )
    return "fp_" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
