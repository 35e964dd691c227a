"""Contracts, and the one place where they become coins and dollars."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec


class ContractKind(StrEnum):
    """What one contract is worth."""

    LINEAR = "LINEAR"
    """`multiplier` quoted units of the coin, paid in dollars or a stablecoin."""
    INVERSE = "INVERSE"
    """`multiplier` dollars, paid in the coin."""
    QUANTO = "QUANTO"
    """Paid in a third coin: its dollars need that coin's price, so they are left unknown here."""


# Several venues quote cheap tokens by the thousand or million: 1000PEPEUSDT, 1MBABYDOGEUSDT, SHIB1000USDT, kPEPE.
_BUNDLED = re.compile(r"^(?P<count>10{3,8}|1M|k)(?P<coin>[A-Z][A-Z0-9]*)$")
_BUNDLED_AFTER = re.compile(r"^(?P<coin>[A-Z]+)(?P<count>10{3,8})$")
_WORDS = {"1M": 1_000_000, "k": 1_000}


def unbundle(base: str) -> tuple[str, float]:
    """The coin in a venue's base name, and how many of it one quoted unit holds.

    >>> unbundle("1000PEPE"), unbundle("kBONK"), unbundle("SHIB1000"), unbundle("BTC"), unbundle("1INCH")
    (('PEPE', 1000.0), ('BONK', 1000.0), ('SHIB', 1000.0), ('BTC', 1.0), ('1INCH', 1.0))
    """
    found = _BUNDLED.match(base) or _BUNDLED_AFTER.match(base)
    if found is None:
        return base, 1.0
    count = found["count"]
    return found["coin"], float(_WORDS.get(count) or int(count))


# Looking a member up in its enum costs half of a whole conversion.
_LINEAR, _INVERSE = ContractKind.LINEAR, ContractKind.INVERSE
_LEAST, _MOST = 1e-18, 1e18


class Instrument(msgspec.Struct, frozen=True, gc=False):
    """One contract of one venue."""

    symbol: str
    """The venue's own name of it."""
    asset: str
    """The coin, unbundled: "PEPE" for 1000PEPEUSDT."""
    kind: ContractKind
    multiplier: float | None
    """LINEAR: quoted units of the coin per contract (1.0 where sizes are given in coins already).
    INVERSE: dollars per contract. `None` when not known, and whatever cannot be one becomes that: venues send 0."""
    bundle: float = 1.0
    """Coins per quoted unit: 1000 for 1000PEPEUSDT."""
    coins: float = 0.0
    """Coins of one contract, where that is all its conversion takes; else 0. Found out from the others, whatever it is
    given as."""
    dollars: float = 0.0
    """Dollars of one contract, in the same way."""

    def __post_init__(self) -> None:
        multiplier = self.multiplier
        # Checked once here and not with every size. NaN fails the comparison too, and what is far outside any market would
        # make a size infinite.
        if multiplier is not None and not _LEAST <= multiplier <= _MOST:
            msgspec.structs.force_setattr(self, "multiplier", multiplier := None)
        simple = (self.bundle == 1.0 and multiplier) or 0.0
        msgspec.structs.force_setattr(self, "coins", simple if self.kind is _LINEAR else 0.0)
        msgspec.structs.force_setattr(self, "dollars", simple if self.kind is _INVERSE else 0.0)

    def size(self, contracts: float, price: float) -> tuple[float | None, float | None]:
        """Coins and dollars of `contracts` at `price` (quote currency per quoted unit).

        Both are `None` where the multiplier is not known or the contract is a quanto.
        """
        multiplier = self.multiplier
        if multiplier is None:
            return None, None
        kind, quantity = self.kind, contracts * multiplier
        if kind is _LINEAR:
            return quantity * self.bundle, quantity * price
        if kind is _INVERSE:
            return quantity / price * self.bundle, quantity
        return None, None


class Instruments(Mapping[str, Instrument]):
    """The instruments of one venue by symbol. Shared by its connections; an answer from the venue updates it."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self.by_symbol: dict[str, Instrument] = {}
        """For readers in a hurry; `update` alone writes to it."""
        self.revision = 0
        """How many updates there have been."""
        self.accounts: tuple[str, ...] = ()
        """Those the venue told of whose liquidations can be seen, where that is all that can be."""
        self.update(instruments)

    def update(self, instruments: Iterable[Instrument]) -> None:
        """Add `instruments`, replacing those of the same symbol."""
        self.by_symbol.update((instrument.symbol, instrument) for instrument in instruments)
        self.revision += 1

    def __getitem__(self, symbol: str) -> Instrument:
        return self.by_symbol[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_symbol)

    def __len__(self) -> int:
        return len(self.by_symbol)
