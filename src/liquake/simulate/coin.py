"""One coin's market: a price, the positions around it, and what happens when the price reaches them.

The price is a value that news and noise move, plus a displacement that forced orders cause and that mostly decays.
Forced orders move the price into further positions: what stops them is that depth answers less than in proportion and
that buyers come back, as it is in real markets.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from math import cos, exp, floor, log, pi, sqrt
from random import Random

from liquake.model import Side
from liquake.simulate.assets import Asset
from liquake.simulate.ladder import CELLS, DISTANCES, Ladder
from liquake.simulate.order import VENUE_SHARES, Cascade, Order, Quoted
from liquake.simulate.presets import Preset

STEP = 0.25
"""Seconds."""
SECONDS_PER_DAY = 86_400.0

_QUEUE_SHARE = 1.0 - exp(-STEP / 3.0)
"""Of the touched notional, what the liquidation engine executes in a step."""
_IMPACT_KEPT = exp(-STEP / 60.0)
_PERMANENT = 0.1
_FLOW_KEPT = exp(-STEP / 10.0)
_RECENT_KEPT = exp(-STEP / 60.0)
_NEWS_SHARE = 1.0 - exp(-STEP / 150.0)
_NEGLIGIBLE = 500.0
_CASCADE_FLOW = 0.1
"""Forced flow, as a share of the 1 % depth within about ten seconds, that makes a cascade."""
_CASCADE_OVER = 120.0
"""Seconds below a quarter of it after which a cascade is over."""

_ORDER_DEVIATION = 1.5
_BACKGROUND_MEAN, _BACKGROUND_DEVIATION = 3_000.0, 1.2
_VOLATILITY_LIFE, _VOLATILITY_DEVIATION = 12 * 3600.0, 0.35
_RENEWAL = 30.0
"""Seconds between two arrivals of new positions, and between two looks at the slow factors."""

_SIDES = (Side.LONG, Side.SHORT)
_VENUES = tuple(VENUE_SHARES)
_VENUE_BOUNDS = tuple(accumulate(VENUE_SHARES.values()))[:-1]


class _Flow:
    """The liquidation engine of one side of one coin."""

    __slots__ = ("armed_at", "next_usd", "owed", "queue", "running", "trailing")

    def __init__(self) -> None:
        self.queue = 0.0
        """Dollars touched and not yet executed."""
        self.owed = 0.0
        """Dollars executed and not yet given out as orders."""
        self.next_usd = 0.0
        self.trailing = 0.0
        """Dollars executed, with a memory of ten seconds."""
        self.running = False
        self.armed_at = 0.0


class Coin:
    """The state of one coin. `step` alone changes it."""

    def __init__(self, asset: Asset, preset: Preset, rng: Random, start: int) -> None:
        self.asset, self._preset, self._rng, self._start = asset, preset, rng, start
        self._value = log(asset.price)
        self.displacement = 0.0
        """Log price that forced orders have added and that has not decayed yet."""
        self._news = 0.0
        self._level = rng.gauss(0.0, _VOLATILITY_DEVIATION)
        self._diurnal = 1.0
        self._sigma = 0.0
        self._recent = 0.0
        self._depth = preset.depth * asset.scale
        self._flows = {side: _Flow() for side in _SIDES}
        self._ladders = {side: Ladder(side, preset.life_hours * 3600.0) for side in _SIDES}
        self._cell = floor(self._value * CELLS)
        self._elapsed = 0.0
        self._renewal = 0.0
        self._background = preset.background_per_second * asset.scale if preset.steady is None else 0.0
        self._next_background = rng.expovariate(self._background) if self._background else float("inf")
        for flow in self._flows.values():
            flow.next_usd = self._size(self._preset.order_mean, _ORDER_DEVIATION)
        if preset.steady is None:
            self._fill_ladders()

    @property
    def log_price(self) -> float:
        """Logarithm of dollars per coin."""
        return self._value + self.displacement

    @property
    def price(self) -> float:
        """Dollars per coin."""
        return exp(self.log_price)

    @property
    def stress(self) -> float:
        """How far depth is thinned by forced flow: 0 in quiet, 1 at worst."""
        return min(1.0, self._recent / (0.5 * self._depth))

    def gain(self, side: Side) -> float:
        """Dollars of positions of `side` touched per dollar executed, from here on: the local branching number."""
        return self._ladders[side].density(self.log_price) * self._impact()

    def quote(self) -> Quoted:
        """Best bid and ask: wider and thinner under stress."""
        price, stress = self.price, self.stress
        half = price * 0.5e-4 * (1.0 + 8.0 * stress)
        amount = self._depth / 400.0 / (1.0 + (self._preset.thinning - 1.0) * stress) / price
        lean = max(-0.8, min(0.8, self.displacement * 100.0))
        return Quoted(price - half, amount * (1.0 + lean), price + half, amount * (1.0 - lean))

    def trades_per_second(self) -> float:
        """Trades on one venue at the moment."""
        return 4.0 * sqrt(self.asset.scale) * self._diurnal * exp(self._level) * (1.0 + 6.0 * self.stress)

    def step(self, common: float, shove: float, orders: list[Order], cascades: list[Cascade]) -> None:
        """Go on by `STEP` seconds.

        `common` is the common factor's standard normal draw and `shove` its log return from news in this step. Forced
        orders of the step are added to `orders`, unsorted.
        """
        if self._elapsed >= self._renewal:
            self._renew()
        asset = self.asset
        own = self._rng.gauss(0.0, 1.0)
        noise = self._sigma * (asset.correlation * common + sqrt(1.0 - asset.correlation**2) * own)
        arriving = self._news * _NEWS_SHARE
        self._news -= arriving
        self._value += noise + arriving + shove * asset.beta
        self.displacement *= _IMPACT_KEPT
        self._recent *= _RECENT_KEPT
        for side in _SIDES:
            flow = self._flows[side]
            if flow.queue:
                self._execute(side, flow, orders)
            if flow.trailing:
                self._watch(side, flow, cascades)
        if self._elapsed >= self._next_background:
            self._small_orders(orders)
        self._touch()
        self._elapsed += STEP

    def hear(self, news: float) -> None:
        """News of this coin alone, worth the log return `news`, arriving as orders over minutes."""
        self._news += news

    def order(self, side: Side, usd: float, elapsed: float) -> Order:
        """A forced order at the present price, `elapsed` seconds after the start."""
        rng, down = self._rng, side is Side.LONG
        price = self.price * (1.0 + 3e-4 * (rng.random() - 0.5))
        margin = 0.001 + 0.004 * rng.random()
        return Order(
            ts=self._start + round(elapsed * 1e9),
            venue=_VENUES[bisect(_VENUE_BOUNDS, rng.random())],
            asset=self.asset.name,
            side=side,
            price=price,
            bankruptcy_price=price * (1.0 - margin if down else 1.0 + margin),
            amount=usd / price,
            usd=usd,
        )

    def any_order(self, elapsed: float) -> Order:
        """A small forced order that belongs to nothing."""
        side = Side.LONG if self._rng.random() < self._preset.long_share else Side.SHORT
        return self.order(side, self._size(_BACKGROUND_MEAN, _BACKGROUND_DEVIATION), elapsed)

    def _size(self, mean: float, deviation: float) -> float:
        return max(20.0, self._rng.lognormvariate(log(mean) - deviation**2 / 2.0, deviation))

    def _impact(self) -> float:
        """Log price per dollar of forced orders, at the moment."""
        thin = 1.0 + (self._preset.thinning - 1.0) * self.stress
        return 0.01 / self._depth * exp(0.6 * self._level) * thin / (1.0 + abs(self.displacement) / 0.01)

    def _execute(self, side: Side, flow: _Flow, orders: list[Order]) -> None:
        last = flow.queue < _NEGLIGIBLE
        usd = flow.queue if last else flow.queue * _QUEUE_SHARE
        flow.queue -= usd
        flow.owed += usd
        flow.trailing += usd
        self._recent += usd
        kick = usd * self._impact() * (-1.0 if side is Side.LONG else 1.0)
        self._value += kick * _PERMANENT
        self.displacement += kick * (1.0 - _PERMANENT)
        self._give_out(side, flow, orders, last)

    def _give_out(self, side: Side, flow: _Flow, orders: list[Order], last: bool) -> None:
        while flow.owed >= flow.next_usd:
            orders.append(self.order(side, flow.next_usd, self._elapsed + STEP * self._rng.random()))
            flow.owed -= flow.next_usd
            flow.next_usd = self._size(self._preset.order_mean, _ORDER_DEVIATION)
        if last and flow.owed > 20.0:
            orders.append(self.order(side, flow.owed, self._elapsed + STEP * self._rng.random()))
            flow.owed = 0.0

    def _watch(self, side: Side, flow: _Flow, cascades: list[Cascade]) -> None:
        bar = _CASCADE_FLOW * self._depth
        flow.trailing = flow.trailing * _FLOW_KEPT if flow.trailing > 1.0 else 0.0
        if flow.trailing >= bar / 4.0:
            flow.armed_at = self._elapsed + _CASCADE_OVER
        if flow.running:
            flow.running = self._elapsed < flow.armed_at
        elif flow.trailing >= bar:
            flow.running = True
            cascades.append(Cascade(self._start + round(self._elapsed * 1e9), self.asset.name, side))

    def _small_orders(self, orders: list[Order]) -> None:
        while self._next_background <= self._elapsed:
            orders.append(self.any_order(self._elapsed + STEP * self._rng.random()))
            self._next_background += self._rng.expovariate(self._background * self._diurnal)

    def _touch(self) -> None:
        cell = floor(self.log_price * CELLS)
        if cell < self._cell:
            self._flows[Side.LONG].queue += self._ladders[Side.LONG].take(self._cell, cell)
        elif cell > self._cell:
            self._flows[Side.SHORT].queue += self._ladders[Side.SHORT].take(self._cell, cell)
        self._cell = cell

    def _renew(self) -> None:
        """New positions, and the slow factors: once per `_RENEWAL`, as nothing in them changes within seconds."""
        preset, rng = self._preset, self._rng
        kept = exp(-_RENEWAL / _VOLATILITY_LIFE)
        self._level = self._level * kept + rng.gauss(0.0, _VOLATILITY_DEVIATION) * sqrt(1.0 - kept * kept)
        self._diurnal = diurnal(self._start / 1e9 + self._elapsed)
        daily = preset.volatility * self.asset.beta * self._diurnal * exp(self._level)
        self._sigma = daily * sqrt(STEP / SECONDS_PER_DAY)
        if preset.steady is None:
            self._open(self._elapsed, self.log_price, _RENEWAL)
        self._renewal += _RENEWAL

    def _open(self, elapsed: float, log_price: float, seconds: float) -> None:
        usd = self._preset.inflow_per_hour * self.asset.scale * seconds / 3600.0
        for side, ladder in self._ladders.items():
            share = self._preset.long_share if side is Side.LONG else 1.0 - self._preset.long_share
            ladder.age_to(elapsed)
            ladder.open(log_price, usd * share, self._rng)

    def _fill_ladders(self) -> None:
        """Positions of the past that are still open: entered along a random walk that ends at the present price.

        `between` stands for how far the price went between two points of the walk: without it the first minute of every
        run is one sweep of positions that could not have survived.
        """
        rng, preset = self._rng, self._preset
        pace = 300.0
        daily = 1.4 * preset.volatility * self.asset.beta
        path = [self._value]
        for _ in range(int(3.0 * preset.life_hours * 3600.0 / pace)):
            path.append(path[-1] + rng.gauss(0.0, daily * sqrt(pace / SECONDS_PER_DAY)))
        survivors = {side: Ladder(side, preset.life_hours * 3600.0) for side in _SIDES}
        between = 1.5 * daily * sqrt(pace / SECONDS_PER_DAY)
        low = high = self._value
        for age, log_price in enumerate(path):
            low, high = min(low, log_price - between), max(high, log_price + between)
            kept = exp(-age * pace / (preset.life_hours * 3600.0))
            self._reopen(survivors, log_price, kept * pace / 3600.0, (low, high))
        self._ladders = survivors

    def _reopen(self, ladders: dict[Side, Ladder], log_price: float, hours: float, seen: tuple[float, float]) -> None:
        usd = self._preset.inflow_per_hour * self.asset.scale * hours
        share = self._preset.long_share
        for distance, weight in DISTANCES:
            below = log_price - distance * (0.6 + 0.8 * self._rng.random())
            above = log_price + distance * (0.6 + 0.8 * self._rng.random())
            if below < seen[0]:
                ladders[Side.LONG].put(below, usd * weight * share)
            if above > seen[1]:
                ladders[Side.SHORT].put(above, usd * weight * (1.0 - share))


def diurnal(unix_seconds: float) -> float:
    """How busy the time of day is: 1 on average, most around 15 UTC when the United States open."""
    return 1.0 + 0.3 * cos(2.0 * pi * (unix_seconds / 3600.0 - 15.0) / 24.0)


def heavy_tailed(rng: Random) -> float:
    """A draw of Student's t with 3 degrees of freedom."""
    return rng.gauss(0.0, 1.0) / sqrt(rng.gammavariate(1.5, 2.0) / 3.0)
