"""The only wall clock, and the one that tests and replay turn by hand.

Nothing else in liquake asks what time it is: time comes in as an argument.
"""

from __future__ import annotations

import time
from typing import Protocol

SECOND = 1_000_000_000


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """UTC nanoseconds since 1970."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> int:
        """UTC nanoseconds since 1970."""
        return time.time_ns()


class ManualClock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: int = 0) -> None:
        self._now = now

    def now(self) -> int:
        """UTC nanoseconds since 1970, as last set."""
        return self._now

    def set(self, now: int) -> None:
        """Turn it to `now`, UTC nanoseconds; backwards too."""
        self._now = now

    def advance(self, seconds: float) -> None:
        """Turn it forward by `seconds`."""
        self._now += round(seconds * SECOND)
