"""What the simulated venues list, and how an order looks in a contract's own numbers."""

from __future__ import annotations

from random import Random

import msgspec

from liquake.model import Side
from liquake.simulate.order import Order

MILLISECOND = 1_000_000


class Contract(msgspec.Struct, frozen=True):
    """One listed contract."""

    symbol: str
    asset: str
    price_decimals: int
    size_decimals: int
    multiplier: float = 1.0
    """Linear: quoted units of the coin per contract. Inverse: dollars per contract."""
    inverse: bool = False
    bundle: int = 1
    """Coins per quoted unit: 1000 for 1000PEPEUSDT."""
    share: float = 1.0
    """Of the asset's orders on the venue, before normalisation."""

    def price_text(self, price: float) -> str:
        """`price` in dollars per coin, as the venue would write it."""
        return f"{price * self.bundle:.{self.price_decimals}f}"

    def size_text(self, order: Order) -> str:
        """The order's size in the venue's unit, never less than its smallest step."""
        units = order.usd / self.multiplier if self.inverse else order.amount / self.bundle / self.multiplier
        return f"{max(units, 10.0**-self.size_decimals):.{self.size_decimals}f}"

    def worth(self, size: str, price: str) -> tuple[float, float]:
        """Coins and dollars of what was written."""
        if self.inverse:
            usd = float(size) * self.multiplier
            return usd / float(price) * self.bundle, usd
        units = float(size) * self.multiplier
        return units * self.bundle, units * float(price)


class Listing:
    """The contracts of one venue, and which of them an order of an asset is in."""

    def __init__(self, contracts: tuple[Contract, ...], rng: Random) -> None:
        self.contracts = contracts
        self.by_symbol = {contract.symbol: contract for contract in contracts}
        self._rng = rng
        self._by_asset: dict[str, list[Contract]] = {}
        for contract in contracts:
            self._by_asset.setdefault(contract.asset, []).append(contract)

    def pick(self, asset: str) -> Contract:
        """One of the asset's contracts, by their shares."""
        contracts = self._by_asset[asset]
        if len(contracts) == 1:
            return contracts[0]
        return self._rng.choices(contracts, [contract.share for contract in contracts])[0]


class Published(msgspec.Struct, frozen=True, gc=False):
    """The truth: one liquidation that a simulated venue sent."""

    venue: str
    instrument: str
    side: Side
    """The position that was liquidated."""
    price: float
    """The fill at Binance and Hyperliquid, the bankruptcy price at Bybit and OKX."""
    amount: float
    """Coins, of the size as written."""
    usd: float
    """Dollars, of the size and price as written."""
    ts: int
    """The venue's time of the event as written, UTC nanoseconds."""
    size: float
    """As written, in the venue's unit."""
    id: str | None = None
    """By which the venue's protocol tells the event from others, where that is not its values."""
    sent: int = 0
    """By the simulation's clock, UTC nanoseconds."""
    subscribed: int = 0
    """Connections it was sent to when it first was. 0: somebody was connected, but nobody had asked for it."""

    @property
    def key(self) -> str:
        """In the form of `Liquidation.key`."""
        return self.id or f"{self.instrument}|{self.side}|{self.size}|{self.price}|{self.ts}"
