"""A forced liquidation, as one venue published it."""

from __future__ import annotations

from enum import StrEnum
from math import log10

import msgspec


class Side(StrEnum):
    """Which position was liquidated. Never the side of the order that closed it."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.SHORT if self is Side.LONG else Side.LONG


class PriceBasis(StrEnum):
    """What the price of a liquidation is the price of."""

    FILL = "FILL"
    """What was paid, averaged over the fills."""
    BANKRUPTCY = "BANKRUPTCY"
    """Where the position's margin was zero; the fill is usually a few tenths of a per cent away."""
    LIMIT = "LIMIT"
    """The limit of the forced order."""
    ENTRY = "ENTRY"
    """Where the position had been opened: says nothing of the market at the time."""


OPEN_BEFORE = "open before subscribing"
"""Tag of an order that stood when its venue began to be listened to, and of which nobody tells since when."""


class Liquidation(msgspec.Struct, frozen=True, gc=False):
    """One published liquidation, normalised.

    `amount` and `usd` are `None` when the contract multiplier is not known: an absent number is shown as absent.
    """

    venue: str
    """liquake's name of the venue: "binance"."""
    instrument: str
    """The venue's own symbol: "BTCUSDT", "BTC-USDT-SWAP"."""
    asset: str
    """The coin: "BTC". "PEPE" for 1000PEPEUSDT."""
    side: Side
    """The position that was liquidated."""
    price: float
    """As the venue quotes it: in quote currency per quoted unit (for 1000PEPEUSDT, per 1,000 PEPE)."""
    price_basis: PriceBasis
    amount: float | None
    """In coins of `asset`."""
    usd: float | None
    """In US dollars; stablecoins count as dollars."""
    ts_event: int
    """When it happened by the venue's clock, UTC nanoseconds."""
    ts_recv: int
    """When its frame reached us by our clock, UTC nanoseconds."""
    size: float | None = None
    """As the venue counts it: contracts, coins or dollars. `None` where only amounts are known."""
    id: str | None = None
    """What the venue, or where it has no ids its reader, tells this event by from all others of the venue."""
    tags: tuple[str, ...] = ()
    """What a reader should know of it that has no field: enum values this version does not know, "backstop"."""

    @property
    def coin_price(self) -> float:
        """`price` per coin of `asset`: a thousandth of it for 1000PEPEUSDT. As quoted where the size is not known.

        Beside other venues' prices of the coin, and beside an amount in coins, the quoted one would be wrong by as much.
        """
        if not self.amount or not self.usd:
            return self.price
        # A power of ten: amounts and dollars that a venue rounds do not quite agree with its price.
        bundle = round(log10(self.price * self.amount / self.usd))
        return self.price / 10.0**bundle if bundle else self.price

    @property
    def key(self) -> str:
        """Unique within the venue; the same event received twice has the same key.

        Without an `id` it is made of what no correction of a multiplier changes.
        """
        return self.id or f"{self.instrument}|{self.side}|{self.size}|{self.price}|{self.ts_event}"
