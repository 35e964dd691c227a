"""When the terminal's bell may ring: for what cannot wait, and never as a noise."""

from __future__ import annotations

from liquake.model.alert import Level

LEAST_APART = 5 * 1_000_000_000
"""Nanoseconds between two rings, however many reasons there are."""
LOUD = Level.CRITICAL
"""The level from which an alert is worth a sound."""


class Bell:
    """Remembers when it last rang."""

    def __init__(self) -> None:
        self._last: int | None = None

    def rings(self, level: Level, now: int) -> bool:
        """Whether to ring for an alert of `level` at `now`, UTC nanoseconds; if so, not again for five seconds."""
        if level < LOUD or (self._last is not None and 0 <= now - self._last < LEAST_APART):
            return False
        self._last = now
        return True
