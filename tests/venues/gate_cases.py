"""Gate: the order's side on the socket, the position's in the history; contracts of so many coins, or of a dollar."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def row(**changed: object) -> dict[str, object]:
    """A forced sale of 5,000 contracts of 0.0001 BTC, which closes a long."""
    fields: dict[str, object] = {"price": "64000.0", "size": "-5000", "time_ms": NOW, "contract": "BTC_USDT"}
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def batch(*rows: object, channel: str = "futures.public_liquidates") -> bytes:
    message = {"time": NOW // 1000, "time_ms": NOW + 200, "channel": channel, "event": "update", "result": list(rows)}
    return text(message)


def frame(**changed: object) -> bytes:
    return batch(row(**changed))


def past(**changed: object) -> bytes:
    """An answer of the REST history: the same event, seen from the position."""
    fields: dict[str, object] = {
        "time": NOW // 1000,
        "contract": "BTC_USDT",
        "size": "5000",
        "order_size": "-5000",
        "order_price": "64000.0",
        "fill_price": "64100.0",
        "left": "0",
    }
    return text([{**fields, **changed}])


def answer(channel: str, event: str = "subscribe", **fields: object) -> bytes:
    return text({"time": NOW // 1000, "time_ms": NOW, "channel": channel, "event": event, **fields})


def ticker(**fields: object) -> bytes:
    return batch({"contract": "BTC_USDT", "change_percentage": "0.7", **fields}, channel="futures.tickers")


BTC = Instrument("BTC_USDT", "BTC", ContractKind.LINEAR, 0.0001)

CASES = Cases(
    instruments=(
        BTC,
        Instrument("BTC_USD", "BTC", ContractKind.INVERSE, 1.0),
        Instrument("1000BONK_USDT", "BONK", ContractKind.LINEAR, 10.0, 1000.0),
        Instrument("ZERO_USDT", "ZERO", ContractKind.LINEAR, 0.0),
        Instrument("ETH_USD", "ETH", ContractKind.QUANTO, None),
    ),
    answer=text(
        [
            {"name": "BTC_USDT", "type": "direct", "quanto_multiplier": "0.0001", "status": "trading"},
            {"name": "1000BONK_USDT", "type": "direct", "quanto_multiplier": "10", "status": "trading"},
            {"name": "GOING_USDT", "type": "direct", "quanto_multiplier": "1", "status": "delisting"},
            {"name": "GONE_USDT", "type": "direct", "quanto_multiplier": "1", "status": "delisted"},
            {"name": "ZERO_USDT", "type": "direct", "quanto_multiplier": "0", "status": "trading"},
            {"name": "BTC_USD", "type": "inverse", "quanto_multiplier": "0", "status": "trading"},
            {"name": "ETH_USD", "type": "quanto", "quanto_multiplier": "0.000001", "status": "trading"},
            {"name": "BTC_EUR", "type": "direct", "quanto_multiplier": "0.001", "status": "trading"},
        ]
    ),
    answered={
        "BTC_USDT": BTC,
        "1000BONK_USDT": Instrument("1000BONK_USDT", "BONK", ContractKind.LINEAR, 10.0, 1000.0),
        "GOING_USDT": Instrument("GOING_USDT", "GOING", ContractKind.LINEAR, 1.0),
        "ZERO_USDT": Instrument("ZERO_USDT", "ZERO", ContractKind.LINEAR, None),
        "BTC_USD": Instrument("BTC_USD", "BTC", ContractKind.INVERSE, 1.0),
        "ETH_USD": Instrument("ETH_USD", "ETH", ContractKind.QUANTO, None),
        "BTC_EUR": Instrument("BTC_EUR", "BTC", ContractKind.LINEAR, None),
    },
    absent_from_answer=("GONE_USDT",),
    sides={
        "a negative size sells: a liquidated long": (frame(size="-3"), Side.LONG),
        "a positive size buys: a liquidated short": (frame(size="3"), Side.SHORT),
        "a whole number": (frame(size=-3), Side.LONG),
        "a decimal number": (frame(size=2.5), Side.SHORT),
        "of an inverse contract, negative": (frame(contract="BTC_USD", size=-90), Side.LONG),
        "of an inverse contract, positive": (frame(contract="BTC_USD", size=90), Side.SHORT),
        "time in milliseconds by its new name": (frame(time_ms=None, time=NOW), Side.LONG),
        "time in seconds, as it was": (frame(time_ms=None, time=NOW // 1000), Side.LONG),
        "a size beyond what decimals may have": (frame(size="-0.5"), Side.LONG),
        "a row that is not in a list": (
            text({"channel": "futures.public_liquidates", "event": "update", "time_ms": NOW, "result": row(size="1")}),
            Side.SHORT,
        ),
        "in the history a positive size is a long": (past(), Side.LONG),
        "in the history a negative size is a short": (past(size="-5000", order_size="5000"), Side.SHORT),
        "in the history, without the order's size": (past(order_size=None), Side.LONG),
        "in the history, nothing filled yet": (past(fill_price="0", size=-5, order_size=5), Side.SHORT),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame(contract="BTC_USD", size="8000"), 0.125, 8_000.0),
    unknown=Size(frame(contract="NEW_USDT"), None, None, asset="NEW"),
    zero=Size(frame(contract="ZERO_USDT"), None, None, asset="ZERO"),
    bundle=Size(frame(contract="1000BONK_USDT", size="-400", price="0.02"), 4_000_000.0, 80.0, asset="BONK"),
    quarterly=Absent("delivery futures have no public channel of liquidations"),
    quanto=Size(frame(contract="ETH_USD", size="-30", price="3000"), None, None, asset="ETH"),
    basis={
        "that of the order": (frame(), PriceBasis.LIMIT, 64_000.0),
        "what was paid, in the history": (past(), PriceBasis.FILL, 64_100.0),
        "that of the order, where the history tells of no fill": (past(fill_price="0"), PriceBasis.LIMIT, 64_000.0),
    },
    maker=Absent("the row is of the forced order, or of the position: who took is not told"),
    deleveraged={
        "a channel of its own": batch({"contract": "BTC_USDT", "entry_price": "2"}, channel="futures.auto_deleverages"),
    },
    batch=(
        batch(row(), row(size="5000", time_ms=NOW + 1), row(contract="BTC_USD", time_ms=NOW + 1), row(time_ms=NOW - 1)),
        (Side.LONG, Side.SHORT, Side.LONG, Side.LONG),
    ),
    twins=batch(row(), row()),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "a pong": answer("futures.pong", "", result=None),
        "an unsubscription": answer("futures.tickers", "unsubscribe", result={"status": "success"}),
        "another channel": batch({"contract": "BTC_USDT", "size": 3, "price": "64000"}, channel="futures.trades"),
        "another channel's list of lists": batch([1], channel="futures.candlesticks"),
        "a history without events": b"[]",
    },
    no_liquidation={
        "an acknowledgement": answer("futures.tickers", error=None, result={"status": "success"}),
        "a ticker of a new contract": ticker(last="0", mark_price="", index_price="64003"),
    },
    acknowledged=(
        answer("futures.public_liquidates", error=None, result={"status": "success"}),
        "futures.public_liquidates",
    ),
    rejected={
        "an argument": (
            answer("futures.public_liquidates", error={"code": 2, "message": "unknown contract XYZ"}, result=None),
            "futures.public_liquidates",
            "2 unknown contract XYZ",
        ),
        "the service": (
            answer("futures.tickers", error={"code": 3, "message": "service error"}, result=None),
            "futures.tickers",
            "service",
        ),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("the row has no enum: the side is a sign"),
    half_broken=(batch(row(), row(size="x"), "row", row(size="7", time_ms=NOW + 4), row(price=None)), 2, 3),
    broken={
        "a size of 0": frame(size="0"),
        "no size": frame(size=None),
        "no price": frame(price=None),
        "a price of 0": frame(price="0"),
        "no time": frame(time_ms=None),
        "a time in nanoseconds": frame(time_ms=NOW * 1_000_000),
        "an empty contract": frame(contract=""),
        "no base": frame(contract="_USDT"),
        "no result": answer("futures.public_liquidates", "update"),
        "a ticker of words": ticker(mark_price="much"),
        "a ticker of no contract": ticker(contract="_USDT", last="1"),
        "tickers of no time": text({"channel": "futures.tickers", "event": "update", "result": []}),
        "a ticker of another year": text(
            {"channel": "futures.tickers", "event": "update", "time_ms": 10**14, "result": [{"contract": "BTC_USDT"}]}
        ),
        "a history of no position": past(size="0"),
        "a history of no contract": past(contract="_USDT"),
        "a history of no price": past(order_price="x"),
        "a channel that is a number": text({"channel": 5, "event": "update", "result": []}),
        "an event that is unknown": answer("futures.tickers", "shrug"),
        "an error that is text": answer("futures.tickers", error="no"),
        "no data": text({"hello": "world"}),
    },
    later=lambda moment: frame(time_ms=moment),
    prices=(
        ticker(last="64000.5", mark_price="64001.25", index_price="64003"),
        {PriceKind.LAST: 64_000.5, PriceKind.MARK: 64_001.25, PriceKind.INDEX: 64_003.0},
    ),
    recorded=("gateio",),
    assumed=(BTC,),
    refused=('"error":{"code"',),
)

WIRE = Wire(
    path="/v4/ws/usdt",
    ping='{"time":1,"channel":"futures.ping"}',
    marker='"size"',
    subscription={"time": 1, "channel": "futures.public_liquidates", "event": "subscribe", "payload": ["!all"]},
    said_first=1,
)
