"""Binance: the order's side, coins if USDT-margined, contracts if coin-margined."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def order(**changed: object) -> dict[str, object]:
    """A forced sale of 0.25 BTC at 64,000 on average, limit 63,500, as the stream has it in `o`."""
    fields: dict[str, object] = {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.250",
        "p": "63500.00",
        "ap": "64000.00",
        "X": "FILLED",
        "l": "0.050",
        "z": "0.250",
        "T": NOW,
        "ps": "BTCUSDT",
        "st": 1,
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def event(**changed: object) -> dict[str, object]:
    return {"e": "forceOrder", "E": NOW + 900, "o": order(**changed)}


def frame(**changed: object) -> bytes:
    return text({"stream": "!forceOrder@arr", "data": event(**changed)})


def coin_margined(**changed: object) -> bytes:
    fields = {"s": "BTCUSD_PERP", "ps": "BTCUSD", "st": 2, "z": "40", "q": "40", "ap": "50000.0", "p": "49500.0"}
    return frame(**{**fields, **changed})


def beside(product: int, **changed: object) -> bytes:
    return text({"stream": "!forceOrder@arr", "data": {**event(ps=None, st=None, **changed), "ps": "X", "st": product}})


SYMBOL = {"status": "TRADING", "contractType": "PERPETUAL", "marginAsset": "USDT"}

CASES = Cases(
    instruments=(),
    answer=text(
        {
            "timezone": "UTC",
            "symbols": [
                {**SYMBOL, "symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"},
                {**SYMBOL, "symbol": "1000SHIBUSDT", "baseAsset": "1000SHIB", "quoteAsset": "USDT"},
                {**SYMBOL, "symbol": "SOLUSDT", "baseAsset": "SOL", "quoteAsset": "USDT", "contractSize": 1},
                {**SYMBOL, "symbol": "ETHBTC", "baseAsset": "ETH", "quoteAsset": "BTC"},
                {**SYMBOL, "symbol": "ADAUSD_PERP", "baseAsset": "ADA", "quoteAsset": "USD", "contractSize": 10},
            ],
        }
    ),
    answered={
        "BTCUSDT": Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0),
        "1000SHIBUSDT": Instrument("1000SHIBUSDT", "SHIB", ContractKind.LINEAR, 1.0, 1000.0),
        "SOLUSDT": Instrument("SOLUSDT", "SOL", ContractKind.LINEAR, 1.0),
        "ETHBTC": Instrument("ETHBTC", "ETH", ContractKind.LINEAR, None),
        "ADAUSD_PERP": Instrument("ADAUSD_PERP", "ADA", ContractKind.INVERSE, 10.0),
    },
    absent_from_answer=(),
    sides={
        "a forced sale closes a long": (frame(S="SELL"), Side.LONG),
        "a forced purchase closes a short": (frame(S="BUY"), Side.SHORT),
        "a forced sale of coin-margined contracts closes a long": (coin_margined(S="SELL"), Side.LONG),
        "a forced purchase of coin-margined contracts closes a short": (coin_margined(S="BUY"), Side.SHORT),
        "bare, as /ws sends it": (text(event(S="BUY")), Side.SHORT),
        "in an array": (text([event(S="SELL")]), Side.LONG),
        "in an array within the envelope": (text({"stream": "!forceOrder@arr", "data": [event(S="BUY")]}), Side.SHORT),
        "without ps and st, as until 2026": (frame(S="SELL", ps=None, st=None), Side.LONG),
        "with ps and st beside the order": (beside(1, S="BUY"), Side.SHORT),
    },
    # z and ap decide: neither q nor l, nor the limit p.
    linear=Size(frame(z="0.250", q="0.300", l="0.010"), 0.25, 16_000.0),
    inverse=Size(coin_margined(), 0.08, 4_000.0),
    unknown=Size(frame(s="ETHBTC", z="3", ap="0.04", p="0.03"), None, None, asset="ETHBTC"),
    zero=Absent(
        "sizes are in coins, or in contracts whose dollars are documented; a contractSize of 0 is refused in the answer"
    ),
    bundle=Size(frame(s="1000SHIBUSDT", z="7000", ap="0.02", p="0.019"), 7_000_000.0, 140.0, asset="SHIB"),
    quarterly=Size(frame(s="ETHUSDT_260925", z="2", ap="3000", p="2990"), 2.0, 6_000.0, asset="ETH"),
    quanto=Absent("no contract is paid in a coin that is neither its own nor a dollar's"),
    basis={
        "what was paid on average": (frame(), PriceBasis.FILL, 64_000.0),
        "the limit, where no average is told": (frame(ap="0"), PriceBasis.LIMIT, 63_500.0),
        "what was paid for coin-margined contracts": (coin_margined(), PriceBasis.FILL, 50_000.0),
    },
    maker=Absent("the row is of the forced order itself, which is filled at once or not at all"),
    deleveraged={
        "a trade": text(
            {"stream": "x@trade", "data": {"e": "trade", "s": "BTCUSDT", "p": "1", "q": "2", "X": "ADL", "T": NOW}}
        ),
    },
    batch=(
        text([event(S="SELL"), event(S="BUY", z="1"), event(s="SOLUSDT", S="SELL")]),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=Absent("one order per symbol and second is published at most"),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "another's answer": text({"result": ["!forceOrder@arr"], "id": 4}),
        "a trade against the insurance fund": text(
            {
                "stream": "x@trade",
                "data": {"e": "trade", "s": "BTCUSDT", "p": "1", "q": "2", "X": "INSURANCE_FUND", "T": NOW},
            }
        ),
    },
    no_liquidation={
        "an acknowledgement": text({"result": None, "id": 4}),
        "an aggregate trade": text(
            {"stream": "btcusdt@aggTrade", "data": {"e": "aggTrade", "s": "BTCUSDT", "p": "64001", "q": "1", "T": NOW}}
        ),
    },
    acknowledged=(text({"result": None, "id": 3}), "3"),
    rejected={
        "an error within an error": (
            text({"error": {"code": 2, "msg": "Invalid request: unknown variant"}, "id": 9}),
            "9",
            "unknown variant",
        ),
        "an error by itself": (text({"code": 2, "msg": "Invalid request: missing field"}), "", "missing field"),
    },
    closing=Absent("the end after 24 hours is not announced"),
    strange={
        "a status": (frame(X="INSURANCE_FUND"), ("X=INSURANCE_FUND",)),
        "an order type": (frame(o="LIQUIDATION"), ("o=LIQUIDATION",)),
        "a time in force": (frame(f="HIDDEN"), ("f=HIDDEN",)),
        "a product": (frame(st=7), ("st=7",)),
        "a product with a name": (frame(st="EQUITY"), ("st=EQUITY",)),
        "a product beside the order": (beside(9), ("st=9",)),
        "two at once": (frame(X="NEW_INSURANCE", f="GTE_GTC"), ("X=NEW_INSURANCE", "f=GTE_GTC")),
    },
    half_broken=(text([event(), event(z="-1"), 17, event(S="BUY")]), 2, 2),
    broken={
        "a side that is none": frame(S="LONG"),
        "no side": frame(S=None),
        "a size of 0": frame(z="0"),
        "no size": frame(z=None),
        "no price at all": frame(ap="0", p="0"),
        "no time": frame(T=None),
        "a time in seconds": frame(T=NOW // 1000),
        "an event of another kind": text({"e": "ceasedOrder", "o": order()}),
        "no event": text({"hello": "world"}),
        "an empty symbol": frame(s=""),
        "a boolean size": frame(z=True),
    },
    later=lambda moment: frame(T=moment),
    prices=(
        text(
            {
                "stream": "btcusdt@markPrice@1s",
                "data": {
                    "e": "markPriceUpdate",
                    "E": NOW,
                    "s": "BTCUSDT",
                    "p": "64010.5",
                    "ap": "64009.0",
                    "i": "64020.25",
                    "P": "64000.0",
                    "r": "0.0001",
                    "T": NOW + 3_600_000,
                    "st": 1,
                },
            }
        ),
        {PriceKind.MARK: 64_010.5, PriceKind.INDEX: 64_020.25},
    ),
    recorded=("binance_usdm", "binance_coinm"),
    excused={b"null": "a missing average price falls back to the limit"},
)

WIRE = Wire(path="/market/ws/!forceOrder@arr", ping='{"method":"LIST_SUBSCRIPTIONS"}', marker='"forceOrder"')
