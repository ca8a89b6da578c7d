"""How small a drift of the first token is found: the share of soaks in which it is, by size and requests."""

from __future__ import annotations

from random import Random

from bench.simulation import soak_logs
from bench.simulation.soak_logs import SAMPLES, TTFT_S, Plant, draw_noise

REQUESTS = tuple(SAMPLES * each for each in (3, 12, 48))
"""In the whole soak. How many hours it takes does not matter, only how many requests there are."""
DRIFTS = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3)
"""At the end, as a share of the median at the begin; single requests vary by 30 % around it."""
HOURS = 12.0


def is_found(seed: str, requests: int, drift: float) -> bool:
    random = Random(f"{seed} {requests} {drift}")
    plant = Plant(HOURS, drift_s=drift * TTFT_S / HOURS)
    return "ttft_s" in soak_logs.soak(plant, draw_noise(random, HOURS), random, requests // SAMPLES).rising
