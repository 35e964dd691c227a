"""What goes wrong with a simulated venue, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from liquake.simulate.presets import Health, Outage

FaultName = Literal["drop", "close", "garbage"]


class Faults(msgspec.Struct, frozen=True):
    """Faults by schedule. All in seconds; `None` means never."""

    drop_every: float | None = None
    """Cut every connection, without a closing handshake."""
    close_every: float | None = None
    """Announce a close in the venue's way and carry it out a second later."""
    garbage_every: float | None = None
    """Send every connection one frame that no decoder can read."""
    duplicate: bool = False
    """Send every frame of liquidations twice."""
    outages: tuple[Outage, ...] = ()


class Timetable:
    """When the faults of one venue are due. Times in seconds after the start."""

    def __init__(self, faults: Faults, venue: str) -> None:
        schedule: dict[FaultName, float | None] = {
            "drop": faults.drop_every,
            "close": faults.close_every,
            "garbage": faults.garbage_every,
        }
        self._every = {name: every for name, every in schedule.items() if every is not None}
        self._next = dict(self._every)
        self._outages = [outage for outage in faults.outages if outage.venue == venue]

    def due(self, elapsed: float) -> Iterator[FaultName]:
        """The faults whose time has come."""
        for name, every in self._every.items():
            if elapsed >= self._next[name]:
                self._next[name] = max(self._next[name] + every, elapsed)
                yield name

    def health(self, elapsed: float) -> Health | None:
        """What an outage makes of the venue at `elapsed`; `None` when the schedule has no outage at all."""
        if not self._outages:
            return None
        for outage in self._outages:
            if outage.at <= elapsed < outage.at + outage.seconds:
                return outage.health
        return Health.HEALTHY


GARBAGE: tuple[str | bytes, ...] = (
    "",
    "{",
    "null",
    "[]",
    "42",
    '"\\ud800"',
    b"\xff\xfe\x00\x80 not text",
    '{"data":NaN}',
    "[" * 200,
)
"""Frames that are wrong on any venue."""
