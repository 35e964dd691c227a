"""Events of the shapes that venues give, with values of our own."""

from __future__ import annotations

from liquake.model import (
    DecodeError,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Liquidation,
    Price,
    PriceBasis,
    PriceKind,
    Side,
)

START = 1_760_000_000_000_000_000
SECOND = 1_000_000_000


def liquidation(number: int, *, venue: str = "okx", side: Side = Side.LONG, usd: float | None = 512.5) -> Liquidation:
    """The liquidation called `number`, received that many milliseconds after the start."""
    ts = START + number * 1_000_000
    amount = None if usd is None else 0.125
    basis, size = PriceBasis.BANKRUPTCY, float(number)
    return Liquidation(venue, "BTC-USDT-SWAP", "BTC", side, 4100.0, basis, amount, usd, ts - 30_000_000, ts, size)


def price(milliseconds: int, *, venue: str = "okx", kind: PriceKind = PriceKind.MARK) -> Price:
    """A price received `milliseconds` after the start."""
    ts = START + milliseconds * 1_000_000
    return Price(venue, "BTC-USDT-SWAP", "BTC", kind, 4100.0 + milliseconds, ts, ts)


def every_kind() -> list[Event]:
    """One of each kind that is kept, in an order that no table has by itself."""
    return [
        FeedStatus("okx", "public-1", FeedState.SUBSCRIBED, START, "liquidation-orders"),
        liquidation(1),
        price(2),
        DecodeError("okx", "public-1", START + 3, "not JSON", b"\xff\x00{"),
        liquidation(4, usd=None),
        Gap("okx", "public-1", START + 4, START + 5, "connection lost", recovered=True),
        liquidation(6, venue="bybit", side=Side.SHORT),
    ]
