"""Is it more than chance? Exact conditional tests of velocity, acceleration and jerk, and the status word.

An estimate divided by its standard error is no z: it is a sum of few jumps, and on pure chance "z > 5" of it fires
a hundred times a day. The tests here take the counts of three adjacent windows of equal length, the newest first.
Given their sum, the share of each is binomial whatever the rate is, so there is no rate to estimate
(Przyborowski and Wilenski 1940, Biometrika 31:313, for two Poisson counts). The z shown is the signed root of the
deviance with a continuity correction (McCullagh and Nelder 1989), within 0.15 of the z of the exact tail.

They say "more than a steady stream would give by chance". Real liquidations cluster, so what is beyond chance may
still be ordinary for the market: `Status` therefore asks for a high percentile of the market's own week as well.
Compute them on read: they hold no state.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from functools import cache
from math import log, sqrt
from typing import NamedTuple

ALERT_Z = 5.0
"""A steady stream of 3 events/s read ten times a second crosses this less than once in three weeks (10 s windows)."""


class Significance(NamedTuple):
    """Signed z of each derivative in one window: 0 where there is nothing to tell."""

    velocity: float
    acceleration: float
    jerk: float


class Status(StrEnum):
    """How a stream moves, for the velocity panel."""

    STABLE = "STABLE"
    NORMAL = "NORMAL"
    ACTIVE = "ACTIVE"
    RAPID = "RAPID"
    EXPLOSIVE = "EXPLOSIVE"


_STATUSES = tuple(Status)
STATUS_Z = (2.0, 3.0, 4.0, 6.0)
"""Least z of the velocity for NORMAL, ACTIVE, RAPID, EXPLOSIVE."""
STATUS_RANK = (0.5, 0.9, 0.99, 0.999)
"""Least rank of the velocity within the market's own week for the same words."""
_UNRANKED = _STATUSES.index(Status.ACTIVE)
_FEW = 64
"""Events up to which what is found is kept: for every share there is one for each pair of them."""


def significance(counts: tuple[int, int, int], expected: float) -> Significance:
    """Of the `counts` of three adjacent windows, the newest first; `expected` events a window at the usual rate."""
    newest, middle, oldest = counts
    if not (newest or middle or oldest):
        return Significance(velocity_z(0, expected), 0.0, 0.0)
    return Significance(velocity_z(newest, expected), acceleration_z(newest, middle), jerk_z(newest, middle, oldest))


def velocity_z(events: int, expected: float) -> float:
    """Of `events` where `expected` would be usual; 0 when nothing is known of the usual.

    >>> round(velocity_z(20, 6.0), 2), velocity_z(3, 0.0)
    (4.36, 0.0)
    """
    if expected <= 0.0:
        return 0.0
    observed = _continuous(events, expected)
    if observed == expected:
        return 0.0
    return _signed_root(observed - expected, _surprise(observed, expected) - (observed - expected))


def acceleration_z(newest: int, previous: int) -> float:
    """Of the difference between two adjacent windows. One event, whichever side it falls, gives 0.

    >>> round(acceleration_z(20, 2), 3), acceleration_z(1, 0)
    (3.863, 0.0)
    """
    return _binomial_z(newest, newest + previous, 0.5)


def jerk_z(newest: int, middle: int, oldest: int) -> float:
    """Of the second difference of three adjacent windows.

    >>> round(jerk_z(12, 0, 0), 3)
    2.503
    """
    return _binomial_z(newest + oldest, newest + middle + oldest, 2.0 / 3.0)


def weighted_acceleration_z(newest: float, previous: float, squares: float) -> float:
    """Of the dollars in two adjacent windows; `squares` is the sum over both of each event's dollars squared.

    Exactly standardised given the sizes, when each event falls in either window by chance. The chance to exceed z is
    then at most exp(-z^2/2) (Hoeffding 1963, JASA 58:13), and no z exceeds the root of the number of events.
    """
    return (newest - previous) / sqrt(squares) if squares > 0.0 else 0.0


def weighted_jerk_z(newest: float, middle: float, oldest: float, squares: float) -> float:
    """Of the dollars in three adjacent windows; `squares` as in `weighted_acceleration_z`, over all three."""
    return (newest - 2.0 * middle + oldest) / sqrt(2.0 * squares) if squares > 0.0 else 0.0


def status(z: float, rank: float | None) -> Status:
    """The word for a velocity of significance `z` and `rank` (0 to 1) in the market's own week.

    The lower of what the two deserve by `STATUS_Z` and `STATUS_RANK`: chance alone cannot raise it, nor can a market
    that is always busy. Without a rank yet (`None`, warming up) it goes no higher than ACTIVE.

    >>> [str(status(7.0, rank)) for rank in (0.3, 0.95, 0.9995, None)]
    ['STABLE', 'ACTIVE', 'EXPLOSIVE', 'ACTIVE']
    """
    deserved = _UNRANKED if rank is None else _level(rank, STATUS_RANK)
    return _STATUSES[min(_level(z, STATUS_Z), deserved)]


def _level(value: float, bounds: tuple[float, ...]) -> int:
    return bisect_right(bounds, value)


def _binomial_z(successes: int, trials: int, share: float) -> float:
    # Most windows of hundreds of markets hold a few events, and the same few.
    return _of_few(successes, trials, share) if trials <= _FEW else _exact_z(successes, trials, share)


def _exact_z(successes: int, trials: int, share: float) -> float:
    if trials == 0:
        return 0.0
    usual = trials * share
    observed = _continuous(successes, usual)
    deviance = _surprise(observed, usual) + _surprise(trials - observed, trials - usual)
    return _signed_root(observed - usual, deviance)


_of_few = cache(_exact_z)


def _continuous(count: int, usual: float) -> float:
    """`count` moved by half an event towards `usual`, and not past it."""
    if count > usual:
        return max(count - 0.5, usual)
    return min(count + 0.5, usual)


def _surprise(observed: float, usual: float) -> float:
    return observed * log(observed / usual) if observed > 0.0 else 0.0


def _signed_root(sign: float, deviance: float) -> float:
    # Rounding can leave a deviance of nought slightly below it.
    root = sqrt(2.0 * max(deviance, 0.0))
    return root if sign >= 0.0 else -root
