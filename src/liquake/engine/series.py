"""What happened second by second and minute by minute, for charts: buckets of event time, each written in place."""

from __future__ import annotations

from array import array

from liquake.engine.snapshot import Series
from liquake.model import Side

SECONDS, MINUTES = 300, 240
"""Buckets held of one second, and of one minute."""

_SECOND = 1_000_000_000
_FIELDS = 5
_LONG_EVENTS, _LONG_USD, _SHORT_EVENTS, _SHORT_USD, _SQUARES = range(_FIELDS)
# Looking a member up in its enum costs as much as adding to a number.
_LONG = Side.LONG


class Ring:
    """`width` numbers for each of the last `size` buckets of `step` nanoseconds.

    A bucket holds what came after the end of the one before, up to and with its own end. Whatever order events come
    in, one that is younger than the ring is long finds its bucket, at the same cost.
    """

    __slots__ = ("_buckets", "_empty", "_size", "_step", "_width", "numbers")

    def __init__(self, step: int, size: int, width: int) -> None:
        self._step, self._size, self._width = step, size, width
        self._buckets = array("q", bytes(8 * size))
        self._empty = array("d", bytes(8 * width))
        self.numbers = array("d", bytes(8 * size * width))
        """Of all buckets, to be written at a `place`."""

    def place(self, bucket: int) -> int:
        """Where the numbers of `bucket` begin in `numbers`; -1 when it has made room for a newer one."""
        slot = bucket % self._size
        held = self._buckets[slot]
        first = slot * self._width
        if held != bucket:
            if held > bucket:
                return -1
            self._buckets[slot] = bucket
            self.numbers[first : first + self._width] = self._empty
        return first

    def column(self, now: int, field: int) -> list[float]:
        """The numbers `field` of the buckets up to the one of `now`, the oldest first; 0 where nothing came."""
        newest = -(-now // self._step)
        size, width, buckets, numbers = self._size, self._width, self._buckets, self.numbers
        return [
            numbers[bucket % size * width + field] if buckets[bucket % size] == bucket else 0.0
            for bucket in range(newest - size + 1, newest + 1)
        ]

    def end(self, now: int) -> int:
        """When the bucket of `now` ends, UTC nanoseconds."""
        return -(-now // self._step) * self._step


class MarketSeries:
    """The liquidations of one market, or of all of them, by side, in seconds and in minutes."""

    __slots__ = ("_bucket", "_in_minutes", "_in_seconds", "_minutes", "_seconds")

    def __init__(self) -> None:
        self._seconds = Ring(_SECOND, SECONDS, _FIELDS)
        self._minutes = Ring(60 * _SECOND, MINUTES, _FIELDS)
        self._bucket = self._in_seconds = self._in_minutes = -1

    def update(self, time: int, side: Side, usd: float) -> None:
        """Add a liquidation at `time`, UTC nanoseconds, of `usd` dollars (0 where not known)."""
        second = -(-time // _SECOND)
        if second != self._bucket:
            # Where the numbers stand is looked up once per second, not once per event.
            self._bucket = second
            self._in_seconds, self._in_minutes = self._seconds.place(second), self._minutes.place(-(-second // 60))
        field = _LONG_EVENTS if side is _LONG else _SHORT_EVENTS
        if self._in_seconds >= 0:
            _add(self._seconds.numbers, self._in_seconds, field, usd)
        if self._in_minutes >= 0:
            _add(self._minutes.numbers, self._in_minutes, field, usd)

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
        place = self._ring.place(-(-time // _SECOND))
        if place >= 0:
            self._ring.numbers[place] = price

    def seconds(self, now: int) -> tuple[float | None, ...]:
        """The last five minutes, aligned with the seconds of `MarketSeries`; `None` where none came."""
        return tuple(price or None for price in self._ring.column(now, 0))


def _add(numbers: array[float], place: int, field: int, usd: float) -> None:
    numbers[place + field] += 1.0
    numbers[place + field + 1] += usd
    numbers[place + _SQUARES] += usd * usd


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
