"""What each market is worth."""

from __future__ import annotations

from liquake.engine.series import PriceSeries
from liquake.engine.snapshot import MarketPrice
from liquake.model import Price, PriceKind, market_of
from liquake.model.instrument import unbundle

PREFERENCE_HELD = 10 * 1_000_000_000
"""Nanoseconds after which a better kind of price no longer stands in the way of a lesser one."""

_RANK = {PriceKind.LAST: 0, PriceKind.INDEX: 1, PriceKind.MARK: 2}


def coins_per_unit(instrument: str, asset: str) -> float:
    """How many coins of `asset` the price of `instrument` is the price of.

    >>> [coins_per_unit(*of) for of in (("BTCUSDT", "BTC"), ("1000PEPEUSDT", "PEPE"), ("SHIB1000USDT", "SHIB"))]
    [1.0, 1000.0, 1000.0]
    """
    before, found, after = instrument.partition(asset)
    if not found:
        return 1.0
    digits = after[: len(after) - len(after.lstrip("0123456789"))]
    return unbundle(f"{before}{asset}")[1] if before else unbundle(f"{asset}{digits}")[1]


class Prices:
    """The latest price of each market, in dollars per coin: a mark price where there is one, from whichever venue."""

    def __init__(self) -> None:
        self._by_asset: dict[str, tuple[int, int, Price]] = {}
        self._series: dict[str, PriceSeries] = {}
        """By market."""
        self._units: dict[tuple[str, str], float] = {}
        """Coins per unit by instrument and asset: the answer costs more than all else here."""

    def update(self, price: Price, time: int) -> None:
        """Take `price`, unless one in its place is newer, or better and still fresh. `time` is its engine time."""
        rank = _RANK[price.kind]
        held = self._by_asset.get(price.asset)
        if held is not None:
            held_time, held_rank, _ = held
            if time < held_time or (rank < held_rank and time < held_time + PREFERENCE_HELD):
                return
        self._by_asset[price.asset] = (time, rank, price)
        market = market_of(price.asset)
        series = self._series.get(market)
        if series is None:
            series = self._series[market] = PriceSeries()
        series.update(time, price.price / self._coins_per_unit(price))

    def _coins_per_unit(self, price: Price) -> float:
        key = price.instrument, price.asset
        units = self._units.get(key)
        if units is None:
            units = self._units[key] = coins_per_unit(*key)
        return units

    def series(self, market: str, now: int) -> tuple[float | None, ...]:
        """The price of `market` in each second of the last five minutes; empty where it has none."""
        series = self._series.get(market)
        return () if series is None else series.seconds(now)

    def value(self) -> dict[str, MarketPrice]:
        """By market."""
        return {
            market_of(asset): MarketPrice(
                market_of(asset),
                price.price / self._coins_per_unit(price),
                price.venue,
                price.ts_event,
                price.ts_recv,
            )
            for asset, (_, _, price) in self._by_asset.items()
        }
