"""Events, coins and dollars of one venue, side and market, over minutes, hours and for ever."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping

import msgspec

TOTAL_WINDOWS: Mapping[str, float | None] = {
    "5m": 300.0,
    "15m": 900.0,
    "1h": 3600.0,
    "4h": 14400.0,
    "24h": 86400.0,
    "all": None,
}
"""Seconds by name; `None` since the start. The trailing edge moves in steps of 1 s (5m, 15m) or 60 s (the others)."""

_SECOND = 1_000_000_000
_FINE, _COARSE = _SECOND, 60 * _SECOND
_FINE_SPAN, _COARSE_SPAN = 900 * _SECOND, 86_400 * _SECOND
_LEAST_TRIMMED = 64
_NEVER, _ENDLESS = -(1 << 62), 1 << 62


class Sum(msgspec.Struct, frozen=True, gc=False):
    """Events added up. `unsized` of the `events` had no known amount and are missing from `amount` and `usd`."""

    events: int = 0
    amount: float = 0.0
    usd: float = 0.0
    unsized: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.events + other.events,
            self.amount + other.amount,
            self.usd + other.usd,
            self.unsized + other.unsized,
        )


_NOTHING = Sum()
_Running = tuple[int, float, float, int]
"""Events, amount, dollars and events without a size, of everything up to a moment."""
_ZERO: _Running = (0, 0.0, 0.0, 0)


class Totals:
    """Sums of one stream of events over the windows of `TOTAL_WINDOWS`.

    Keeps the running sums, and what they were when each second of the last 15 minutes and each minute of the last 24
    hours began that had an event: a window is the difference. An update adds to the running sums; it writes to the
    history only when it opens a second or a minute, or comes late.
    """

    __slots__ = (
        "_amount",
        "_begun",
        "_coarse",
        "_events",
        "_fine",
        "_read",
        "_since",
        "_unsized",
        "_usd",
        "reset_reason",
    )

    def __init__(self) -> None:
        self.reset("")

    def reset(self, reason: str) -> None:
        """Forget every event. `reset_reason` tells a reader why."""
        self.reset_reason = reason
        self._events, self._amount, self._usd, self._unsized = 0, 0.0, 0.0, 0
        self._fine = _History(_FINE, _FINE_SPAN)
        self._coarse = _History(_COARSE, _COARSE_SPAN)
        self._since = (0, 0), _NOTHING
        """What was found last after a moment, and the events there had been by then."""
        self._read: tuple[int, int, int, dict[str, Sum]] = (0, 0, 0, {})
        """What was read last: since when, until when and for how many events it holds."""
        self._begun: list[_Running] | None = None
        """The running sums where each window of it begins; `None` where one of them is empty."""

    def update(self, time: int, amount: float | None, usd: float | None) -> None:
        """Add one event at `time`, UTC nanoseconds, of `amount` coins and `usd` dollars; `None` where not known."""
        # A bucket holds what came after its beginning up to and with its end: an event of age exactly W is out.
        second = -(-time // _FINE)
        if second != self._fine.newest:
            self._turn(second, -(-time // _COARSE), amount, usd)
        self._events += 1
        if amount is None or usd is None:
            self._unsized += 1
        else:
            self._amount += amount
            self._usd += usd

    def _turn(self, second: int, minute: int, amount: float | None, usd: float | None) -> None:
        """Begin a second, and a minute, or change those that are over for a late event."""
        fine, coarse = self._fine, self._coarse
        if second < fine.newest:
            self._begun = None
            event = Sum(1, 0.0, 0.0, 1) if amount is None or usd is None else Sum(1, amount, usd)
            fine.insert(second, event)
            if minute < coarse.newest:
                coarse.insert(minute, event)
            return
        fine.open(second, self._events, self._amount, self._usd, self._unsized)
        if minute != coarse.newest:
            coarse.open(minute, self._events, self._amount, self._usd, self._unsized)

    def value(self, now: int) -> dict[str, Sum]:
        """Sums by window name, not to be changed. `now`, UTC nanoseconds, is not before the newest event."""
        since, until, events, sums = self._read
        # Most of thousands are at rest, and their windows hold what they held.
        if not since <= now < until:
            return self._reread(now)
        if events != self._events:
            if self._begun is None:
                return self._reread(now)
            # What came is in every window, and each begins where it did.
            sums = {name: self._less(before) for name, before in zip(TOTAL_WINDOWS, self._begun, strict=True)}
            self._read = since, until, self._events, sums
        return sums

    def _reread(self, now: int) -> dict[str, Sum]:
        until, begun = _ENDLESS, list[_Running | None]()
        for seconds in TOTAL_WINDOWS.values():
            before, edge = (_ZERO, _ENDLESS) if seconds is None else self._before(now, int(seconds) * _SECOND)
            begun.append(before)
            until = min(until, edge)
        sums = {name: self._since_then(before) for name, before in zip(TOTAL_WINDOWS, begun, strict=True)}
        self._read = now, until, self._events, sums
        self._begun = known if len(known := [before for before in begun if before is not None]) == len(begun) else None
        return sums

    def window(self, now: int, seconds: float) -> Sum:
        """What came in the last `seconds` before `now`, a length of `TOTAL_WINDOWS`."""
        return self._since_then(self._before(now, int(seconds) * _SECOND)[0])

    def _before(self, now: int, width: int) -> tuple[_Running | None, int]:
        """The running sums where a window of `width` nanoseconds begins, and when its edge will pass the first event in it."""
        before, edge = (self._fine if width <= _FINE_SPAN else self._coarse).before(now - width)
        return before, _ENDLESS if before is None else edge + width

    def since(self, moment: int) -> Sum:
        """What happened after `moment`, UTC nanoseconds: to the second or minute, and all that came where the day that is
        kept does not reach so far back."""
        key = moment, self._events
        # As for `value`: what was asked for last is asked for again and again, and mostly nothing has come.
        if self._since[0] != key:
            self._since = key, self._after(moment)
        return self._since[1]

    def _after(self, moment: int) -> Sum:
        for history, step, span in ((self._fine, _FINE, _FINE_SPAN), (self._coarse, _COARSE, _COARSE_SPAN)):
            if moment >= history.newest * step - span:
                return self._since_then(history.before(moment)[0])
        return self.total()

    def _since_then(self, before: _Running | None) -> Sum:
        return _NOTHING if before is None else self._less(before)

    def _less(self, before: _Running) -> Sum:
        events, amount, usd, unsized = before
        return Sum(self._events - events, self._amount - amount, self._usd - usd, self._unsized - unsized)

    def total(self) -> Sum:
        """What came since the start."""
        return Sum(self._events, self._amount, self._usd, self._unsized)

    @property
    def events(self) -> int:
        """How many came since the start."""
        return self._events

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self._events, self._amount, self._usd, self._unsized, self._fine.state(), self._coarse.state()


class _History:
    """What the running sums were when each bucket of `step` nanoseconds began that had an event, over `span`."""

    __slots__ = ("_before", "_buckets", "_span", "_step", "_trim_at", "newest")

    def __init__(self, step: int, span: int) -> None:
        self._step, self._span = step, span // step
        self.newest = _NEVER
        self._trim_at = _LEAST_TRIMMED
        self._buckets = array("q")
        # Per bucket four numbers side by side: events, amount, usd, unsized. One array, so that a quiet market's next
        # event finds everything in one place of memory.
        self._before = array("d")

    def open(self, bucket: int, events: int, amount: float, usd: float, unsized: int) -> None:
        """Begin `bucket`, with the running sums as they are before it."""
        self.newest = bucket
        self._buckets.append(bucket)
        self._before.extend((events, amount, usd, unsized))
        if len(self._buckets) >= self._trim_at:
            self._trim(bucket - self._span)

    def insert(self, bucket: int, event: Sum) -> None:
        """Put a late `event` into `bucket`: the running sums before every later one grow by it."""
        place = bisect_left(self._buckets, bucket)
        if self._buckets[place] == bucket:
            place += 1
        elif bucket >= self.newest - self._span:
            self._buckets.insert(place, bucket)
            self._before[4 * place : 4 * place] = self._before[4 * place : 4 * place + 4]
            place += 1
        # Else it is older than everything held, and before all of it.
        for column, more in enumerate((event.events, event.amount, event.usd, event.unsized)):
            if more:
                later = slice(4 * place + column, None, 4)
                self._before[later] = array("d", [before + more for before in self._before[later]])

    def _trim(self, oldest: int) -> None:
        expired = bisect_left(self._buckets, oldest)
        del self._buckets[:expired], self._before[: 4 * expired]
        # A quarter more than what is left, so that trimming stays a constant share of the work whatever the rate.
        self._trim_at = len(self._buckets) * 5 // 4 + _LEAST_TRIMMED

    def before(self, moment: int) -> tuple[tuple[int, float, float, int] | None, int]:
        """The running sums when the first bucket began that ends after `moment`, and that end; `None` if none does."""
        place = bisect_left(self._buckets, moment // self._step + 1)
        if place == len(self._buckets):
            return None, _ENDLESS
        events, amount, usd, unsized = self._before[4 * place : 4 * place + 4]
        return (int(events), amount, usd, int(unsized)), self._buckets[place] * self._step

    def state(self) -> tuple[object, ...]:
        """Every number it holds, for a hash."""
        return self._buckets.tolist(), self._before.tolist()
