"""Whether the generator itself kept up: a level that it could not drive says nothing about the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wending.assess.bilingual import Bilingual
from wending.assess.stats import quantile

LIMIT_S = 0.01
"""The generator may always be so late: the machine's scheduler alone takes as much now and then."""
LIMIT_SHARE = 0.05
"""It may be late by this part of the limit for the first token, which hardly moves a verdict."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Seconds, 99 % quantiles, or the worst of fewer than a hundred: how late requests were sent after they
    were due, and how late the generator's event loops ran."""

    send_lag_s: float
    loop_lag_s: float

    @classmethod
    def of(cls, send_lags: Sequence[float], loop_lags: Sequence[float]) -> Drive:
        return cls(_late(send_lags), _late(loop_lags))

    def fault(self, max_ttft_s: float) -> Bilingual | None:
        """Why a level with this limit for the first token is invalid; None if it is not."""
        limit = max(LIMIT_S, LIMIT_SHARE * max_ttft_s)
        for lag, en, zh in (
            (self.send_lag_s, "requests were sent", "请求发送晚了"),
            (self.loop_lag_s, "the generator ran", "发生器运行晚了"),
        ):
            if lag > limit:
                found, most = 1000 * lag, 1000 * limit
                return Bilingual(f"{en} {found:.0f} ms late, {most:.0f} ms are allowed",
                                 f"{zh} {found:.0f} 毫秒，允许 {most:.0f} 毫秒")  # fmt: skip
        return None


def _late(lags: Sequence[float]) -> float:
    found = quantile(lags, 0.99)
    return max(lags, default=0.0) if found is None else found
