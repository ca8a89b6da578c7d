"""Does an endpoint come through what its clients do to it, and say the same afterwards?"""

from __future__ import annotations

from wending.assess.recovery.measure import RecoveryMeasurement
from wending.assess.recovery.row import RecoveryResult, Row

__all__ = ["RecoveryMeasurement", "RecoveryResult", "Row"]
