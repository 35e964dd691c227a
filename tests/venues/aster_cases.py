"""Aster: Binance's frames, the order's side, coins alone."""

from __future__ import annotations

from dataclasses import replace

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues import binance_cases
from tests.venues.cases import NOW, Absent, Size, Wire, text

SYMBOL = {"status": "TRADING", "contractType": "PERPETUAL", "marginAsset": "USDT", "quoteAsset": "USDT"}


def event(**changed: object) -> dict[str, object]:
    """Without `ps` and `st`, which this venue has never had."""
    return binance_cases.event(ps=None, st=None, **changed)


def frame(**changed: object) -> bytes:
    return text({"stream": "!forceOrder@arr", "data": event(**changed)})


CASES = replace(
    binance_cases.CASES,
    answer=text(
        {
            "timezone": "UTC",
            "symbols": [
                {**SYMBOL, "symbol": "BTCUSDT", "baseAsset": "BTC"},
                {**SYMBOL, "symbol": "1000BONKUSDT", "baseAsset": "1000BONK"},
                {**SYMBOL, "symbol": "ASTERUSD1", "baseAsset": "ASTER", "quoteAsset": "USD1"},
                {**SYMBOL, "symbol": "ETHBTC", "baseAsset": "ETH", "quoteAsset": "BTC"},
            ],
        }
    ),
    answered={
        "BTCUSDT": Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0),
        "1000BONKUSDT": Instrument("1000BONKUSDT", "BONK", ContractKind.LINEAR, 1.0, 1000.0),
        "ASTERUSD1": Instrument("ASTERUSD1", "ASTER", ContractKind.LINEAR, 1.0),
        "ETHBTC": Instrument("ETHBTC", "ETH", ContractKind.LINEAR, None),
    },
    sides={
        "a forced sale closes a long": (frame(S="SELL"), Side.LONG),
        "a forced purchase closes a short": (frame(S="BUY"), Side.SHORT),
        "bare, as /ws sends it": (text(event(S="BUY")), Side.SHORT),
        "in an array": (text([event(S="SELL")]), Side.LONG),
        "an order that is filled in part so far": (frame(S="BUY", X="PARTIALLY_FILLED"), Side.SHORT),
    },
    # z and ap decide: neither q nor l, nor the limit p.
    linear=Size(frame(z="0.125", q="0.300", l="0.010"), 0.125, 8_000.0),
    inverse=Absent("no contract is paid in its coin"),
    # What would be coin-margined at Binance is nothing known here.
    unknown=Size(frame(s="BTCUSD_PERP", z="3", ap="50000", p="49000"), None, None, asset="BTCUSD_PERP"),
    zero=Absent("sizes are in coins: no multiplier is needed"),
    bundle=Size(frame(s="1000BONKUSDT", z="9000", ap="0.02", p="0.019"), 9_000_000.0, 180.0, asset="BONK"),
    quarterly=Absent("there are no contracts with a day of delivery"),
    quanto=Absent("every contract is paid in what it is quoted in"),
    basis={
        "what was paid on average": (frame(), PriceBasis.FILL, 64_000.0),
        "the limit, where no average is told": (frame(ap="0"), PriceBasis.LIMIT, 63_500.0),
    },
    batch=(
        text([event(S="SELL"), event(S="BUY", z="1"), event(s="SOLUSDT", S="SELL")]),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    half_broken=(text([event(), event(z="-1"), 17, event(S="BUY")]), 2, 2),
    later=lambda moment: frame(T=moment),
    prices=(
        text(
            {
                "stream": "btcusdt@markPrice@1s",
                "data": {
                    "e": "markPriceUpdate",
                    "E": NOW,
                    "s": "BTCUSDT",
                    "p": "64007.5",
                    "i": "64018.75",
                    "P": "64001.0",
                    "r": "0.0002",
                    "T": NOW + 3_600_000,
                },
            }
        ),
        {PriceKind.MARK: 64_007.5, PriceKind.INDEX: 64_018.75},
    ),
    recorded=("aster",),
    excused={b"null": "a missing average price falls back to the limit"},
)

WIRE = Wire(path="/ws/!forceOrder@arr", ping='{"method":"LIST_SUBSCRIPTIONS"}', marker='"forceOrder"')
