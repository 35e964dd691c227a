"""What the simulated market gives out: forced orders, and the moments at which cascades begin."""

from __future__ import annotations

import msgspec

from liquake.model import Side

VENUE_SHARES = {"binance": 0.42, "bybit": 0.26, "okx": 0.20, "hyperliquid": 0.12}
"""Which share of the forced orders each venue executes."""


class Order(msgspec.Struct, frozen=True, gc=False):
    """A forced order as executed, before any venue decides what of it to publish."""

    ts: int
    """UTC nanoseconds."""
    venue: str
    asset: str
    side: Side
    """The position that was liquidated."""
    price: float
    """Average fill, dollars per coin."""
    bankruptcy_price: float
    """Where the position's margin was gone, dollars per coin: below the fill for a long, above it for a short."""
    amount: float
    """Coins."""
    usd: float


class Cascade(msgspec.Struct, frozen=True, gc=False):
    """The truth about one cascade: forced flow of one side that moves the price by itself."""

    ts: int
    """When it started, UTC nanoseconds."""
    asset: str
    side: Side


class Quoted(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of one coin: dollars per coin, sizes in coins."""

    bid: float
    bid_amount: float
    ask: float
    ask_amount: float
