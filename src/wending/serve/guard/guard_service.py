"""What the guard's endpoints share: the upstream, the judge, and how far to go for a valid answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request

from wending.serve.guard.judge import Judge
from wending.serve.guard.upstream import Upstream
from wending.serve.hosted import Hosted
from wending.serve.openai_errors import APIError
from wending.serve.operations import Operations


@dataclass(frozen=True, slots=True)
class GuardSettings:
    model: str | None = None
    """The only model that requests may name; None: whatever the upstream has."""
    tries: int = 3
    """How often at most a choice is asked for until its JSON or its calls of tools are valid."""
    deadline_s: float = 60.0
    """Within which a guarded answer is there or given up, and after which no failed call is repeated."""


class GuardService(Hosted):
    """The state of one guard application."""

    def __init__(
        self, upstream: Upstream, settings: GuardSettings, operations: Operations | None = None
    ) -> None:
        super().__init__(operations)
        self.upstream = upstream
        self.settings = settings
        self.judge = Judge()

    async def close(self) -> None:
        await self.upstream.close()
        await self.judge.close()

    def check_model(self, name: Any) -> None:
        """Raises APIError 404 if `name` is not what this server is set to."""
        model = self.settings.model
        if model is not None and name != model:
            message = f"The model '{str(name)[:200]}' does not exist. This server has '{model}'."
            raise APIError(404, message, param="model", code="model_not_found")


def guard_service_of(request: Request) -> GuardService:
    """The service of the application that a request has come to."""
    service = request.app.state.service
    if not isinstance(service, GuardService):
        raise TypeError(f"app.state.service is a {type(service).__name__}")
    return service
