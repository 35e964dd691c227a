"""Between which bounds a throttled feed's orders must have been, by how those of complete feeds crowd in seconds.

A feed that shows one order per symbol and second hides the more, the more crowd in the same second, and that does not
show in it. But it shows in complete feeds of the same coin: a cascade comes to all venues at once, and each gets a part
of it. A feed that gets each of those orders with the probability q, independently, gets something in a second of c of
them with the probability 1 - (1-q)^c; so q is found that shows as many as were shown, and there were q times as many
orders as the complete feeds had. For Poisson counts E (1-q)^c = exp(-q lambda) holds for q above 1 too, where the
throttled venue is the larger one, and up to nearly 2 the estimate can be used (the unseen-species estimator of Good and
Toulmin 1956, Biometrika 43:45, on seconds). Dollars likewise: by what the same rule would have hidden of the complete
feeds' own orders, so that their sizes need not be alike, only how unequal they are.

What this takes for granted is that within the hour the throttled venue's orders crowd in seconds as the others' do.
`UNLIKE` is the doubt of that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import exp, inf, log, sqrt
from typing import NamedTuple

from liquake.model import Throttle

_SECOND = 1_000_000_000
HOUR = 3600 * _SECOND
_MOST_SHARE = 1.95
"""Of the complete feeds' orders, what a throttled one may have: beyond, the series runs away."""
_LEAST_ORDERS = 20
"""Of the complete feeds, from which their crowding can be told."""
_DEEPEST = 400
"""Orders of one second that are told apart: what comes after them adds nothing to any sum."""
UNLIKE = 0.15
"""By how much of what is hidden the venues' crowding may differ, as a standard deviation."""
SIGMAS = 1.96
"""On both sides: 19 in 20."""
_WIDEST = 1000.0
"""Times the estimate: from an upper end as far away as that nothing can be learnt."""


class Band(NamedTuple):
    """From and to, both included; the upper end is infinite where nothing tells it."""

    low: float
    high: float


class Behind(NamedTuple):
    """An estimate with its variance, and the doubt of the assumption, which does not average out."""

    value: float
    variance: float
    doubt: float

    def __add__(self, other: object) -> Behind:
        """Of two sets of symbols together."""
        if not isinstance(other, Behind):
            return NotImplemented
        return Behind(self.value + other.value, self.variance + other.variance, self.doubt + other.doubt)

    def band(self, shown: float) -> Band:
        """19 in 20, and never less than what was `shown`; without an upper end where it would be beyond all measure."""
        spread = SIGMAS * sqrt(self.variance + self.doubt**2)
        if spread > log(_WIDEST) * self.value:
            return Band(shown, inf)
        width = exp(spread / self.value) if self.value else 1.0
        return Band(max(shown, self.value / width), max(shown, self.value * width))


NOTHING = Behind(0.0, 0.0, 0.0)


class Profile:
    """Orders by their place in their second: how many there were in each place, and their dollars.

    The first is the one that a throttle shows, the second the one that it shows if the feed did not get the first.
    """

    __slots__ = ("dollars", "orders", "squares", "usd")

    def __init__(self) -> None:
        self.orders: list[int] = []
        self.dollars: dict[Throttle, list[float]] = {Throttle.LATEST: [], Throttle.LARGEST: []}
        self.usd = self.squares = 0.0

    def add(self, sizes: Sequence[float], sign: int = 1) -> None:
        """The `sizes` in dollars of one second's orders, in order of time; with a `sign` of -1 they are taken back."""
        sizes = sizes[-_DEEPEST:]
        missing = len(sizes) - len(self.orders)
        for held in (self.orders, *self.dollars.values()):
            held.extend([0] * missing)  # type: ignore[attr-defined]
        latest, largest = self.dollars[Throttle.LATEST], self.dollars[Throttle.LARGEST]
        for place, (late, large) in enumerate(zip(reversed(sizes), sorted(sizes, reverse=True), strict=True)):
            self.orders[place] += sign
            latest[place] += sign * late
            largest[place] += sign * large
            self.usd += sign * late
            self.squares += sign * late * late

    def merged(self, other: Profile) -> Profile:
        """Both together."""
        both = Profile()
        for each in (self, other):
            missing = len(each.orders) - len(both.orders)
            for held in (both.orders, *both.dollars.values()):
                held.extend([0] * missing)  # type: ignore[attr-defined]
            for place, count in enumerate(each.orders):
                both.orders[place] += count
                for rule, dollars in each.dollars.items():
                    both.dollars[rule][place] += dollars[place]
            both.usd += each.usd
            both.squares += each.squares
        return both

    @property
    def total(self) -> int:
        """Orders."""
        return sum(self.orders)


