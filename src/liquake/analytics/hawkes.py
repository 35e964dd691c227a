"""Self-excitation: a marked multivariate Hawkes process with exponential kernels on a fixed grid of decays.

    lambda_i(t) = mu_i + sum_j,m a_ijm / tau_m R_jm(t)
    R_jm(t) = sum over the events k of type j before t of w_k e^(-(t - t_k) / tau_m)

Types are (venue, side). Marks follow the productivity law of earthquake aftershocks (ETAS), w = (usd / mean)^delta,
capped, and scaled to mean one, so that a_ijm is the mean number of direct children. With the decays fixed the
likelihood is concave, and the mean and variance of what comes are linear in R: see `hawkes_em` and `hawkes_moments`.
This module is the live part: plain floats, no numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, log, sqrt
from operator import mul

import msgspec

from liquake.model.tape import Source

DECAYS = (0.5, 5.0, 60.0)
"""Seconds. Two to three exponentials are what survives significance tests on financial data (arXiv:1406.3967)."""
SPECTRAL_LIMIT = 0.95
"""Above this a fitted process is scaled down before it forecasts: at one and more its mean explodes."""
_LOGIT_LIMIT = 20.0


class Productivity(msgspec.Struct, frozen=True):
    """How many children an order's size makes it have, relative to the mean order."""

    exponent: float = 0.5
    cap: float = 10.0
    mean: float = 1.0
    """Of the capped power over the training tape: makes the mean mark one."""

    def mark(self, size: float) -> float:
        """The mark of an order of `size` times the mean order's dollars."""
        return float(min(size**self.exponent, self.cap)) / self.mean


class Hawkes(msgspec.Struct, frozen=True):
    """Parameters of the process."""

    sources: tuple[Source, ...]
    background: tuple[float, ...]
    """mu_i, events per second."""
    excitation: tuple[tuple[tuple[float, ...], ...], ...]
    """a_ijm: mean direct children of type i that an event of type j with mark one has at decay m."""
    productivity: Productivity = Productivity()
    decays: tuple[float, ...] = DECAYS


class Cell(msgspec.Struct, frozen=True):
    """One cell of the branching matrix: direct children of `effect` per event of `cause`, with a credible interval."""

    cause: Source
    effect: Source
    children: float
    low: float
    high: float


class Branching(msgspec.Struct, frozen=True):
    """Who excites whom, as fitted on the last events."""

    cells: tuple[Cell, ...]
    clustering: float
    """Spectral radius of the matrix: an upper bound on self-excitation, since a changing rate fits as excitation too."""
    events: int
    """Fitted on."""
    start: int
    end: int
    """Times of the first and the last of them, UTC nanoseconds."""


class Functional(msgspec.Struct, frozen=True):
    """Mean and variance of a sum over the next `horizon` seconds as linear functions of R, flattened as (j, m)."""

    mean: tuple[float, ...]
    mean_constant: float
    variance: tuple[float, ...]
    variance_constant: float

    def at(self, state: Sequence[float], background: float = 1.0) -> tuple[float, float]:
        """Mean and variance given R; `background` scales mu, for a stream that is busier than the fitted one."""
        mean = self.mean_constant * background + sum(map(mul, state, self.mean))
        return mean, self.variance_constant * background + sum(map(mul, state, self.variance))

    def mean_at(self, state: Sequence[float]) -> float:
        """The mean alone."""
        return self.mean_constant + float(sum(map(mul, state, self.mean)))


class HawkesState:
    """R at the last event, decayed on read. O(types x decays) per event, whatever the memory."""

    __slots__ = ("_decays", "_last", "_state", "_width")

    def __init__(self, types: int, decays: Sequence[float] = DECAYS) -> None:
        self._decays = tuple(decays)
        self._width = len(self._decays)
        self._state = [0.0] * (types * self._width)
        self._last: float | None = None

    def update(self, ts: float, kind: int, mark: float) -> None:
        """An event of type `kind` at `ts` seconds. One that comes late is added at its age: order does not matter."""
        last = self._last
        if last is None or ts >= last:
            if last is not None:
                self._state = self.value(ts)
            self._last, age = ts, 0.0
        else:
            age = last - ts
        base = kind * self._width
        for place, decay in enumerate(self._decays):
            self._state[base + place] += mark * exp(-age / decay) if age else mark

    def pass_to(self, now: float) -> None:
        """Let time pass to `now` seconds without an event."""
        if self._last is not None:
            self._state = self.value(now)
        self._last = now if self._last is None else max(now, self._last)

    def value(self, now: float) -> list[float]:
        """R at `now` seconds, or at the last event where that is later; changes nothing."""
        if self._last is None:
            return list(self._state)
        age = max(0.0, now - self._last)
        factors = [exp(-age / decay) for decay in self._decays] * (len(self._state) // self._width)
        return [value * factor for value, factor in zip(self._state, factors, strict=True)]

    def reset(self) -> None:
        """Forget everything: after a gap the past that would excite the present was not seen."""
        self._state = [0.0] * len(self._state)
        self._last = None


def none_at_all(mean: float, variance: float) -> float:
    """P(no event) of the negative binomial with these moments (Poisson where it is not overdispersed)."""
    if mean <= 0.0:
        return 1.0
    if variance <= mean * (1.0 + 1e-9):
        return exp(-mean)
    size = mean * mean / (variance - mean)
    return float((size / (size + mean)) ** size)


def usd_tail_logit(
    count_mean: float, count_variance: float, usd_mean: float, usd_variance: float, threshold: float
) -> float:
    """logit P(sum of dollars >= `threshold`), the sum taken as zero or lognormal, matched to its moments.

    P(anything) comes from the negative binomial of the count; given anything, the first two moments fix the lognormal.
    """
    some = 1.0 - none_at_all(count_mean, count_variance)
    if some <= 0.0 or usd_mean <= 0.0:
        return -_LOGIT_LIMIT
    mean = usd_mean / some
    spread = log(max((usd_variance + usd_mean * usd_mean) / some / (mean * mean), 1.0 + 1e-9))
    depth = (log(threshold / mean) + 0.5 * spread) / sqrt(2.0 * spread)
    tail = min(max(0.5 * some * erfc(depth), 1e-9), 1.0 - 1e-9)
    return log(tail / (1.0 - tail))
