"""What the cascade probability is computed from. The live definitions, in plain floats; `grid` has them for batches.

Every feature is a function of decayed sums, so it is right at any moment and costs the same whatever the window.
"""

from __future__ import annotations

from enum import StrEnum
from math import exp, log, log1p, sqrt

import msgspec

from liquake.analytics.hawkes import Functional, Hawkes, HawkesState, usd_tail_logit
from liquake.model import Side
from liquake.model.tape import Source

COUNT_DECAYS = (0.25, 1.0, 5.0, 30.0, 150.0, 900.0)
"""Seconds; half the windows of 0.5, 2, 10, 60, 300 and 1800 s whose mean age they share."""
USD_DECAYS = (1.0, 5.0, 30.0, 150.0, 900.0)
_USD_PLACES = tuple(COUNT_DECAYS.index(decay) for decay in USD_DECAYS)
BREADTH_DECAY = 30.0
USD_UNIT = 1e-3
"""Of the threshold: below this the logarithm of a dollar rate flattens out."""


class Component(StrEnum):
    """The six parts of the score, in the order screens show them."""

    RATE = "rate"
    BURST = "burst"
    USD = "usd"
    SELF_EXCITATION = "self-excitation"
    CROSS_VENUE = "cross-venue"
    STRESS = "stress"


def _names() -> dict[str, Component]:
    names = {}
    for decay in COUNT_DECAYS:
        component = Component.BURST if decay <= 5.0 else Component.RATE if decay <= 150.0 else Component.STRESS
        names[f"count_{2 * decay:g}s"] = component
    for decay in USD_DECAYS:
        names[f"usd_{2 * decay:g}s"] = Component.USD if decay <= 150.0 else Component.STRESS
    names["hawkes_usd_tail"] = Component.SELF_EXCITATION
    names["hawkes_own_count"] = Component.SELF_EXCITATION
    names["hawkes_cross_count"] = Component.CROSS_VENUE
    names["breadth"] = Component.CROSS_VENUE
    return names


FEATURES = _names()
"""Every feature's component, in the order of the vectors."""


class Baseline(msgspec.Struct, frozen=True):
    """The stream's own measure: what is large, and how often events come."""

    threshold: float
    """US dollars within the horizon that make a cascade."""
    base_rate: float
    """Share of seconds after which the threshold was reached, over training."""
    mean_usd: float
    """Of one event, all sources: the unit of the Hawkes marks and dollars."""
    venue_rates: dict[str, float]
    """Events per second, both sides."""

    @property
    def rate(self) -> float:
        """Events per second, all venues and both sides."""
        return sum(self.venue_rates.values())


class Scale(msgspec.Struct, frozen=True):
    """Another stream in the units of the one a model was fitted on: a single market, or a busier year.

    Where events come ten times as often, each counts a tenth; where a cascade takes a tenth of the dollars, each dollar
    counts ten. Both are 1 for the stream of training.
    """

    events: float = 1.0
    usd: float = 1.0


class Excitation(msgspec.Struct, frozen=True):
    """A Hawkes process and its forecast functionals over the horizon. Dollars are in units of `Baseline.mean_usd`."""

    hawkes: Hawkes
    count: Functional
    usd: Functional
    own: Functional
    """As `count`, had venues excited only themselves."""


