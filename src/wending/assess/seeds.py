"""Seeds of single requests, derived from the one seed of an assessment."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *names: str | int) -> int:
    """The first 31 bits of SHA-256 of "seed/name/name/...": 0 .. 2^31 - 1, which every endpoint accepts.

    Each item and repeat gets another one, and the same one in every assessment with the same seed.
    """
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
