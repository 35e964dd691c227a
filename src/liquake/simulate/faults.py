"""What goes wrong with a simulated venue, and when."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from math import sin, tau
from typing import Literal

import msgspec

from liquake.clock import SECOND, Clock
from liquake.simulate.presets import Health, Outage

FaultName = Literal["drop", "close", "garbage"]


class Farewell(StrEnum):
    """How an address behaves that a venue has given up, until it points to the new one."""

    REFUSING = "REFUSING"
    """Those connected are cut, and nobody is let in."""
    SILENT = "SILENT"
    """Sockets open, stay open, acknowledge and answer pings, and no data comes."""


class Move(msgspec.Struct, frozen=True):
    """A venue moves to a new address."""

    at: float
    """Seconds after the start."""
    seconds: float
    """After which the old address redirects to the new one, and cuts who is still there."""
    farewell: Farewell


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
    moves: tuple[Move, ...] = ()
    skew: float = 0.0
    """Seconds by which the venue's clock is wrong at most: ahead and behind in turn, within two hours."""
    shuffle: float = 0.0
    """Seconds that an order waits at most before the venue tells of it, each its own: later ones overtake it."""
    replay: int = 0
    """How many of its last frames of liquidations the venue sends again to each that connects, a little after it did."""


_SKEW_PERIOD = 7_200.0


class VenueClock:
    """A clock that is wrong by up to `skew` seconds, slowly going from one side to the other."""

    def __init__(self, clock: Clock, skew: float, phase: float) -> None:
        self._clock, self._skew, self._phase = clock, skew, phase

    def now(self) -> int:
        """UTC nanoseconds, as the venue believes."""
        return self.at(self._clock.now())

    def at(self, moment: int) -> int:
        """What it shows at `moment`, UTC nanoseconds."""
        if not self._skew:
            return moment
        return moment + round(self._skew * SECOND * sin(tau * (moment / SECOND / _SKEW_PERIOD + self._phase)))


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
        self._moves = sorted(faults.moves, key=lambda move: move.at)
        self._moving: Move | None = None
        self._outages = [outage for outage in faults.outages if outage.venue == venue]

    def due(self, elapsed: float) -> Iterator[FaultName]:
        """The faults whose time has come."""
        for name, every in self._every.items():
            if elapsed >= self._next[name]:
                self._next[name] = max(self._next[name] + every, elapsed)
                yield name

    def moves(self, elapsed: float) -> Iterator[Farewell | None]:
        """What becomes of the old address now: how it behaves from a move on, `None` when it begins to redirect."""
        if self._moving is not None and elapsed >= self._moving.at + self._moving.seconds:
            self._moving = None
            yield None
        if self._moves and self._moving is None and elapsed >= self._moves[0].at:
            self._moving = self._moves.pop(0)
            yield self._moving.farewell

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
