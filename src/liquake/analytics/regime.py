"""How tense the market is: six levels, by rank in the market's own week.

Each component of stress is ranked in its own decayed history; the highest rank is the stress, and its rank in turn
decides the level. Ranking twice matters: the highest of several ranks is high most of the time, and a level that is
to hold for 2 in 1,000 moments must be set on what does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import IntEnum
from math import exp
from typing import Any, NamedTuple

import msgspec

from liquake.analytics.arrivals import Arrivals
from liquake.analytics.histogram import DecayedHistogram
from liquake.analytics.liquidity import Liquidity
from liquake.analytics.multiplier import RiskMultiplier
from liquake.analytics.reference import HourFactors
from liquake.analytics.volatility import PriceMotion, Trend, trend_word

_SECOND = 1_000_000_000
_DAY_SECONDS = 86_400.0


class Regime(IntEnum):
    """How tense the market is."""

    CALM = 0
    NORMAL = 1
    ACTIVE = 2
    VOLATILE = 3
    STRESSED = 4
    EXTREME = 5


class Bounds(NamedTuple):
    """When a level is entered and left, by the rank (0 to 1) of the stress."""

    enter: float
    leave: float
    dwell: int
    """Nanoseconds that it holds at least."""


BOUNDS: Mapping[Regime, Bounds] = {
    Regime.NORMAL: Bounds(0.30, 0.20, 60 * _SECOND),
    Regime.ACTIVE: Bounds(0.70, 0.60, 60 * _SECOND),
    Regime.VOLATILE: Bounds(0.90, 0.85, 120 * _SECOND),
    Regime.STRESSED: Bounds(0.98, 0.96, 120 * _SECOND),
    Regime.EXTREME: Bounds(0.998, 0.990, 300 * _SECOND),
}
COMPONENTS = ("intensity", "dollars", "volatility", "trend", "run", "liquidity")
SAMPLES_PER_SECOND = 1.0 / 300.0
"""What a second is worth in the histories: numbers five minutes apart are about independent, so a day is 288."""
LEAST = 6 * 3600.0
"""Seconds before there is a level: ranked among so few others, the middle of a crash is a moment like any."""
WARM = _DAY_SECONDS
"""Seconds until the level stands on the market's own history."""


class RegimeState(msgspec.Struct, frozen=True):
    """What a screen shows of the regime."""

    level: Regime | None
    """`None` until `LEAST` seconds have been seen: what is measured is shown, and nothing is made of it yet."""
    since: int | None
    """UTC nanoseconds; `None` without a level."""
    rank: float
    """Of the stress in the market's own week, 0 to 1."""
    driver: str
    """The component that is highest; empty before the first reading."""
    ranks: Mapping[str, float]
    """Of each component that could be measured."""
    multiplier: float | None
    """How much likelier a cascade has been from this level than on average; `None` without a level."""
    episodes: int
    """How many cascades that number counts; 0 means that it is the prior."""
    volatility: float | None
    """Standard deviation of the log return over a day."""
    liquidity: float | None
    """Rank (0 to 1) of the ease of trading in the market's own week: 0 is the thinnest it has been."""
    trend: Trend | None
    price: float | None
    change: float | None
    """Relative, over `change_minutes`."""
    change_minutes: int
    warm: float
    """Seconds seen so far, up to `WARM`."""

    @property
    def name(self) -> str:
        """Of the level, and what stands in its place while there is none."""
        return "WARMING UP" if self.level is None else self.level.name

    @property
    def warming(self) -> str:
        """What to print beside the level while its history is short; empty once it is not."""
        if self.warm >= WARM:
            return ""
        needed = LEAST if self.level is None else WARM
        return f"warming up {self.warm / 3600:.1f} h / {needed / 3600:.0f} h"