class FeatureState:
    """Decayed sums of one stream. `side` narrows what is counted; both sides always excite."""

    def __init__(self, baseline: Baseline, excitation: Excitation, horizon: float, side: Side | None = None) -> None:
        self.baseline, self.excitation, self.horizon, self.side = baseline, excitation, horizon, side
        hawkes = excitation.hawkes
        self._kinds = {source: place for place, source in enumerate(hawkes.sources)}
        self._venues = {venue: place for place, venue in enumerate(sorted(baseline.venue_rates))}
        self.scale = Scale()
        self._hawkes = HawkesState(len(hawkes.sources), hawkes.decays)
        self._last: float | None = None
        self._clear()

    def _clear(self) -> None:
        self._counts = [0.0] * len(COUNT_DECAYS)
        self._usd = [0.0] * len(USD_DECAYS)
        self._by_venue = [0.0] * len(self._venues)

    def update(self, ts: float, source: Source, usd: float | None) -> None:
        """One liquidation at `ts` seconds, late ones at their age. Without dollars it excites as one of mean size."""
        self._hawkes.update(ts, self._kinds[source], self._mark(usd))
        age = 0.0
        if self._last is not None and ts < self._last:
            age = self._last - ts
        else:
            self._counts, self._usd, self._by_venue = self._sums(ts)
            self._last = ts
        self._by_venue[self._venues[source.venue]] += exp(-age / BREADTH_DECAY)
        if self.side is None or source.side is self.side:
            self._count(age, usd or 0.0)

    def _mark(self, usd: float | None) -> float:
        if usd is None:
            return 1.0
        size = usd * self.scale.usd / self.scale.events / self.baseline.mean_usd
        return self.excitation.hawkes.productivity.mark(size)

    def _count(self, age: float, usd: float) -> None:
        weights = [exp(-age / decay) for decay in COUNT_DECAYS]
        self._counts = [value + weight for value, weight in zip(self._counts, weights, strict=True)]
        self._usd = [value + usd * weights[place] for value, place in zip(self._usd, _USD_PLACES, strict=True)]

    def _sums(self, now: float) -> tuple[list[float], list[float], list[float]]:
        """Decayed numbers of events, dollars, and events by venue."""
        if self._last is None:
            return list(self._counts), list(self._usd), list(self._by_venue)
        age = max(0.0, now - self._last)
        factors = [exp(-age / decay) for decay in COUNT_DECAYS]
        counts = [value * factor for value, factor in zip(self._counts, factors, strict=True)]
        usd = [value * factors[place] for value, place in zip(self._usd, _USD_PLACES, strict=True)]
        fade = exp(-age / BREADTH_DECAY)
        return counts, usd, [value * fade for value in self._by_venue]

    def value(self, now: float) -> list[float]:
        """The features at `now` seconds, or at the last event where that is later, as `FEATURES`; changes nothing."""
        baseline, scale = self.baseline, self.scale
        counts, usd, by_venue = self._sums(now)
        state = self._excited(now)
        count_mean, count_variance = self.excitation.count.at(state)
        usd_mean, usd_variance = self.excitation.usd.at(state)
        own_mean, _ = self.excitation.own.at(state)
        unit = baseline.threshold * USD_UNIT / self.horizon
        tail = usd_tail_logit(
            count_mean, count_variance, usd_mean, usd_variance, baseline.threshold / baseline.mean_usd
        )
        active = sum(
            number > busy(baseline.venue_rates[venue] / scale.events)
            for venue, number in zip(self._venues, by_venue, strict=True)
        )
        return [
            *(log1p(value * scale.events) for value in counts),
            *(log1p(value * scale.usd / decay / unit) for value, decay in zip(usd, USD_DECAYS, strict=True)),
            tail,
            log(own_mean),
            log(count_mean / own_mean),
            max(0.0, active - 1.0),
        ]

    def expected(self, now: float) -> tuple[float, float]:
        """Hawkes forecast over the horizon: events and dollars."""
        state = self._excited(now)
        events, usd = self.excitation.count.at(state)[0], self.excitation.usd.at(state)[0]
        return events / self.scale.events, usd * self.baseline.mean_usd / self.scale.usd

    def _excited(self, now: float) -> list[float]:
        return [value * self.scale.events for value in self._hawkes.value(now)]

    def reset(self) -> None:
        """Forget the past: after a gap it was not seen."""
        self._clear()
        self._hawkes.reset()
        self._last = None


def busy(rate: float) -> float:
    """Decayed count above which a venue of `rate` events per second is busy: three standard deviations, at least 2."""
    expected = rate * BREADTH_DECAY
    return max(2.0, expected + 3.0 * sqrt(expected / 2.0))
