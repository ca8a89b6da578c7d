"""How the service is run, as its operator says: who may ask, how much at once, what is logged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LogFormat = Literal["text", "json"]

DEFAULT_MAX_REQUESTS = 2048
DEFAULT_MAX_BODY_BYTES = 16 * 2**20
DEFAULT_DRAIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Operations:
    """The options of `wending serve` that are about the service and not about the model."""

    api_key_file: Path | None = None
    """Further keys come from the environment; without any, everybody may ask. See `api_keys.py`."""
    max_requests: int = DEFAULT_MAX_REQUESTS
    """Requests with a body that are answered or wait at once; one more is refused with 429."""
    max_requests_per_key: int | None = None
    """The same for the requests of one key name."""
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    deadline_s: float | None = None
    """Seconds in which an answer must be complete, for a request that does not say it itself."""
    drain_s: float = DEFAULT_DRAIN_S
    """Seconds that running answers get to complete when the server is told to stop."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the API from a browser; "*" is any."""
    log_format: LogFormat = "text"
    log_prompts: bool = False
