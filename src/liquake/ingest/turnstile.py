"""How often a venue may be connected to."""

from __future__ import annotations

from collections import deque

MINUTE = 60.0


class Turnstile:
    """Lets at most `per_minute` connections of one venue through in any minute, whichever of its sessions asks.

    Times are seconds of a clock that does not jump.
    """

    def __init__(self, per_minute: float) -> None:
        self.per_minute = max(int(per_minute), 1)
        self._passes: deque[float] = deque(maxlen=self.per_minute)

    def admit(self, now: float) -> float:
        """Take a place; the seconds to wait before using it."""
        full = len(self._passes) == self.per_minute
        moment = max(now, self._passes[0] + MINUTE) if full else now
        self._passes.append(moment)
        return moment - now