class Ladder:
    """Which level a rank gives: up at once when two readings in a row agree, down one step at a time after a dwell."""

    KEPT = 600 * _SECOND
    """How far back `before` can look, in nanoseconds."""

    def __init__(self) -> None:
        self.level = Regime.CALM
        self.since: int | None = None
        self._previous = Regime.CALM
        self._left: deque[tuple[int, Regime]] = deque()

    def update(self, rank: float, ts: int) -> bool:
        """Take the `rank` of `ts`, UTC nanoseconds; whether the level changed."""
        reached = max((level for level, bounds in BOUNDS.items() if rank >= bounds.enter), default=Regime.CALM)
        target, self._previous = min(reached, self._previous), reached
        if self.since is None:
            self.since = ts
        if target > self.level:
            self._enter(target, ts)
        elif self._leaves(rank, ts - self.since):
            self._enter(Regime(self.level - 1), ts)
        else:
            return False
        return True

    def before(self, ts: int) -> Regime:
        """The level that held at `ts`, at most ten minutes back."""
        level = self.level
        for changed, left in reversed(self._left):
            if changed <= ts:
                break
            level = left
        return level

    def _leaves(self, rank: float, held: int) -> bool:
        if self.level is Regime.CALM:
            return False
        bounds = BOUNDS[self.level]
        return rank < bounds.leave and held >= bounds.dwell

    def _enter(self, level: Regime, ts: int) -> None:
        self._left.append((ts, self.level))
        self.level, self.since = level, ts
        while self._left[0][0] < ts - self.KEPT:
            self._left.popleft()


