"""BitMEX: the order's side, contracts, a table that changes, and no time at all."""

from __future__ import annotations

from itertools import count

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text

NUMBERS = count(1)


def order(**changed: object) -> dict[str, object]:
    """A forced sale of 500,000 contracts (0.5 BTC) with the limit 64,000, its id one that no other has."""
    fields: dict[str, object] = {
        "orderID": f"00000000-0000-4000-8000-{next(NUMBERS):012}",
        "symbol": "XBTUSDT",
        "side": "Sell",
        "price": 64000.0,
        "leavesQty": 500_000,
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def table(action: str, *rows: object) -> bytes:
    return text({"table": "liquidation", "action": action, "data": list(rows)})


def frame(**changed: object) -> bytes:
    return table("insert", order(**changed))


def marks(**fields: object) -> bytes:
    row = {"symbol": "XBTUSD", "timestamp": "2026-09-21T13:46:40.123Z", **fields}
    return text({"table": "instrument", "action": "update", "data": [row]})


LISTED: dict[str, object] = {"typ": "FFWCSX", "isInverse": False, "isQuanto": False, "quoteCurrency": "USDT"}

CASES = Cases(
    instruments=(
        Instrument("XBTUSDT", "BTC", ContractKind.LINEAR, 1e-6),
        Instrument("1000PEPEUSDT", "PEPE", ContractKind.LINEAR, 0.1, 1000.0),
        Instrument("ZEROUSDT", "ZERO", ContractKind.LINEAR, 0.0),
    ),
    answer=text(
        [
            {
                **LISTED,
                "symbol": "XBTUSD",
                "underlying": "XBT",
                "quoteCurrency": "USD",
                "isInverse": True,
                "multiplier": -100_000_000,
            },
            {**LISTED, "symbol": "XBTUSDT", "underlying": "XBT", "underlyingToPositionMultiplier": 1_000_000},
            {**LISTED, "symbol": "SOLUSDT", "underlying": "SOL", "underlyingToPositionMultiplier": 10_000},
            {**LISTED, "symbol": "ZEROUSDT", "underlying": "ZERO", "underlyingToPositionMultiplier": 0},
            {
                **LISTED,
                "symbol": "ETHUSD",
                "underlying": "ETH",
                "quoteCurrency": "USD",
                "isQuanto": True,
                "settlCurrency": "XBt",
                "multiplier": 100,
            },
            {
                **LISTED,
                "symbol": "ETHXBT",
                "underlying": "ETH",
                "quoteCurrency": "XBT",
                "underlyingToPositionMultiplier": 1_000,
            },
            {**LISTED, "symbol": "XBTEUR", "underlying": "XBT", "quoteCurrency": "EUR", "isInverse": True},
            {**LISTED, "symbol": "XBT_USDT", "underlying": "XBT", "typ": "IFXXXP"},
        ]
    ),
    answered={
        "XBTUSD": Instrument("XBTUSD", "BTC", ContractKind.INVERSE, 1.0),
        "XBTUSDT": Instrument("XBTUSDT", "BTC", ContractKind.LINEAR, 1e-6),
        "SOLUSDT": Instrument("SOLUSDT", "SOL", ContractKind.LINEAR, 1e-4),
        "ZEROUSDT": Instrument("ZEROUSDT", "ZERO", ContractKind.LINEAR, None),
        "ETHUSD": Instrument("ETHUSD", "ETH", ContractKind.QUANTO, 1e-6),
        "ETHXBT": Instrument("ETHXBT", "ETH", ContractKind.LINEAR, None),
        "XBTEUR": Instrument("XBTEUR", "BTC", ContractKind.INVERSE, None),
    },
    absent_from_answer=("XBT_USDT",),
    sides={
        "Sell is a liquidated long": (frame(side="Sell"), Side.LONG),
        "Buy is a liquidated short": (frame(side="Buy"), Side.SHORT),
        "Sell of an inverse contract is a liquidated long": (frame(symbol="XBTUSD", side="Sell"), Side.LONG),
        "Buy of an inverse contract is a liquidated short": (frame(symbol="XBTUSD", side="Buy"), Side.SHORT),
        "an order that was open before": (table("partial", order(side="Buy")), Side.SHORT),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame(symbol="XBTUSD", leavesQty=8_000), 0.125, 8_000.0),
    unknown=Size(frame(symbol="LTCUSDT", leavesQty=7_000), None, None, asset="LTC"),
    zero=Size(frame(symbol="ZEROUSDT", leavesQty=7_000), None, None, asset="ZERO"),
    bundle=Size(frame(symbol="1000PEPEUSDT", leavesQty=40_000, price=0.02), 4_000_000.0, 80.0, asset="PEPE"),
    quarterly=Size(frame(symbol="XBTZ26", leavesQty=3_200), 0.05, 3_200.0),
    quanto=Size(frame(symbol="ETHUSD", leavesQty=500, price=3000), None, None, asset="ETH"),
    basis={
        "the limit of the order": (frame(), PriceBasis.LIMIT, 64_000.0),
        "that of an inverse contract": (frame(symbol="XBTUSD", price=63_000.5), PriceBasis.LIMIT, 63_000.5),
    },
    maker=Absent("the table is of the forced orders themselves"),
    deleveraged=Absent("deleveraging sends no order to the market: the table has no row of it"),
    batch=(
        table("insert", order(), order(side="Buy"), order(symbol="XBTUSD")),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=Absent("every order has an id"),
    first=(table("partial", order()), NOW + 250),
    silent={
        "a pong": b"pong",
        "a welcome": text({"info": "Welcome to the BitMEX Realtime API.", "version": "2.0.0", "limit": {}}),
        "an empty partial": text(
            {"table": "liquidation", "action": "partial", "keys": ["orderID"], "types": {}, "filter": {}, "data": []}
        ),
        "the end of an order": table("delete", {"orderID": "a", "symbol": "XBTUSD"}),
        "a change of an order that the partial will tell of": table(
            "update", {"orderID": "b", "symbol": "XBTUSD", "leavesQty": 5_000}
        ),
        "an instrument without a change of price": marks(openInterest=5),
        "an unsubscription": text({"success": True, "unsubscribe": "liquidation", "request": {}}),
        "another table": text({"table": "trade", "action": "insert", "data": [{"symbol": "XBTUSD", "size": 5}]}),
    },
    no_liquidation={
        "an acknowledgement": text({"success": True, "subscribe": "liquidation", "request": {"op": "subscribe"}}),
        "a last price": marks(lastPrice=64001.5),
    },
    acknowledged=(
        text({"success": True, "subscribe": "liquidation", "request": {"op": "subscribe", "args": ["liquidation"]}}),
        "liquidation",
    ),
    rejected={
        "a table": (
            text({"status": 400, "error": "Unknown table: liq", "meta": {}, "request": {"op": "x", "args": ["liq"]}}),
            "liq",
            "Unknown table",
        ),
        "one argument as text": (
            text({"status": 400, "error": "Unknown table: liq", "meta": {}, "request": {"args": "liq"}}),
            "liq",
            "400",
        ),
        "too many requests": (text({"status": 429, "error": "Rate limit exceeded"}), "", "429"),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("the row has no enum but the side, without which there is no liquidation"),
    half_broken=(table("insert", order(), order(leavesQty=-2), "row", order(side="Buy")), 2, 2),
    broken={
        "a side that is none": frame(side="Long"),
        "no side": frame(side=None),
        "a size of 0": frame(leavesQty=0),
        "no size": frame(leavesQty=None),
        "no price": frame(price=None),
        "no id": frame(orderID=None),
        "an empty id": frame(orderID=""),
        "an empty symbol": frame(symbol=""),
        "a symbol that cannot be printed": frame(symbol="\u0007"),
        "an action that is none": table("upsert", order()),
        "rows that are text": text({"table": "liquidation", "action": "insert", "data": "none"}),
        "a mark price of words": marks(markPrice="much"),
        "a mark price without a time": marks(markPrice=64000.5, timestamp=None),
        "a mark price of before 1970": marks(markPrice=64000.5, timestamp="1969-01-01T00:00:00Z"),
        "a mark price of next year": marks(markPrice=64000.5, timestamp="2027-09-21T13:46:40.123Z"),
        "a mark price of no symbol": marks(markPrice=64000.5, symbol="\u0007"),
        "a table that is a number": text({"table": 5, "action": "insert", "data": []}),
        "an answer of another kind": text({"status": "bad"}),
        "no event": text({"hello": "world"}),
    },
    later=Absent("the table has no times: an event is as of its receipt"),
    prices=(
        marks(markPrice=64010.25, lastPrice=64009.5, indicativeSettlePrice=64012.75, fairPrice=64010.25),
        {PriceKind.MARK: 64_010.25, PriceKind.LAST: 64_009.5, PriceKind.INDEX: 64_012.75},
    ),
    recorded=("bitmex",),
    assumed=(Instrument("XBTUSDT", "BTC", ContractKind.LINEAR, 1e-6),),
    refused=('"status":400',),
)

WIRE = Wire(
    path="/realtime",
    ping="ping",
    marker='"insert"',
    subscription={"op": "subscribe", "args": ["liquidation"]},
    said_first=3,
)
