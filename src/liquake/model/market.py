"""Prices, quotes and trades, and the names of markets.

A market is an asset quoted in dollars over all venues: `BTCUSDT` means every BTC/USD-like contract.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from liquake.model.instrument import unbundle

# Without BUSD, which is gone: BNBUSD is BNB in dollars, not BN in BUSD.
_DOLLARS = ("USDT", "USDC", "FDUSD", "USD1", "USDE", "USD", "PERP")
# What venues put around a coin: PF_XBTUSD on Kraken, tBTCF0:USTF0 and tBTCUSD on Bitfinex, xyz:CRWV on Hyperliquid.
_KRAKEN = re.compile(r"^[PF][IFV]_(?=\w+(USD|EUR|XBT))")
_BITFINEX = re.compile(r"^t(?P<base>[A-Z0-9]{2,}?)(F0:(USTF0|BTCF0)|:?USDT?|:?UST)$")
_LISTED_BY = re.compile(r"^[a-z][a-z0-9]*:(?=k?[A-Z])")
_ALIASES = {"XBT": "BTC", "XDG": "DOGE"}
_SUFFIXES = re.compile(r"[-_/:](SWAP|PERP|PERPETUAL|FUTURES)$")


class PriceKind(StrEnum):
    """What a price is the price of."""

    MARK = "MARK"
    INDEX = "INDEX"
    LAST = "LAST"


class TakerSide(StrEnum):
    """Whether the order that took liquidity bought or sold."""

    BUY = "BUY"
    SELL = "SELL"


class Price(msgspec.Struct, frozen=True, gc=False):
    """What an instrument is worth at a moment, in quote currency per quoted unit."""

    venue: str
    instrument: str
    asset: str
    kind: PriceKind
    price: float
    ts_event: int
    ts_recv: int


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask (quote currency per quoted unit) with their sizes in coins."""

    venue: str
    instrument: str
    asset: str
    bid: float
    bid_amount: float
    ask: float
    ask_amount: float
    ts_event: int
    ts_recv: int


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public trade. `amount` in coins, `usd` in dollars."""

    venue: str
    instrument: str
    asset: str
    taker: TakerSide
    price: float
    amount: float
    usd: float
    ts_event: int
    ts_recv: int
    identity: tuple[str | int, ...]


def market_of(asset: str) -> str:
    """The market's name: "BTCUSDT" for "BTC"."""
    return f"{asset}USDT"


# The day of delivery: BTCUSDT_260626 on Binance, BTCUSDT-26JUN26 and, among inverse contracts, BTCUSDM26 on Bybit.
_DELIVERY = re.compile(r"[-_]\d{6}$|-\d{1,2}[A-Z]{3}\d{2}$|(?<=USD|XBT)[FGHJKMNQUVXZ]\d{2}$")


def asset_of(name: str) -> str | None:
    """The asset a user means by `name`, or `None` when it cannot be the name of a market.

    >>> [asset_of(name) for name in ("BTC", "btcusdt", "btc-usdt-swap", "1000PEPEUSDT", "BTC/USD", "PERP", "?")]
    ['BTC', 'BTC', 'BTC', 'PEPE', 'BTC', 'PERP', None]
    >>> [asset_of(name) for name in ("PF_XBTUSD", "XBTUSD", "tETHF0:USTF0", "xyz:CRWV")]
    ['BTC', 'BTC', 'ETH', 'CRWV']
    """
    name = _LISTED_BY.sub("", _BITFINEX.sub(r"\g<base>", name.strip()))
    # The k of kPEPE is a thousand and that of KAVA is not: the one letter whose case counts.
    text = name if name.startswith("k") and name[1:].isupper() else name.upper()
    text = _SUFFIXES.sub("", _DELIVERY.sub("", _KRAKEN.sub("", text)))
    parts = [part for part in re.split(r"[-_/:]", text) if part]
    # Not of ASCII alone: Binance lists coins with Chinese names.
    if not parts or not all(part.isalnum() for part in parts):
        return None
    base = parts[0]
    if len(parts) == 1 and base not in _DOLLARS:
        base = next((base[: -len(quote)] for quote in _DOLLARS if base.endswith(quote)), base)
    asset = unbundle(base)[0]
    return _ALIASES.get(asset, asset)
