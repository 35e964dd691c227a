"""A tape on a grid of whole seconds: labels and features in columns. Batch code: needs numpy.

The features are those of `features`, computed for all seconds at once; a test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from liquake.analytics.cascade import NANOSECOND, WARM_UP
from liquake.analytics.features import (
    BREADTH_DECAY,
    COUNT_DECAYS,
    RISE_FLOOR,
    RISES,
    USD_DECAYS,
    USD_UNIT,
    Baseline,
    Excitation,
    busy,
)
from liquake.analytics.hawkes import Functional
from liquake.analytics.hawkes_moments import Array, Flags
from liquake.errors import TapeTooShort
from liquake.model import Side
from liquake.model.tape import Tape

GAP = 3.0 * 3600.0
"""Seconds without a row after which the recorder, not the market, was silent."""
QUIET = 600.0
"""Seconds without a cascade before a second counts as onset."""
_CHUNK = 200_000


class Events(msgspec.Struct, frozen=True):
    """A tape's rows, and the stretches (start, end) over which they were recorded. Times are UTC seconds."""

    tape: Tape
    times: Array
    kinds: npt.NDArray[np.int64]
    usd: Array
    segments: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, tape: Tape) -> Events:
        """The rows of `tape`, cut where nothing was recorded for more than `GAP`."""
        times = (np.frombuffer(tape.ts, dtype=np.int64) * NANOSECOND).astype(np.float64)
        kinds = np.frombuffer(tape.source, dtype=np.uint8).astype(np.int64)
        cuts = np.flatnonzero(np.diff(times) > GAP)
        starts, ends = np.r_[0, cuts + 1], np.r_[cuts, times.size - 1]
        segments = tuple((float(times[a]), float(times[b])) for a, b in zip(starts, ends, strict=True) if times.size)
        return cls(tape, times, kinds, np.frombuffer(tape.usd, dtype=np.float64), segments)

    def until(self, end: float) -> Events:
        """The rows at or before `end`, and what was recorded of the time until then."""
        keep = self.times <= end
        segments = tuple((start, min(stop, end)) for start, stop in self.segments if start < end)
        return msgspec.structs.replace(
            self, times=self.times[keep], kinds=self.kinds[keep], usd=self.usd[keep], segments=segments
        )

    def of_side(self, side: Side | None) -> Flags:
        """Which rows count towards the label."""
        sides = np.array([side is None or source.side is side for source in self.tape.sources], dtype=np.bool_)
        return sides[self.kinds]


