"""When the terminal's bell may ring: for what cannot wait, and never as a noise."""

from __future__ import annotations

LEAST_APART = 5 * 1_000_000_000
"""Nanoseconds between two rings, however many reasons there are."""
LOUD = ("CRITICAL", "EXTREME")
"""Levels of a signal that are worth a sound."""


class Bell:
    """Off until the reader wants it."""

    def __init__(self) -> None:
        self.on = False
        self._last: int | None = None

    def rings(self, level: str, now: int) -> bool:
        """Whether to ring for a signal of `level` at `now`, UTC nanoseconds; if so, not again for five seconds."""
        if not self.on or level not in LOUD:
            return False
        if self._last is not None and 0 <= now - self._last < LEAST_APART:
            return False
        self._last = now
        return True