class Crowd:
    """The complete feeds' orders of one coin in the last hour, by seconds. Times come in order."""

    def __init__(self) -> None:
        self.profile = Profile()
        self._second = 0
        self._orders: list[tuple[int, float]] = []
        self._closed: deque[tuple[int, tuple[float, ...]]] = deque()

    def update(self, ts: int, usd: float) -> None:
        """An order at `ts`, UTC nanoseconds, worth `usd`; 0 where that is not known."""
        self.advance(ts)
        self._orders.append((ts, usd))

    def advance(self, now: int) -> None:
        """Let time pass to `now`: the seconds before it are over, and what is an hour old is forgotten."""
        second = now // _SECOND
        if second > self._second:
            if self._orders:
                sizes = tuple(usd for _, usd in sorted(self._orders))
                self.profile.add(sizes)
                self._closed.append((self._second, sizes))
                self._orders = []
            self._second = second
        while self._closed and (self._closed[0][0] + 1) * _SECOND <= now - HOUR:
            self.profile.add(self._closed.popleft()[1], -1)


def share_behind(shown: float, profile: Profile) -> float | None:
    """Of the orders in `profile`, those that a feed gets whose throttle shows `shown`; `None` where that is not told.

    >>> alone, crowded = Profile(), Profile()
    >>> for _ in range(100): alone.add([1.0])
    >>> for _ in range(50): crowded.add([1.0, 1.0])
    >>> round(share_behind(40.0, alone), 3), round(share_behind(32.0, crowded), 3)
    (0.4, 0.4)
    """
    if profile.total < _LEAST_ORDERS or _expected(profile.orders, _MOST_SHARE) < shown:
        return None
    low, high = 0.0, _MOST_SHARE
    for _ in range(30):
        middle = (low + high) / 2.0
        if _expected(profile.orders, middle) < shown:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _expected(places: Sequence[float], share: float) -> float:
    """What is shown of orders, or of dollars, by their place, to a feed that gets a `share` of them."""
    kept, factor = 0.0, share
    for value in places:
        kept += factor * value
        factor *= 1.0 - share
    return kept


def behind(shown: int, shown_usd: float, profile: Profile, rule: Throttle) -> tuple[Behind, Behind] | None:
    """The orders and the dollars behind what was shown; `None` where the complete feeds do not tell."""
    share = share_behind(shown, profile)
    if share is None:
        return None
    step = 1e-3
    slope = (_expected(profile.orders, share + step) - _expected(profile.orders, share - step)) / (2.0 * step)
    if slope <= 0.0:
        return None
    counts = [*profile.orders, 0]
    seconds = (counts[place] - counts[place + 1] for place in range(len(profile.orders)))
    noise = shown + sum(count * (1.0 - (1.0 - share) ** place) ** 2 for place, count in enumerate(seconds, 1))
    error = sqrt(noise) / slope
    orders = share * profile.total
    events = Behind(orders, (profile.total * error) ** 2 + orders, UNLIKE * max(orders - shown, 0.0))
    return events, _dollars(share, error, shown, shown_usd, profile, rule)


def _dollars(share: float, error: float, shown: int, shown_usd: float, profile: Profile, rule: Throttle) -> Behind:
    orders = share * profile.total

    def factor(share: float) -> float:
        kept = _expected(profile.dollars[rule], share)
        return share * profile.usd / kept if kept > 0.0 else 1.0

    whole = max(factor(share), 1.0)
    usd, hidden = shown_usd * whole, 1.0 - 1.0 / whole
    turn = (factor(share + 1e-3) - factor(max(share - 1e-3, 1e-6))) / (2e-3 * whole)
    # Few large orders are most of the dollars: of those shown, which stand for more, of those hidden, and of those that
    # it is told by.
    unequal = profile.squares * profile.total / profile.usd**2 if profile.usd else 0.0
    drawn = ((whole - 1.0) ** 2 * shown + max(orders - shown, 0.0)) / orders**2 + hidden**2 / profile.total
    return Behind(usd, usd**2 * ((turn * error) ** 2 + unequal * drawn), UNLIKE * hidden * usd)
