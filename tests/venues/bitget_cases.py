"""Bitget: the position's side; dollars, whatever the contract."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def row(**changed: object) -> dict[str, object]:
    """A long of 0.5 BTC, bankrupt at 64,000: 32,000 dollars."""
    fields: dict[str, object] = {
        "symbol": "BTCUSDT",
        "side": "buy",
        "price": "64000",
        "amount": "32000.0",
        "ts": str(NOW),
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def batch(*rows: object, category: str = "usdt-futures") -> bytes:
    argument = {"instType": category, "topic": "liquidation"}
    return text({"action": "update", "arg": argument, "data": list(rows), "ts": NOW + 900})


def frame(category: str = "usdt-futures", **changed: object) -> bytes:
    return batch(row(**changed), category=category)


def ticker(ts: int = NOW, symbol: str = "BTCUSDT", **fields: object) -> bytes:
    argument = {"instType": "usdt-futures", "topic": "ticker", "symbol": symbol}
    return text({"action": "snapshot", "arg": argument, "data": [fields], "ts": ts})


def listed(symbol: str, base: str, quote: str, category: str, **changed: object) -> dict[str, object]:
    return {"symbol": symbol, "category": category, "baseCoin": base, "quoteCoin": quote, "status": "online", **changed}


LIQUIDATIONS = {"instType": "coin-futures", "topic": "liquidation"}

CASES = Cases(
    instruments=(
        Instrument("BTCEUR", "BTC", ContractKind.LINEAR, None),
        Instrument("ETHUSDT", "ETH", ContractKind.LINEAR, 1.0),
    ),
    answer=text(
        {
            "code": "00000",
            "msg": "success",
            "requestTime": NOW,
            "data": [
                listed("BTCUSDT", "BTC", "USDT", "USDT-FUTURES"),
                listed("BTCPERP", "BTC", "USDC", "USDC-FUTURES"),
                listed("BTCUSD", "BTC", "USD", "COIN-FUTURES"),
                listed("1000BONKUSDT", "1000BONK", "USDT", "USDT-FUTURES"),
                listed("BTCEUR", "BTC", "EUR", "USDT-FUTURES"),
                listed("OLDUSDT", "OLD", "USDT", "USDT-FUTURES", status="offline"),
            ],
        }
    ),
    answered={
        "BTCUSDT": Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0),
        "BTCPERP": Instrument("BTCPERP", "BTC", ContractKind.LINEAR, 1.0),
        "BTCUSD": Instrument("BTCUSD", "BTC", ContractKind.INVERSE, 1.0),
        "1000BONKUSDT": Instrument("1000BONKUSDT", "BONK", ContractKind.LINEAR, 1.0, 1000.0),
        "BTCEUR": Instrument("BTCEUR", "BTC", ContractKind.LINEAR, None),
    },
    absent_from_answer=("OLDUSDT",),
    sides={
        "buy is a liquidated long": (frame(side="buy"), Side.LONG),
        "sell is a liquidated short": (frame(side="sell"), Side.SHORT),
        "buy of a contract paid in the coin": (frame("coin-futures", symbol="BTCUSD", side="buy"), Side.LONG),
        "sell of a contract paid in USDC": (frame("usdc-futures", symbol="BTCPERP", side="sell"), Side.SHORT),
        "a snapshot": (
            text({"action": "snapshot", "arg": LIQUIDATIONS, "data": [row(side="sell")], "ts": NOW}),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame("coin-futures", symbol="BTCUSD", amount="8000"), 0.125, 8_000.0),
    unknown=Size(frame(symbol="BTCEUR", amount="300"), None, None),
    zero=Absent("amount counts dollars: no multiplier is needed"),
    bundle=Size(frame(symbol="1000BONKUSDT", amount="80", price="0.02"), 4_000_000.0, 80.0, asset="BONK"),
    quarterly=Size(frame("coin-futures", symbol="ETHUSDZ26", amount="6000", price="3000"), 2.0, 6_000.0, asset="ETH"),
    quanto=Absent("contracts are paid in what they are quoted in, or in their coin"),
    basis={"computed by the venue": (frame(), PriceBasis.BANKRUPTCY, 64_000.0)},
    maker=Absent("rows are of positions: who took is not told, and decides nothing"),
    deleveraged={
        "a topic whose rows are alike": text(
            {"action": "update", "arg": {"instType": "usdt-futures", "topic": "adl"}, "data": [row()], "ts": NOW}
        ),
    },
    batch=(
        batch(row(), row(side="sell", ts=str(NOW - 19_000)), row(symbol="ETHUSDT", price="3000")),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=batch(row(), row()),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "a pong": b"pong",
        "no liquidations": batch(),
        "another topic": text(
            {
                "action": "snapshot",
                "arg": {"instType": "usdt-futures", "topic": "publicTrade", "symbol": "BTCUSDT"},
                "data": [{"p": "64000", "S": "buy", "T": str(NOW), "v": "0.1", "i": "1"}],
                "ts": NOW,
            }
        ),
        "a ticker without a price": ticker(volume24h="5", markPrice=""),
        "the end of a subscription": text({"event": "unsubscribe", "arg": LIQUIDATIONS}),
    },
    no_liquidation={
        "an acknowledgement": text({"event": "subscribe", "arg": LIQUIDATIONS, "connId": "a1"}),
        "a ticker": ticker(lastPrice="64001"),
    },
    acknowledged=(
        text({"event": "subscribe", "arg": LIQUIDATIONS, "connId": "a1"}),
        "liquidation:coin-futures",
    ),
    rejected={
        "a topic": (
            text({"event": "error", "arg": LIQUIDATIONS, "code": "30001", "msg": "doesn't exist", "op": "subscribe"}),
            "liquidation:coin-futures",
            "30001",
        ),
        "by a number": (text({"event": "error", "code": 30006, "msg": "request too many"}), "", "too many"),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("the row has no enum but the side, without which there is no liquidation"),
    half_broken=(batch(row(), row(amount="-2"), "row", row(side="sell", ts=str(NOW + 4))), 2, 2),
    broken={
        "a side that is none": frame(side="long"),
        "a side in capitals": frame(side="BUY"),
        "no side": frame(side=None),
        "an amount of 0": frame(amount="0"),
        "no amount": frame(amount=None),
        "no price": frame(price=None),
        "a price of 0": frame(price="0"),
        "no time": frame(ts=None),
        "a time in seconds": frame(ts=str(NOW // 1000)),
        "an empty symbol": frame(symbol=""),
        "a symbol that cannot be printed": frame(symbol="BTC\u0007"),
        "no data": text({"arg": LIQUIDATIONS, "action": "update", "ts": NOW}),
        "a topic that is a number": text({"arg": {"topic": 5}, "data": []}),
        "a ticker of words": ticker(markPrice="much"),
        "a ticker of nothing": ticker(symbol="", markPrice="5"),
        "a ticker of tomorrow": ticker(ts=NOW + 86_400_000, markPrice="5"),
        "an answer about nothing": text({"event": []}),
        "an answer that is not known": text({"event": "greeting"}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(ts=str(moment)),
    prices=(
        ticker(lastPrice="64000.5", markPrice="64001.25", indexPrice="64003.00", fundingRate="0.0001"),
        {PriceKind.LAST: 64_000.5, PriceKind.MARK: 64_001.25, PriceKind.INDEX: 64_003.0},
    ),
    recorded=("bitget",),
    refused=('"event":"error"',),
)

WIRE = Wire(
    path="/v3/ws/public",
    ping="ping",
    marker='"data"',
    subscription={"op": "subscribe", "args": [{"instType": "usdt-futures", "topic": "liquidation"}]},
    said_first=1,
)