class Grid(msgspec.Struct, frozen=True):
    """Whole UTC seconds at which a forecast can be made and checked."""

    events: Events
    horizon: float
    side: Side | None
    seconds: Array
    starts: Array
    """Start of the segment each second lies in."""
    ahead: Array
    """X_H(t): dollars over (t, t + H]."""
    back: Array
    """Dollars over (t - H, t]."""

    @classmethod
    def of(cls, events: Events, horizon: float, side: Side | None = None) -> Grid:
        """Every second that lies `WARM_UP` after the start of a segment and `horizon` before its end.

        Raises `TapeTooShort` when there is none.
        """
        spans = [
            np.arange(math.ceil(start + WARM_UP), math.floor(end - horizon) + 1.0) for start, end in events.segments
        ]
        seconds = np.concatenate([span for span in spans if span.size] or [np.empty(0)])
        if not seconds.size:
            raise TapeTooShort(events.tape.name, "no stretch of it is longer than an hour and the horizon")
        starts = np.repeat([start for start, _ in events.segments], [span.size for span in spans])
        usd = np.where(events.of_side(side), events.usd, 0.0)
        grid = cls(events, horizon, side, seconds, starts, np.empty(0), np.empty(0))
        ahead, back = grid.between(usd, 0.0, horizon), grid.between(usd, -horizon, 0.0)
        return msgspec.structs.replace(grid, ahead=ahead, back=back)

    def between(self, values: Array, start: float, end: float) -> Array:
        """Sum of the events' `values` over (t + start, t + end], within the segment of t."""
        sums = np.r_[0.0, np.cumsum(values)]
        first = np.searchsorted(self.events.times, self.seconds + start, side="right")
        opening = np.searchsorted(self.events.times, self.starts, side="left")
        last = np.searchsorted(self.events.times, self.seconds + end, side="right")
        return np.asarray(sums[last] - sums[np.maximum(first, opening)])

    def onset(self, threshold: float) -> Flags:
        """The seconds from which a cascade would be a new one: the last H below a quarter of `threshold`, and no
        H seconds at or above it within `QUIET`."""
        loud = np.maximum.accumulate(np.where(self.back >= threshold, self.seconds, -np.inf))
        return np.asarray((self.back < threshold / 4.0) & (self.seconds - loud > QUIET))

    def decayed(self, weights: Array, decay: float) -> Array:
        """sum of `weights` e^(-(t - t_k) / decay) over the events at or before t, within the segment of t."""
        times = self.events.times
        sums = decayed_at_events(times, weights, decay, [start for start, _ in self.events.segments])
        last = np.searchsorted(times, self.seconds, side="right") - 1
        return np.asarray(sums[last] * np.exp(-(self.seconds - times[last]) / decay))

    def features(self, baseline: Baseline, excitation: Excitation) -> Array:
        """One row per second, columns as `features.FEATURES`."""
        counted = self.events.of_side(self.side)
        usd = np.where(counted, self.events.usd, 0.0)
        unit = baseline.threshold * USD_UNIT / self.horizon
        counts = {decay: self.decayed(counted.astype(np.float64), decay) for decay in COUNT_DECAYS}
        columns = [np.log1p(count) for count in counts.values()]
        columns += [np.log1p(self.decayed(usd, decay) / decay / unit) for decay in USD_DECAYS]
        seen = np.maximum(self.seconds - self.starts, 1.0)
        rates = {decay: count / (decay * -np.expm1(-seen / decay)) + RISE_FLOOR for decay, count in counts.items()}
        columns += [np.maximum(0.0, np.log(rates[fast] / rates[slow])) for fast, slow in RISES]
        state = self.excitation_state(baseline, excitation)
        count = _apply(excitation.count, state)
        dollars = _apply(excitation.usd, state)
        own = _apply(excitation.own, state)[0]
        columns.append(_tail_logit(*count, *dollars, baseline.threshold / baseline.mean_usd))
        columns += [np.log(own), np.log(count[0] / own), self._breadth(baseline)]
        return np.stack(columns, axis=1)

    def excitation_state(self, baseline: Baseline, excitation: Excitation) -> Array:
        """R at each second, flattened as (j, m)."""
        hawkes = excitation.hawkes
        marks = marks_of(self.events, baseline.mean_usd, hawkes.productivity.exponent, hawkes.productivity.cap)
        marks = marks / hawkes.productivity.mean
        kinds = [np.where(self.events.kinds == kind, marks, 0.0) for kind in range(len(hawkes.sources))]
        return np.stack([self.decayed(mine, decay) for mine in kinds for decay in hawkes.decays], axis=1)

    def _breadth(self, baseline: Baseline) -> Array:
        venues = np.array([source.venue for source in self.events.tape.sources])[self.events.kinds]
        active = np.zeros(self.seconds.size)
        for venue, rate in baseline.venue_rates.items():
            active += self.decayed((venues == venue).astype(np.float64), BREADTH_DECAY) > busy(rate)
        return np.asarray(np.maximum(0.0, active - 1.0))


def marks_of(events: Events, mean_usd: float, exponent: float, cap: float) -> Array:
    """Capped powers of the events' sizes, not yet scaled to mean one."""
    return np.asarray(np.minimum((events.usd / mean_usd) ** exponent, cap))


def decayed_at_events(times: Array, weights: Array, decay: float, starts: Sequence[float]) -> Array:
    """The decayed sum just after each event; each of `starts` begins at zero."""
    fade = np.exp(-np.diff(times, prepend=times[0]) / decay)
    fade[np.searchsorted(times, np.asarray(starts))] = 0.0
    sums = np.empty_like(weights)
    total = 0.0
    for place, (kept, weight) in enumerate(zip(fade.tolist(), weights.tolist(), strict=True)):
        total = total * kept + weight
        sums[place] = total
    return sums


def _apply(functional: Functional, state: Array) -> tuple[Array, Array]:
    mean = state @ np.asarray(functional.mean) + functional.mean_constant
    return mean, state @ np.asarray(functional.variance) + functional.variance_constant


_erfc = np.frompyfunc(math.erfc, 1, 1)


def _tail_logit(
    count_mean: Array, count_variance: Array, usd_mean: Array, usd_variance: Array, threshold: float
) -> Array:
    """`hawkes.usd_tail_logit` over columns."""
    excess = np.maximum(count_variance - count_mean, count_mean * 1e-9)
    size = count_mean**2 / excess
    spread_out = count_variance > count_mean * (1.0 + 1e-9)
    some = 1.0 - np.where(spread_out, (size / (size + count_mean)) ** size, np.exp(-count_mean))
    mean = usd_mean / some
    spread = np.log(np.maximum((usd_variance + usd_mean**2) / some / mean**2, 1.0 + 1e-9))
    depth = (np.log(threshold / mean) + 0.5 * spread) / np.sqrt(2.0 * spread)
    tail = np.clip(0.5 * some * np.asarray(_erfc(depth), dtype=np.float64), 1e-9, 1.0 - 1e-9)
    return np.asarray(np.log(tail / (1.0 - tail)))
