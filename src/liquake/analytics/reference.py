"""What rate is usual now: a slow average of events per second, and the shape of the day.

Feed both in order of time; nothing here needs to be read to stay right.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log1p
from typing import Any

from liquake.errors import StateError

_SECOND = 1_000_000_000
_HOUR = 3600 * _SECOND
_SCHEMA = 1
_LONGEST_SPLIT = 48
"""Hours. A longer silence is taken at the day's average: which hours it covered no longer matters."""


class HourFactors:
    """How busy each hour of the UTC day is against the day's mean: 24 factors.

    An average over the last four weeks, shrunk towards 1 as long as few days are known (half way after seven), since
    liquidations follow the waking hours of the market. A day counts only once it was seen from its start.
    """

    MEMORY_DAYS = 28
    SHRINK_DAYS = 7.0
    MOST = 4.0
    """One cascade must not become the habit of its hour: a day's factor stays between 1/4 and 4."""

    def __init__(self) -> None:
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget every day, and keep `reason` to be shown."""
        self.reason = reason
        self.days = 0
        self._day: int | None = None
        self._complete = False
        self._counts = [0.0] * 24
        self._mean = [1.0] * 24
        self._factors = [1.0] * 24

    def update(self, ts: int) -> None:
        """Count an event of `ts`, UTC nanoseconds."""
        day, hour = divmod(ts // _HOUR, 24)
        if day != self._day:
            self._turn(day)
        self._counts[hour] += 1.0

    def interrupt(self, ts: int) -> None:
        """Leave out the days that were not wholly seen, because nothing was from the last event until `ts`."""
        self._complete = False
        day = ts // _HOUR // 24
        if day != self._day:
            self._turn(day)
            self._complete = False

    def value(self, ts: int) -> float:
        """The factor of the hour of `ts`."""
        return self._factors[ts // _HOUR % 24]

    def to_dict(self) -> dict[str, Any]:
        """The days that are over, in a plain form for the journal."""
        return {"schema": _SCHEMA, "days": self.days, "mean": list(self._mean)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` gave; the present day is not wholly seen. Raises `StateError` on another form."""
        if kept.get("schema") != _SCHEMA:
            raise StateError("hours of the day", f"schema {kept.get('schema')!r}, this version reads {_SCHEMA}")
        self.reset("restart")
        self.days, self._mean = kept["days"], list(kept["mean"])
        self._trust()

    def _trust(self) -> None:
        trust = self.days / (self.days + self.SHRINK_DAYS)
        self._factors = [1.0 + (mean - 1.0) * trust for mean in self._mean]

    def _turn(self, day: int) -> None:
        usual = sum(self._counts) / 24
        if self._complete and usual > 0.0:
            self.days += 1
            share = 1.0 / min(self.days, self.MEMORY_DAYS)
            for hour, count in enumerate(self._counts):
                factor = min(max(count / usual, 1.0 / self.MOST), self.MOST)
                self._mean[hour] += share * (factor - self._mean[hour])
            self._trust()
        self._complete = self._day is not None and day == self._day + 1
        self._day = day
        self._counts = [0.0] * 24


class ReferenceRate:
    """The usual rate of a stream in events per second: an average that forgets with time constant `memory` seconds.

    Taken with the hour's habit out and put back (`HourFactors`). It starts from one imagined event in one second, so
    it errs on the busy side until it has seen enough: a stream just met cannot look like a burst.
    """

    def __init__(self, memory: float = 3600.0) -> None:
        self.memory = memory
        self.hours = HourFactors()
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget the rate (the habits of the hours stay), and keep `reason` to be shown."""
        self.reason = reason
        self._events = self._exposure = 1.0
        self._ts: int | None = None

    def update(self, ts: int) -> None:
        """Count an event of `ts`, UTC nanoseconds; not earlier than the last."""
        self.advance(ts)
        self._events += 1.0 / self.hours.value(ts)
        self.hours.update(ts)

    def take(self, ts: int) -> float:
        """`expected` at `ts`, then `update`: nearly every event lies in the hour of the one before, and one fading does."""
        last = self._ts
        if last is None or ts <= last or ts // _HOUR != last // _HOUR:
            expected = self.expected(ts)
            self.update(ts)
            return expected
        hours, memory = self.hours, self.memory
        habit = hours.value(ts)
        fading = exp(-(ts - last) / _SECOND / memory)
        missing, seen = memory - self._exposure, self._events
        expected = seen * (1.0 - fading)
        if missing >= 1e-9 * memory:
            expected = seen * memory / missing * log1p(missing * (1.0 - fading) / (memory - missing))
        self._events = seen * fading + 1.0 / habit
        self._exposure = memory - missing * fading
        self._ts = ts
        hours.update(ts)
        return habit * expected

    def advance(self, ts: int) -> None:
        """Let time pass to `ts` without an event."""
        if self._ts is not None and ts > self._ts:
            fading = exp(-(ts - self._ts) / _SECOND / self.memory)
            self._events *= fading
            self._exposure = self.memory - (self.memory - self._exposure) * fading
        self._ts = ts if self._ts is None else max(ts, self._ts)

    def interrupt(self, ts: int) -> None:
        """Skip the time to `ts` as not observed: it proves nothing about the rate."""
        self._ts = ts if self._ts is None else max(ts, self._ts)
        self.hours.interrupt(ts)

    def value(self, now: int) -> float:
        """Events per second that are usual at `now`."""
        if self._ts is None:
            return 0.0
        fading = exp(-max(now - self._ts, 0) / _SECOND / self.memory)
        exposure = self.memory - (self.memory - self._exposure) * fading
        return self.hours.value(now) * self._events * fading / exposure

    def expected(self, now: int) -> float:
        """Events to expect between the last update and `now`: the exact integral of `value`."""
        if self._ts is None or now <= self._ts:
            return 0.0
        if now // _HOUR == self._ts // _HOUR:
            return self.hours.value(now) * self._integral(self._ts, now)
        start, total, steps = self._ts, 0.0, 0
        while start < now and steps < _LONGEST_SPLIT:
            end = min((start // _HOUR + 1) * _HOUR, now)
            total += self.hours.value(start) * self._integral(start, end)
            start, steps = end, steps + 1
        return total + (self._integral(start, now) if start < now else 0.0)

    def _integral(self, start: int, end: int) -> float:
        """Of the rate without the hour's habit, from `start` to `end`, both after the last update."""
        # With u the fading since the last update, rate = events u / (memory - missing u) and dt = -memory du / u.
        assert self._ts is not None
        missing = self.memory - self._exposure
        first = exp(-(start - self._ts) / _SECOND / self.memory)
        last = exp(-(end - self._ts) / _SECOND / self.memory)
        if missing < 1e-9 * self.memory:
            return self._events * (first - last)
        return self._events * self.memory / missing * log1p(missing * (first - last) / (self.memory - missing * first))
