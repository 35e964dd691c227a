"""What happened second by second and minute by minute, for charts: buckets of event time, each written in place."""

from __future__ import annotations

from array import array

from liquake.engine.snapshot import Series
from liquake.model import Side

SECONDS, MINUTES = 300, 240
"""Buckets held of one second, and of one minute."""

_SECOND = 1_000_000_000
_FIELDS = 5
_LONG_EVENTS, _SHORT_EVENTS, _LONG_USD, _SHORT_USD, _SQUARES = range(_FIELDS)


class Ring:
    """`width` numbers for each of the last `size` buckets of `step` nanoseconds.

    A bucket holds what came after the end of the one before, up to and with its own end. Whatever order events come
    in, one that is younger than the ring is long finds its bucket, at the same cost.
    """

    __slots__ = ("_buckets", "_numbers", "_size", "_step", "_width")

    def __init__(self, step: int, size: int, width: int) -> None:
        self._step, self._size, self._width = step, size, width
        self._buckets = array("q", bytes(8 * size))
        self._numbers = array("d", bytes(8 * size * width))

    def place(self, time: int) -> int | None:
        """Where the numbers of the bucket of `time` begin in `numbers`; `None` when that has made room for a newer."""
        bucket = -(-time // self._step)
        slot = bucket % self._size
        held = self._buckets[slot]
        first = slot * self._width
        if held != bucket:
            if held > bucket:
                return None
            self._buckets[slot] = bucket
            self._numbers[first : first + self._width] = array("d", bytes(8 * self._width))
        return first

    @property
    def numbers(self) -> array[float]:
        """Of all buckets, to be written at a `place`."""
        return self._numbers

    def column(self, now: int, field: int) -> list[float]:
        """The numbers `field` of the buckets up to the one of `now`, the oldest first; 0 where nothing came."""
        newest = -(-now // self._step)
        size, width, buckets, numbers = self._size, self._width, self._buckets, self._numbers
        return [
            numbers[bucket % size * width + field] if buckets[bucket % size] == bucket else 0.0
            for bucket in range(newest - size + 1, newest + 1)
        ]

    def end(self, now: int) -> int:
        """When the bucket of `now` ends, UTC nanoseconds."""
        return -(-now // self._step) * self._step


class MarketSeries:
    """The liquidations of one market, or of all of them, by side, in seconds and in minutes."""

    __slots__ = ("_minutes", "_seconds")

    def __init__(self) -> None:
        self._seconds = Ring(_SECOND, SECONDS, _FIELDS)
        self._minutes = Ring(60 * _SECOND, MINUTES, _FIELDS)

    def update(self, time: int, side: Side, usd: float) -> None:
        """Add a liquidation at `time`, UTC nanoseconds, of `usd` dollars (0 where not known)."""
        events, dollars = (_LONG_EVENTS, _LONG_USD) if side is Side.LONG else (_SHORT_EVENTS, _SHORT_USD)
        for ring in (self._seconds, self._minutes):
            place = ring.place(time)
            if place is not None:
                numbers = ring.numbers
                numbers[place + events] += 1.0
                numbers[place + dollars] += usd
                numbers[place + _SQUARES] += usd * usd

    def seconds(self, now: int) -> Series:
        """The last five minutes; `now` is UTC nanoseconds."""
        return _series(self._seconds, 1.0, now)

    def minutes(self, now: int) -> Series:
        """The last four hours."""
        return _series(self._minutes, 60.0, now)


class PriceSeries:
    """The price of one market, second by second: the last of each."""

    __slots__ = ("_ring",)

    def __init__(self) -> None:
        self._ring = Ring(_SECOND, SECONDS, 1)

    def update(self, time: int, price: float) -> None:
        """The price at `time`, UTC nanoseconds."""
        place = self._ring.place(time)
        if place is not None:
            self._ring.numbers[place] = price

    def seconds(self, now: int) -> tuple[float | None, ...]:
        """The last five minutes, aligned with the seconds of `MarketSeries`; `None` where none came."""
        return tuple(price or None for price in self._ring.column(now, 0))


def _series(ring: Ring, step: float, now: int) -> Series:
    return Series(
        step=step,
        end=ring.end(now),
        long_events=tuple(map(int, ring.column(now, _LONG_EVENTS))),
        short_events=tuple(map(int, ring.column(now, _SHORT_EVENTS))),
        long_usd=tuple(ring.column(now, _LONG_USD)),
        short_usd=tuple(ring.column(now, _SHORT_USD)),
        usd_squares=tuple(ring.column(now, _SQUARES)),
    )
