"""The most that any window of a session held."""

from __future__ import annotations

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

    __slots__ = ("_peaks", "reset_reason")

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every record. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._peaks = tuple(Peak(window, 0, None, 0.0, None) for window in PEAK_WINDOWS)

    def update(self, time: int, windows: Windows) -> None:
        """Look at the windows that end at `time`, UTC nanoseconds, an event of `windows`."""
        for peak in self._peaks:
            events, usd = windows.value(time, round(peak.window * 1_000_000_000))
            if events > peak.events or usd > peak.usd:
                self._raise(time, windows)
                return

    def _raise(self, time: int, windows: Windows) -> None:
        raised = []
        for peak in self._peaks:
            events, usd = windows.value(time, round(peak.window * 1_000_000_000))
            most, at = (events, time) if events > peak.events else (peak.events, peak.events_at)
            richest, rich_at = (usd, time) if usd > peak.usd else (peak.usd, peak.usd_at)
            raised.append(Peak(peak.window, most, at, richest, rich_at))
        self._peaks = tuple(raised)

    def value(self) -> tuple[Peak, ...]:
        """The records, one per window of `PEAK_WINDOWS`."""
        return self._peaks

    def copy(self) -> Peaks:
        """One that goes on from here by itself."""
        other = Peaks()
        other.reset_reason, other._peaks = self.reset_reason, self._peaks
        return other

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return tuple((peak.events, peak.events_at, peak.usd, peak.usd_at) for peak in self._peaks)
