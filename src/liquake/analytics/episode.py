"""When a cascade begins and ends, by a definition anyone can check from the published dollars.

It begins at the first moment at which the dollars of the last minute reach a threshold known beforehand, and ends
once they have stayed under a quarter of it for two minutes. If they reach it again within ten minutes of the last
time they did, it is the same episode.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from liquake.analytics.arrivals import Arrivals
from liquake.analytics.histogram import DecayedHistogram
from liquake.model import Side

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND


class Episode(msgspec.Struct, frozen=True):
    """One cascade. Times are UTC nanoseconds; dollars are as published, at least."""

    market: str
    side: Side
    """Which positions were liquidated."""
    start: int
    threshold: float
    """Dollars in the last minute that opened it."""
    last: int
    """The latest liquidation in it."""
    end: int | None
    """When it was found to be over; `None` while it goes on."""
    events: int
    usd: float
    """All since the start, and of the minute before it."""
    by_venue: Mapping[str, float]
    """Dollars."""
    peak: float
    """The most dollars in any minute."""
    peak_probability: float | None
    """The highest probability said while it was open; `None` when none was."""

    @property
    def key(self) -> str:
        """Names it: the same cascade of the same events has the same key on every machine."""
        return f"{self.market}-{self.side}-{self.start // 1_000_000}"

    @property
    def duration(self) -> float:
        """Seconds from the start to the latest liquidation."""
        return (self.last - self.start) / _SECOND


class EpisodeThreshold:
    """How many dollars in a minute are a cascade in this market: the 0.995 quantile of its own last week.

    Frozen for each UTC day, so that a cascade cannot raise its own bar, and never under a hundred median events, so
    that a dead hour cannot lower it to nothing. Until the market has been seen for a day, `prior` dollars.
    """

    SHARE = 0.995
    FLOOR_EVENTS = 100.0
    HALF_LIFE = 7 * 86_400 / 2 * 0.693147
    """Seconds: samples are on average as old as in a plain window of seven days."""

    def __init__(self, prior: float) -> None:
        self._prior = prior
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget the market, and keep `reason` to be shown."""
        self.reason = reason
        self._sums = DecayedHistogram(self.HALF_LIFE)
        self._sizes = DecayedHistogram(self.HALF_LIFE)
        self._first: int | None = None
        self._day = 0
        self._value = self._prior

    def event(self, usd: float, ts: int) -> None:
        """Take the size of a liquidation."""
        self._sizes.update(usd, ts)

    def update(self, minute: float, ts: int) -> None:
        """Take the dollars of the minute before `ts`, UTC nanoseconds; call it once a second."""
        if self._first is None:
            self._first, self._day = ts, ts // _DAY
        if ts // _DAY > self._day:
            self._day = ts // _DAY
            if ts - self._first >= _DAY:
                self._value = max(self._sums.quantile(self.SHARE), self.FLOOR_EVENTS * self._sizes.quantile(0.5))
        self._sums.update(minute, ts)

    def value(self) -> float:
        """Dollars, the same all day."""
        return self._value

    def to_dict(self) -> dict[str, Any]:
        """A plain form for the journal."""
        return {
            "sums": self._sums.to_dict(),
            "sizes": self._sizes.to_dict(),
            "first": self._first,
            "day": self._day,
            "value": self._value,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` gave. Raises `StateError`, and changes nothing, when it is of another form."""
        sums, sizes = DecayedHistogram.from_dict(kept["sums"]), DecayedHistogram.from_dict(kept["sizes"])
        self._sums, self._sizes = sums, sizes
        self._first, self._day, self._value = kept["first"], kept["day"], kept["value"]


class EpisodeTracker:
    """Opens and closes the episodes of one market and side.

    Says what was true `watermark` seconds ago: late events are waited for, so that the order of arrival cannot change
    a start. `threshold` may be set at any time; an open episode keeps the one that opened it.
    """

    MEMORY = 60 * _SECOND
    CALM = 120 * _SECOND
    REARM = 600 * _SECOND
    CALM_SHARE = 0.25

    def __init__(self, market: str, side: Side, threshold: float, watermark: float = 1.0) -> None:
        self.market, self.side, self.threshold = market, side, threshold
        self._watermark = round(watermark * _SECOND)
        self._arrivals: Arrivals[tuple[str, float]] = Arrivals(watermark)
        self._recent: deque[tuple[int, str, float]] = deque()
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget the open episode and the last minute, and keep `reason` to be shown."""
        self.reason = reason
        self._arrivals.settle_all()
        self._recent.clear()
        self._minute = 0.0
        self._calm: int | None = None
        self._above: int | None = None
        self._episode: Episode | None = None

    def update(self, ts: int, venue: str, usd: float) -> list[Episode]:
        """Take a liquidation of `ts`, UTC nanoseconds. Gives the episodes that opened, reopened or closed."""
        changed: list[Episode] = []
        for settled, (place, dollars) in self._arrivals.push(ts, (venue, usd)):
            self._elapse(settled, changed, self.CALM + 1)
            self._add(settled, place, dollars, changed)
        return changed

    def advance(self, now: int, probability: float | None = None) -> list[Episode]:
        """Let time pass to `now`; `probability` is what is said of the market and side at the moment."""
        changed: list[Episode] = []
        until = now - self._watermark
        for settled, (place, dollars) in self._arrivals.settle(until):
            self._elapse(settled, changed, self.CALM + 1)
            self._add(settled, place, dollars, changed)
        self._elapse(until, changed, self.CALM)
        episode = self._episode
        if probability is not None and episode is not None and episode.end is None:
            highest = max(probability, episode.peak_probability or 0.0)
            self._episode = msgspec.structs.replace(episode, peak_probability=highest)
        return changed

    def value(self) -> Episode | None:
        """The episode that goes on, else the last one; `None` before the first."""
        return self._episode

    @property
    def minute(self) -> float:
        """Dollars of the last minute, as of the last `update` or `advance`."""
        return self._minute

    def _open(self) -> Episode | None:
        return self._episode if self._episode is not None and self._episode.end is None else None

    def _elapse(self, until: int, changed: list[Episode], patience: int) -> None:
        """Let events leave the minute, each at its own moment, and close what has been calm for `patience`.

        Before an event of `until` that is a nanosecond more than otherwise: the event itself may end the calm.
        """
        recent = self._recent
        while recent and recent[0][0] + self.MEMORY <= until:
            left, _, usd = recent.popleft()
            if self._minute >= self.threshold:
                self._above = left + self.MEMORY
            # Taking dollars off one by one leaves a rounding error: nothing left is exactly nothing.
            self._minute = self._minute - usd if recent else 0.0
            self._calm_from(left + self.MEMORY)
        self._calm_from(until)
        episode = self._open()
        if episode and self._calm is not None and until - self._calm >= patience:
            self._episode = msgspec.structs.replace(episode, end=self._calm + self.CALM)
            changed.append(self._episode)

    def _calm_from(self, ts: int) -> None:
        episode = self._open()
        if episode and self._calm is None and self._minute < episode.threshold * self.CALM_SHARE:
            self._calm = ts

    def _add(self, ts: int, venue: str, usd: float, changed: list[Episode]) -> None:
        self._recent.append((ts, venue, usd))
        self._minute += usd
        episode = self._open()
        if episode is not None:
            self._episode = _with(episode, [(ts, venue, usd)], self._minute)
            if self._minute >= episode.threshold * self.CALM_SHARE:
                self._calm = None
        if self._minute >= self.threshold:
            if episode is None:
                changed.append(self._start(ts))
            self._above = ts

    def _start(self, ts: int) -> Episode:
        self._calm = None
        last = self._episode
        if last is not None and self._above is not None and ts - self._above < self.REARM:
            missed = [event for event in self._recent if event[0] > last.last]
            again = msgspec.structs.replace(last, end=None)
            self._episode = _with(again, missed, self._minute)
        else:
            new = Episode(self.market, self.side, ts, self.threshold, ts, None, 0, 0.0, {}, 0.0, None)
            self._episode = _with(new, list(self._recent), self._minute)
        return self._episode


def _with(episode: Episode, events: list[tuple[int, str, float]], minute: float) -> Episode:
    by_venue = dict(episode.by_venue)
    for _, venue, usd in events:
        by_venue[venue] = by_venue.get(venue, 0.0) + usd
    return msgspec.structs.replace(
        episode,
        last=events[-1][0],
        events=episode.events + len(events),
        usd=episode.usd + sum(usd for _, _, usd in events),
        by_venue=by_venue,
        peak=max(episode.peak, minute),
    )