class RegimeTracker:
    """The regime of one market. Call `advance` once a second of engine time; what it read stands until the next."""

    MEMORY = 300.0
    """Seconds of the liquidation rates."""
    LONGEST_STEP = 10.0
    """Seconds that one reading may stand for."""
    SMOOTHING = 60.0
    """Seconds over which the stress is averaged."""
    LOOK_BACK = 60 * _SECOND
    """An episode is charged to the level that held so long before it."""

    def __init__(self, baselines: Mapping[str, Sequence[float]] | None = None, watermark: float = 1.0) -> None:
        """`baselines`: for a component's name equally spaced quantiles of it, worth a day, to start from."""
        self._baselines = baselines or {}
        self._watermark = round(watermark * _SECOND)
        self._arrivals: Arrivals[float] = Arrivals(watermark)
        self.hours = HourFactors()
        self.motion = PriceMotion()
        self.books: dict[str, Liquidity] = {}
        self.multipliers = RiskMultiplier()
        self.histories = {name: DecayedHistogram() for name in (*COMPONENTS, "stress")}
        self._seen = 0.0
        self._primed = False
        self.reset("new")

    def reset(self, reason: str) -> None:
        """Forget the present after a gap, and keep `reason` to be shown. Histories, hours and multipliers stay."""
        self.reason = reason
        for ts, _ in self._arrivals.settle_all():
            self.hours.update(ts)
        self.motion.reset(reason)
        for book in self.books.values():
            book.reset(reason)
        self._events = self._usd = 0.0
        self._ts: int | None = None
        self._advanced: int | None = None
        self.ladder = Ladder()
        self._ranks: dict[str, float] = {}
        self._rank = 0.0
        self._rarity = 1.0

    def liquidation(self, usd: float, ts: int) -> None:
        """Take a liquidation of `usd` dollars (0 where unknown) at `ts`, UTC nanoseconds."""
        for settled, dollars in self._arrivals.push(ts, usd):
            self._add(settled, dollars)

    def price(self, price: float, ts: int) -> None:
        """Take a price of `ts`, UTC nanoseconds."""
        self.motion.update(price, ts)

    def quote(self, venue: str, bid: float, bid_usd: float, ask: float, ask_usd: float, ts: int) -> None:
        """Take a venue's best bid and ask of `ts`, UTC nanoseconds, with what stands there in dollars."""
        self.books.setdefault(venue, Liquidity()).update(bid, bid_usd, ask, ask_usd, ts)

    def advance(self, now: int) -> bool:
        """Read every component at `now`, UTC nanoseconds; whether the level changed."""
        as_of = now - self._watermark
        for settled, dollars in self._arrivals.settle(as_of):
            self._add(settled, dollars)
        if not self._primed:
            self._prime(as_of)
        elapsed = self._elapsed(as_of)
        self._advanced = as_of
        self._seen = min(self._seen + elapsed, WARM)
        if self.judged:
            self.multipliers.update(self.ladder.level, elapsed)
        for book in self.books.values():
            book.advance(as_of, elapsed)
        self._measure(as_of, elapsed)
        return self._step(as_of, elapsed)

    def episode(self, start: int) -> None:
        """Count a cascade that began at `start`, UTC nanoseconds, against the level that held a minute before."""
        if self.judged:
            self.multipliers.episode(self.ladder.before(start - self.LOOK_BACK))

    @property
    def judged(self) -> bool:
        """Whether enough has been seen, or was given as a baseline, for the ladder's level to mean anything."""
        return self._seen >= LEAST or bool(self._baselines)

    def value(self) -> RegimeState:
        """As of the last `advance`."""
        trend, change = self.motion.trend(), self.motion.change()
        liquidity = self._ranks.get("liquidity")
        level = self.ladder.level if self.judged else None
        return RegimeState(
            level=level,
            since=None if level is None else self.ladder.since,
            rank=self._rank,
            driver=max(self._ranks, key=self._ranks.__getitem__, default=""),
            ranks=dict(self._ranks),
            multiplier=None if level is None else self.multipliers.value()[level],
            episodes=self.multipliers.episodes,
            volatility=self.motion.volatility(),
            liquidity=None if liquidity is None else 1.0 - liquidity,
            trend=None if trend is None else trend_word(trend),
            price=self.motion.price,
            change=change[0] if change else None,
            change_minutes=change[1] if change else 0,
            warm=self._seen,
        )

    def to_dict(self) -> dict[str, Any]:
        """What is worth keeping over a restart, in a plain form for the journal."""
        return {
            "histories": {name: history.to_dict() for name, history in self.histories.items()},
            "multipliers": self.multipliers.to_dict(),
            "seen": self._seen,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_dict` gave. Raises `StateError`, and changes nothing, when it is of another form."""
        histories = {name: DecayedHistogram.from_dict(kept["histories"][name]) for name in self.histories}
        multipliers = RiskMultiplier.from_dict(kept["multipliers"])
        self.histories, self.multipliers, self._seen, self._primed = histories, multipliers, kept["seen"], True

    def _elapsed(self, ts: int) -> float:
        """Seconds since the last reading that it can stand for: not those of a pause."""
        if self._advanced is None:
            return 0.0
        return min(max(ts - self._advanced, 0) / _SECOND, self.LONGEST_STEP)

    def _prime(self, ts: int) -> None:
        self._primed = True
        for name, quantiles in self._baselines.items():
            self.histories[name].prime(quantiles, ts, _DAY_SECONDS * SAMPLES_PER_SECOND)

    def _add(self, ts: int, usd: float) -> None:
        self._fade(ts)
        self._events += 1.0
        self._usd += usd
        self.hours.update(ts)

    def _fade(self, ts: int) -> None:
        if self._ts is not None and ts > self._ts:
            fading = exp(-(ts - self._ts) / _SECOND / self.MEMORY)
            self._events *= fading
            self._usd *= fading
        self._ts = ts if self._ts is None else max(ts, self._ts)

    def _measure(self, ts: int, elapsed: float) -> None:
        """Rank every component that can be measured, then enter it into its history."""
        self._fade(ts)
        usual = self.hours.value(ts) * self.MEMORY
        trend = self.motion.trend()
        values = {
            "intensity": self._events / usual,
            "dollars": self._usd / usual,
            "volatility": self.motion.volatility(),
            "trend": None if trend is None else abs(trend),
            "run": self.motion.run(),
        }
        self._ranks = {}
        for name, value in values.items():
            if value is not None:
                self._ranks[name] = self.histories[name].rank(value)
                self.histories[name].update(value, ts, elapsed * SAMPLES_PER_SECOND)
        stresses = [stress for book in self.books.values() if (stress := book.stress(ts)) is not None]
        if stresses:
            self._ranks["liquidity"] = sum(stresses) / len(stresses)

    def _step(self, ts: int, elapsed: float) -> bool:
        # Smoothed over as long as a level dwells at least, lest each flicker hold one for minutes. An average of
        # rarities, not of ranks, lets what is very rare through within seconds.
        share = 1.0 - exp(-elapsed / self.SMOOTHING)
        self._rarity += share * (_rarity(max(self._ranks.values())) - self._rarity)
        rarity = self._rarity
        self._rank = self.histories["stress"].rank(rarity)
        self.histories["stress"].update(rarity, ts, elapsed * SAMPLES_PER_SECOND)
        return self.ladder.update(self._rank, ts)


def _rarity(rank: float) -> float:
    """One in so many: spreads the ranks near 1 out over the histogram's buckets."""
    return 1.0 / max(1.0 - rank, 1e-9)
