"""What the cascade probability is computed from. The live definitions, in plain floats; `grid` has them for batches.

Every feature is a function of decayed sums, so it is right at any moment and costs the same whatever the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import exp, expm1, inf, log, log1p, sqrt

import msgspec

from liquake.analytics.hawkes import Functional, Hawkes, HawkesState, usd_tail_logit
from liquake.model import Side
from liquake.model.tape import Source

COUNT_DECAYS = (0.25, 1.0, 5.0, 30.0, 150.0, 900.0)
"""Seconds; half the windows of 0.5, 2, 10, 60, 300 and 1800 s whose mean age they share."""
USD_DECAYS = (1.0, 5.0, 30.0, 150.0, 900.0)
_USD_PLACES = tuple(COUNT_DECAYS.index(decay) for decay in USD_DECAYS)
BREADTH_DECAY = 30.0
_BREADTH_PLACE = COUNT_DECAYS.index(BREADTH_DECAY)
USD_UNIT = 1e-3
"""Of the threshold: below this the logarithm of a dollar rate flattens out."""
RISES = ((5.0, 150.0), (5.0, 900.0))
"""Decays, seconds, of a fast and a slow event rate: a market that is always busy is not one where something forms.

The rates alone cannot tell the two apart, since none may count against a cascade (see `logistic.fit`). Chosen on
simulated fits; three forward-chained folds of the training part of the January 2023 recording neither gain nor lose."""
RISE_FLOOR = 1.0 / 900.0
"""Events per second under which rates count as nothing."""
RISE_NOISE = 2.0
"""Events of a small market within the fast memory that are no rise yet."""
_RISE_PLACES = tuple((COUNT_DECAYS.index(fast), COUNT_DECAYS.index(slow)) for fast, slow in RISES)


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
    for fast, slow in RISES:
        names[f"rise_{2 * fast:g}s_{2 * slow:g}s"] = Component.BURST
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


class Sums:
    """Decayed sums of one stream, which every forecast of it reads: whatever its side and horizon."""

    def __init__(self, sources: Sequence[Source], decays: Sequence[float]) -> None:
        self._kinds = {source: place for place, source in enumerate(sources)}
        self._venues = {venue: place for place, venue in enumerate(sorted({source.venue for source in sources}))}
        self._hawkes = HawkesState(len(self._kinds), decays)
        self.reset()

    def reset(self) -> None:
        """Forget the past: after a gap it was not seen."""
        self._hawkes.reset()
        self._last: float | None = None
        self._counts = {side: [0.0] * len(COUNT_DECAYS) for side in Side}
        self._usd = {side: [0.0] * len(USD_DECAYS) for side in Side}
        self._by_venue = [0.0] * len(self._venues)

    def pass_to(self, now: float) -> None:
        """Let time pass to `now` seconds: the events before it are then cheap to take."""
        if self._last is None or now > self._last:
            self._decay(now)
            self._hawkes.pass_to(now)

    def update(self, ts: float, source: Source, usd: float, mark: float) -> None:
        """One liquidation at `ts` seconds, late ones at their age."""
        self._hawkes.update(ts, self._kinds[source], mark)
        venue, counts, dollars = self._venues[source.venue], self._counts[source.side], self._usd[source.side]
        if self._last is None or ts >= self._last:
            self._decay(ts)
            self._by_venue[venue] += 1.0
            self._counts[source.side] = [value + 1.0 for value in self._counts[source.side]]
            self._usd[source.side] = [value + usd for value in self._usd[source.side]]
            return
        age = ts - self._last
        weights = [exp(age / decay) for decay in COUNT_DECAYS]
        self._by_venue[venue] += weights[_BREADTH_PLACE]
        for place, weight in enumerate(weights):
            counts[place] += weight
        if usd:
            for place, shared in enumerate(_USD_PLACES):
                dollars[place] += usd * weights[shared]

    def _decay(self, now: float) -> None:
        if self._last is not None:
            factors = _fading(now - self._last)
            for side in Side:
                self._counts[side], self._usd[side] = _faded(self._counts[side], self._usd[side], factors)
            self._by_venue = [value * factors[_BREADTH_PLACE] for value in self._by_venue]
        self._last = now

    def value(self, now: float, side: Side | None) -> tuple[list[float], list[float], list[float]]:
        """Decayed numbers of events, dollars, and events by venue, of `side` alone or both. Changes nothing."""
        counts, usd = self._of(side)
        factors = _fading(0.0 if self._last is None else max(0.0, now - self._last))
        by_venue = [value * factors[_BREADTH_PLACE] for value in self._by_venue]
        return *_faded(counts, usd, factors), by_venue

    def excited(self, now: float) -> list[float]:
        """R of the Hawkes process at `now` seconds."""
        return self._hawkes.value(now)

    def _of(self, side: Side | None) -> tuple[list[float], list[float]]:
        if side is not None:
            return self._counts[side], self._usd[side]
        counts = [long + short for long, short in zip(*self._counts.values(), strict=True)]
        return counts, [long + short for long, short in zip(*self._usd.values(), strict=True)]


def _fading(age: float) -> list[float]:
    return [exp(-age / decay) for decay in COUNT_DECAYS]


def _faded(counts: list[float], usd: list[float], factors: list[float]) -> tuple[list[float], list[float]]:
    return (
        [value * factor for value, factor in zip(counts, factors, strict=True)],
        [value * factors[place] for value, place in zip(usd, _USD_PLACES, strict=True)],
    )


class FeatureState:
    """The features of one forecast. `side` narrows what is counted; both sides always excite.

    `sums` are the stream's, kept by whoever shares them; without them it keeps its own.
    """

    def __init__(
        self,
        baseline: Baseline,
        excitation: Excitation,
        horizon: float,
        side: Side | None = None,
        sums: Sums | None = None,
    ) -> None:
        self.baseline, self.excitation, self.horizon, self.side = baseline, excitation, horizon, side
        self._venues = tuple(sorted(baseline.venue_rates))
        self.sums = sums or Sums(excitation.hawkes.sources, excitation.hawkes.decays)
        self.scale = Scale()
        self.started = -inf
        """Seconds at which the stream began to be seen: of what a slow rate would remember of before, nothing is known."""

    def update(self, ts: float, source: Source, usd: float | None) -> None:
        """One liquidation at `ts` seconds, late ones at their age. Without dollars it excites as one of mean size."""
        self.sums.update(ts, source, usd or 0.0, self.mark(usd))

    def mark(self, usd: float | None) -> float:
        """How strongly an order of `usd` dollars excites."""
        if usd is None:
            return 1.0
        size = usd * self.scale.usd / self.scale.events / self.baseline.mean_usd
        return self.excitation.hawkes.productivity.mark(size)

    def value(self, now: float) -> list[float]:
        """The features at `now` seconds, or at the last event where that is later, as `FEATURES`; changes nothing."""
        baseline, scale = self.baseline, self.scale
        counts, usd, by_venue = self.sums.value(now, self.side)
        counts = [value * scale.events for value in counts]
        state = self._excited(now)
        count_mean, count_variance = self.excitation.count.at(state)
        usd_mean, usd_variance = self.excitation.usd.at(state)
        own_mean = self.excitation.own.mean_at(state)
        unit = baseline.threshold * USD_UNIT / self.horizon
        tail = usd_tail_logit(
            count_mean, count_variance, usd_mean, usd_variance, baseline.threshold / baseline.mean_usd
        )
        active = sum(
            number > busy(baseline.venue_rates[venue] / scale.events)
            for venue, number in zip(self._venues, by_venue, strict=True)
        )
        return [
            *(log1p(value) for value in counts),
            *(log1p(value * scale.usd / decay / unit) for value, decay in zip(usd, USD_DECAYS, strict=True)),
            *(
                rise(counts[fast], counts[slow], fast, slow, now - self.started, scale.events)
                for fast, slow in _RISE_PLACES
            ),
            tail,
            log(own_mean),
            log(count_mean / own_mean),
            max(0.0, active - 1.0),
        ]

    def expected(self, now: float) -> tuple[float, float]:
        """Hawkes forecast over the horizon: events and dollars."""
        state = self._excited(now)
        events, usd = self.excitation.count.mean_at(state), self.excitation.usd.mean_at(state)
        return events / self.scale.events, usd * self.baseline.mean_usd / self.scale.usd

    def _excited(self, now: float) -> list[float]:
        return [value * self.scale.events for value in self.sums.excited(now)]

    def reset(self) -> None:
        """Forget the past: after a gap it was not seen."""
        self.sums.reset()
        self.started = -inf


def rise(fast_count: float, slow_count: float, fast: int, slow: int, seen: float, unit: float) -> float:
    """How far the rate of one decayed count is above that of a slower one: the logarithm of their ratio, at least 0.

    `fast` and `slow` are places in `COUNT_DECAYS`; `seen` seconds of the stream are in the counts. In silence the fast
    one falls first: that never raises it. Where an event of a small market counts for `unit` of the model's, a few are
    still few: what they count for beyond themselves is taken for noise in both rates.
    """
    floor = RISE_FLOOR + RISE_NOISE * max(0.0, unit - 1.0) / COUNT_DECAYS[fast]
    quick = fast_count / exposure(COUNT_DECAYS[fast], seen) + floor
    usual = slow_count / exposure(COUNT_DECAYS[slow], seen) + floor
    return log(quick / usual) if quick > usual else 0.0


def exposure(decay: float, seen: float) -> float:
    """Seconds that a decayed count stands for, when only the last `seen` can be in it."""
    return decay * -expm1(-max(seen, 1.0) / decay)


def busy(rate: float) -> float:
    """Decayed count above which a venue of `rate` events per second is busy: three standard deviations, at least 2."""
    expected = rate * BREADTH_DECAY
    return max(2.0, expected + 3.0 * sqrt(expected / 2.0))
