"""The market of all simulated coins: pure, seeded, moved by its caller's time.

A leverage ladder on a grid of log prices, a log-Ornstein-Uhlenbeck volatility, news with heavy tails, a queue of
touched positions, and impact that is concave and mostly decays. The same preset, seed and start give the same orders,
whatever the steps in which they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf
from random import Random

from liquake.model import Side
from liquake.simulate.assets import ASSET_NAMES, ASSETS
from liquake.simulate.coin import SECONDS_PER_DAY, STEP, Coin, heavy_tailed
from liquake.simulate.order import Cascade, Order, Quoted
from liquake.simulate.presets import Preset, Shock, find_preset

_STEP_NS = round(STEP * 1e9)
_LEADER = "BTC"
_FOLLOWING = 0.6
"""How much of what forced orders do to the leader's price the others do too, and undo with it."""


class Market:
    """Several coins that share news and a common factor."""

    def __init__(self, preset: str | Preset, seed: int, start: int, assets: Iterable[str] = ASSET_NAMES) -> None:
        """Begin at `start`, UTC nanoseconds. Raises `UnknownScenario`."""
        self.preset = find_preset(preset) if isinstance(preset, str) else preset
        self.start = self.now = start
        self.cascades: list[Cascade] = []
        """The truth: every cascade that has begun."""
        chosen = set(assets)
        self._tide = Random(f"{seed} tide")
        self._steady = Random(f"{seed} steady")
        self.coins = {
            asset.name: Coin(asset, self.preset, Random(f"{seed} {asset.name}"), start)
            for asset in ASSETS
            if asset.name in chosen
        }
        self._weights = [coin.asset.scale for coin in self.coins.values()]
        self._news = 0.0
        self._next_steady = self._wait_for_steady()
        self._next_news = self._wait_for_news()
        self._cycle_start = 0.0
        self._waiting: list[Shock] = []
        self._arriving: list[list[float]] = []
        self._plan_shocks(0.0, first=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return (self.now - self.start) / 1e9

    def price(self, asset: str) -> float:
        """Dollars per coin now."""
        return self.coins[asset].price

    def quote(self, asset: str) -> Quoted:
        """Best bid and ask now."""
        return self.coins[asset].quote()

    def trades_per_second(self, asset: str) -> float:
        """Public trades on one venue now."""
        return self.coins[asset].trades_per_second()

    def gain(self, asset: str, side: Side) -> float:
        """Ladder density just ahead of the price times impact: above 1 a cascade feeds itself."""
        return self.coins[asset].gain(side)

    def step(self, until: int) -> list[Order]:
        """All forced orders of the whole steps that end by `until` (UTC nanoseconds), in order of time."""
        orders: list[Order] = []
        while self.now + _STEP_NS <= until:
            self._step(orders)
        return orders

    def _step(self, orders: list[Order]) -> None:
        elapsed = (self.now - self.start) / 1e9
        common = self._tide.gauss(0.0, 1.0)
        shove = self._shove(elapsed)
        fresh: list[Order] = []
        drag = 0.0
        for name, coin in self.coins.items():
            before = coin.displacement
            coin.step(common, shove + drag, fresh, self.cascades)
            if name == _LEADER:
                drag = _FOLLOWING * (coin.displacement - before)
        if self.preset.steady is not None:
            self._independent(elapsed + STEP, fresh)
        if len(fresh) > 1:
            fresh.sort(key=_time)
        orders += fresh
        self.now += _STEP_NS

    def _independent(self, until: float, orders: list[Order]) -> None:
        while self._next_steady < until:
            (coin,) = self._steady.choices(list(self.coins.values()), self._weights)
            orders.append(coin.any_order(self._next_steady))
            self._next_steady += self._wait_for_steady()

    def _wait_for_steady(self) -> float:
        rate = self.preset.steady
        if rate is None:
            return inf
        return 1.0 / rate if self.preset.even else self._steady.expovariate(rate)

    def _shove(self, elapsed: float) -> float:
        """Log return of the common factor in this step from news, shocks and drift."""
        if elapsed >= self._next_news:
            self._hear()
        if self._waiting and elapsed >= self._waiting[0].at:
            shock = self._waiting.pop(0)
            self._arriving.append([shock.move, 1.0 - exp(-STEP / shock.seconds)])
        cycle = self.preset.cycle
        if cycle is not None and elapsed >= self._cycle_start + cycle:
            self._plan_shocks(self._cycle_start + cycle, first=False)
        shove = self.preset.drift_per_hour * STEP / 3600.0
        for pool in self._arriving:
            part = pool[0] * pool[1]
            pool[0] -= part
            shove += part
        self._arriving = [pool for pool in self._arriving if abs(pool[0]) > 1e-7]
        return shove

    def _wait_for_news(self) -> float:
        rate = self.preset.news_per_day
        if not rate or self.preset.steady is not None:
            return inf
        return self.elapsed + self._tide.expovariate(rate / SECONDS_PER_DAY)

    def _hear(self) -> None:
        """News about everything, or about one coin alone."""
        worth = heavy_tailed(self._tide) * self.preset.news_scale
        everyone = self._tide.random() < 0.7
        subject = self._tide.choice(ASSET_NAMES)
        for name, coin in self.coins.items():
            if everyone:
                coin.hear(worth * coin.asset.beta)
            elif name == subject:
                coin.hear(worth * 2.0)
        self._next_news = self._wait_for_news()

    def _plan_shocks(self, cycle_start: float, first: bool) -> None:
        self._cycle_start = cycle_start
        jitter = self._tide.uniform(0.9, 1.2)
        size = self._tide.uniform(0.85, 1.15)
        if not first:
            size *= self.preset.echo
            if not self.preset.one_sided and self._tide.random() < 0.5:
                size = -size
        self._waiting += [
            Shock(cycle_start + shock.at * jitter, shock.move * size, shock.seconds) for shock in self.preset.shocks
        ]


def _time(order: Order) -> int:
    return order.ts
