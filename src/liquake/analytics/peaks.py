"""The most that any window of a session held."""

from __future__ import annotations

from copy import copy

import msgspec

from liquake.analytics.windows import Windows

PEAK_WINDOWS = (10.0, 60.0)
"""Seconds."""


class Peak(msgspec.Struct, frozen=True):
    """The most that any `window` seconds held, and the event time at which that was reached."""

    window: float
    events: int
    events_at: int | None
    usd: float
    usd_at: int | None


class Peaks:
    """The fullest of the windows that end at an event, by count and by dollars. The earliest of equals.

    Taken when events come, never when they are read: how often a screen looks cannot change a record.
    """

    __slots__ = ("_records", "reset_reason")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every record. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._records = [_Record(window) for window in PEAK_WINDOWS]

    def update(self, time: int, windows: Windows) -> None:
        """Look at the windows that end at `time`, UTC nanoseconds, an event of `windows`.

        An event that comes late raises the record of the window that ends with it; those that ended since are not
        looked at again.
        """
        events, usd = windows.events, windows.usd
        for record in self._records:
            if events - record.events_before > record.events or usd - record.usd_before > record.usd:
                record.measure(time, windows)

    def value(self) -> tuple[Peak, ...]:
        """The records, one per window of `PEAK_WINDOWS`."""
        return tuple(
            Peak(record.window, record.events, record.events_at, record.usd, record.usd_at) for record in self._records
        )

    def copy(self) -> Peaks:
        """One that goes on from here by itself."""
        other = Peaks()
        other.reset_reason, other._records = self.reset_reason, [copy(record) for record in self._records]
        return other

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return tuple((peak.events, peak.events_at, peak.usd, peak.usd_at) for peak in self.value())


class _Record:
    """One window's record.

    `events_before` and `usd_before` are what had come before the window when it was last measured. The window only
    moves on, so what has come since is never less than what it holds: as long as that is no record, neither is this,
    and the window need not be measured.
    """

    __slots__ = ("events", "events_at", "events_before", "usd", "usd_at", "usd_before", "window")

    def __init__(self, window: float) -> None:
        self.window = window
        self.events, self.usd = 0, 0.0
        self.events_at: int | None = None
        self.usd_at: int | None = None
        self.events_before, self.usd_before = 0, 0.0

    def measure(self, time: int, windows: Windows) -> None:
        events, usd = windows.value(time, round(self.window * 1_000_000_000))
        if time == windows.newest:
            self.events_before, self.usd_before = windows.events - events, windows.usd - usd
        if events > self.events:
            self.events, self.events_at = events, time
        if usd > self.usd:
            self.usd, self.usd_at = usd, time
