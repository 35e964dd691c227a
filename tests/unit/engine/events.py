"""Events for the engine's tests."""

from __future__ import annotations

from liquake.model import Coverage, CoverageKind, Liquidation, Price, PriceBasis, PriceKind, Side

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
NOON = 1_790_000_040 * SECOND
"""A moment on a whole minute."""

COVERAGES = {
    "binance": Coverage(CoverageKind.THROTTLED, "At most one order per symbol and second."),
    "bybit": Coverage(CoverageKind.COMPLETE, "Everything."),
    "okx": Coverage(CoverageKind.THROTTLED, "At most one order per contract and second."),
    "hyperliquid": Coverage(CoverageKind.SAMPLE, "Only what the watched vault took over."),
}


def liquidation(
    at: float = 0.0,
    *,
    venue: str = "bybit",
    asset: str = "BTC",
    side: Side = Side.LONG,
    amount: float | None = 0.5,
    usd: float | None = 30_000.0,
    delay: float = 0.2,
    key: str | int | None = None,
) -> Liquidation:
    """One that happened `at` seconds after noon and reached us `delay` seconds later; the same `key` is a duplicate."""
    ts_event = NOON + round(at * SECOND)
    return Liquidation(
        venue=venue,
        instrument=f"{asset}USDT",
        asset=asset,
        side=side,
        price=60_000.0,
        price_basis=PriceBasis.FILL,
        amount=amount,
        usd=usd,
        ts_event=ts_event,
        ts_recv=ts_event + round(delay * SECOND),
        size=amount,
        id=None if key is None else str(key),
    )


def price(
    at: float = 0.0,
    value: float = 60_000.0,
    *,
    venue: str = "bybit",
    instrument: str = "BTCUSDT",
    asset: str = "BTC",
    kind: PriceKind = PriceKind.MARK,
) -> Price:
    """One of `at` seconds after noon."""
    ts = NOON + round(at * SECOND)
    return Price(venue, instrument, asset, kind, value, ts, ts + SECOND // 10)
