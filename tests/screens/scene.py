"""A fall on three venues through a real engine: the same events in every run, read at any moment."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from liquake.engine.engine import Engine
from liquake.engine.snapshot import Latest, Snapshot
from liquake.model import (
    Event,
    FeedState,
    FeedStatus,
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
    TakerSide,
    Trade,
)
from liquake.tui.status import Status
from tests.screens.moments import COVERAGES, DEMO, NOW, SECOND
from tests.screens.sources import SteeredSource

_ASSETS = {"BTC": 66_900.0, "ETH": 3_410.0, "SOL": 171.0, "DOGE": 0.1612, "XRP": 2.1, "PEPE": 0.0000123}
_WEIGHTS = (40, 25, 12, 10, 8, 5)
_LENGTH = 5400.0
_BASES = {"binance": PriceBasis.FILL, "bybit": PriceBasis.BANKRUPTCY, "okx": PriceBasis.BANKRUPTCY}


@cache
def engine_after(seconds: float) -> Engine:
    """The engine that has seen the scene. Reading changes nothing, so every test may read the same one."""
    engine = Engine(COVERAGES)
    for event in scene(seconds):
        engine.apply(event)
    return engine


class EngineSource(SteeredSource):
    """An engine that holds the scene, read at `now`."""

    def __init__(self, seconds: float = _LENGTH, status: Status = DEMO) -> None:
        super().__init__()
        self.engine = engine_after(seconds)
        self.now = NOW
        self.session = msgspec.structs.replace(status, started=NOW - round(seconds * SECOND))
        self.asked: list[tuple[str, ...] | None] = []

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = (), largest: int = 0) -> Snapshot:
        self.asked.append(None if markets is None else tuple(markets))
        return self.engine.snapshot(self.now, markets, charts, largest)

    def latest(self) -> Latest:
        return self.engine.latest()

    def status(self) -> Status:
        return msgspec.structs.replace(self.session, now=self.now)


def scene(seconds: float, *, seed: int = 11) -> Iterator[Event]:
    """Ninety quiet minutes, then a fall that starts two minutes before the moment; a price a second."""
    rng = random.Random(seed)
    start = NOW - round(seconds * SECOND)
    for venue in COVERAGES:
        yield FeedStatus(venue, "main", FeedState.SUBSCRIBED, start, "liquidations")
    number, time, next_price = 0, start, start
    while True:
        left = (NOW - time) / 1e9
        rate = 0.15 if left > 120.0 else 4.0 if left > 60.0 else 1.5
        time += round(rng.expovariate(rate) * SECOND)
        if time >= NOW:
            return
        while next_price < time:
            yield from _market(next_price, NOW, rng)
            next_price += SECOND
        number += 1
        yield _liquidation(number, time, left, rng)


def _drop(left: float) -> float:
    """The part of the price that is gone `left` seconds before the moment."""
    return 0.0 if left > 120.0 else 0.03 * (1.0 - left / 120.0)


def _market(time: int, end: int, rng: random.Random) -> Iterator[Event]:
    level = (1.0 - _drop((end - time) / 1e9)) * (1.0 + rng.gauss(0.0, 0.0001))
    for asset in ("BTC", "ETH"):
        price = _ASSETS[asset] * level
        yield Price("binance", f"{asset}USDT", asset, PriceKind.MARK, price, time, time + 20_000_000)
    price = _ASSETS["BTC"] * level
    yield Trade("hyperliquid", "BTC", "BTC", TakerSide.SELL, price, 0.1, price * 0.1, time, time + 30_000_000, (time,))


def _liquidation(number: int, time: int, left: float, rng: random.Random) -> Liquidation:
    asset = rng.choices(list(_ASSETS), _WEIGHTS)[0]
    venue = rng.choice(("binance", "bybit", "okx"))
    side = Side.LONG if rng.random() < (0.92 if left < 120.0 else 0.55) else Side.SHORT
    price = _ASSETS[asset] * (1.0 - _drop(left))
    usd = rng.lognormvariate(8.6, 1.6)
    known = not (venue == "okx" and asset == "DOGE")
    return Liquidation(
        venue,
        f"{asset}USDT",
        asset,
        side,
        price,
        _BASES[venue],
        usd / price if known else None,
        usd if known else None,
        time,
        time + rng.randrange(50, 900) * 1_000_000,
        usd / price,
        str(number),
    )
