"""Bybit: the position's side; coins if linear, dollars if inverse."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def row(**changed: object) -> dict[str, object]:
    """A long of 0.5 BTC, bankrupt at 64,000."""
    fields: dict[str, object] = {"T": NOW, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "64000.00"}
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def batch(*rows: object) -> bytes:
    symbol = next((str(each["s"]) for each in rows if isinstance(each, dict) and "s" in each), "BTCUSDT")
    return text({"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": NOW + 200, "data": list(rows)})


def frame(**changed: object) -> bytes:
    return batch(row(**changed))


def retired(**fields: object) -> bytes:
    """As `liquidation.{symbol}` had it until 2025: one object."""
    return text({"topic": f"liquidation.{fields['symbol']}", "type": "snapshot", "ts": NOW, "data": fields})


def ticker(kind: str, **fields: object) -> bytes:
    return text({"topic": "tickers.BTCUSDT", "type": kind, "cs": 5, "ts": NOW, "data": {"symbol": "BTCUSDT", **fields}})


LISTED = {"status": "Trading", "quoteCoin": "USDT", "contractType": "LinearPerpetual"}

CASES = Cases(
    instruments=(),
    answer=text(
        {
            "retCode": 0,
            "retMsg": "OK",
            "result": {
                "category": "linear",
                "nextPageCursor": "",
                "list": [
                    {**LISTED, "symbol": "BTCUSDT", "baseCoin": "BTC"},
                    {**LISTED, "symbol": "SHIB1000USDT", "baseCoin": "SHIB1000"},
                    {**LISTED, "symbol": "NEWUSDT", "baseCoin": "NEW", "status": "PreLaunch"},
                    {**LISTED, "symbol": "OLDUSDT", "baseCoin": "OLD", "status": "Closed"},
                    {
                        **LISTED,
                        "symbol": "BTCUSD",
                        "baseCoin": "BTC",
                        "quoteCoin": "USD",
                        "contractType": "InversePerpetual",
                    },
                ],
            },
        }
    ),
    answered={
        "BTCUSDT": Instrument("BTCUSDT", "BTC", ContractKind.LINEAR, 1.0),
        "SHIB1000USDT": Instrument("SHIB1000USDT", "SHIB", ContractKind.LINEAR, 1.0, 1000.0),
        "NEWUSDT": Instrument("NEWUSDT", "NEW", ContractKind.LINEAR, 1.0),
        "BTCUSD": Instrument("BTCUSD", "BTC", ContractKind.INVERSE, 1.0),
    },
    absent_from_answer=("OLDUSDT",),
    sides={
        "Buy is a liquidated long": (frame(S="Buy"), Side.LONG),
        "Sell is a liquidated short": (frame(S="Sell"), Side.SHORT),
        "Buy is a liquidated long of an inverse contract": (frame(s="BTCUSD", S="Buy", v="900"), Side.LONG),
        "Sell is a liquidated short of an inverse contract": (frame(s="BTCUSD", S="Sell", v="900"), Side.SHORT),
        "retired topic, Buy": (
            retired(symbol="ETHUSDT", side="Buy", size="3", price="3000", updatedTime=NOW),
            Side.LONG,
        ),
        "retired topic of v2, Sell": (
            retired(symbol="BTCUSD", side="Sell", qty="100", price="60000", time=NOW),
            Side.SHORT,
        ),
        "data as one object": (
            text({"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": NOW, "data": row(S="Sell")}),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame(s="BTCUSD", v="8000"), 0.125, 8_000.0),
    unknown=Size(frame(s="BTCEUR", v="3"), None, None, asset="BTCEUR"),
    zero=Absent("v counts coins or dollars: no multiplier is needed"),
    bundle=Size(frame(s="SHIB1000USDT", v="4000", p="0.02"), 4_000_000.0, 80.0, asset="SHIB"),
    quarterly=Size(frame(s="ETHUSDU26", v="6000", p="3000"), 2.0, 6_000.0, asset="ETH"),
    quanto=Absent("contracts are linear or inverse"),
    basis={
        "where the margin was gone": (frame(), PriceBasis.BANKRUPTCY, 64_000.0),
        "that of an inverse contract": (frame(s="BTCUSD", v="8000", p="63000.5"), PriceBasis.BANKRUPTCY, 63_000.5),
    },
    maker=Absent("rows are of positions: who took is not told, and decides nothing"),
    deleveraged={
        "a topic of its own": text(
            {"topic": "adlAlert.USDT", "type": "snapshot", "ts": NOW, "data": [{"s": "BTCUSDT", "b": "1", "p_t": "0"}]}
        ),
    },
    batch=(
        batch(row(), row(S="Sell", T=NOW + 1), row(s="BTCUSDT", S="Buy", v="2", T=NOW + 1)),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=batch(row(), row()),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "a pong": text({"success": True, "ret_msg": "pong", "conn_id": "a-1", "req_id": "", "op": "ping"}),
        "a pong of another family": text({"args": [str(NOW)], "op": "pong"}),
        "a public trade, whose row has the same names": text(
            {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": NOW, "data": [{**row(), "i": "1", "BT": False}]}
        ),
        "another topic": text({"topic": "orderbook.1.BTCUSDT", "type": "delta", "ts": NOW, "data": {"s": "BTCUSDT"}}),
    },
    no_liquidation={
        "an acknowledgement": text(
            {"success": True, "ret_msg": "", "conn_id": "a-1", "req_id": "prices", "op": "subscribe"}
        ),
        "a ticker that changed": ticker("delta", lastPrice="64001"),
        "a ticker without a word": ticker("delta", openInterest="51000"),
    },
    acknowledged=(
        text(
            {"success": True, "ret_msg": "subscribe", "conn_id": "a-1", "req_id": "liquidations-2", "op": "subscribe"}
        ),
        "liquidations-2",
    ),
    rejected={
        "a symbol": (
            text(
                {
                    "success": False,
                    "ret_msg": "error:handler not found,topic:allLiquidation.XYZUSDT",
                    "req_id": "liquidations-1",
                    "op": "subscribe",
                }
            ),
            "liquidations-1",
            "XYZUSDT",
        ),
        "without a name": (
            text({"success": False, "ret_msg": "Invalid symbol", "op": "subscribe"}),
            "subscribe",
            "symbol",
        ),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("the row has no enum but the side, without which there is no liquidation"),
    half_broken=(batch(row(), row(v="-2"), "row", row(S="Sell", T=NOW + 4)), 2, 2),
    broken={
        "a side that is none": frame(S="Long"),
        "a side in capitals": frame(S="BUY"),
        "no side": frame(S=None),
        "a size of 0": frame(v="0"),
        "no price": frame(p=None),
        "a price of 0": frame(p="0"),
        "a price of nothing": frame(p=""),
        "no time": frame(T=None),
        "a time in seconds": frame(T=NOW // 1000),
        "an empty symbol": frame(s=""),
        "no data": text({"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": NOW}),
        "data that is text": text({"topic": "allLiquidation.BTCUSDT", "ts": NOW, "data": "none"}),
        "a ticker of words": ticker("snapshot", markPrice="much"),
        "a topic that is a number": text({"topic": 5, "data": []}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(T=moment),
    prices=(
        ticker("snapshot", lastPrice="64000.5", markPrice="64001.25", indexPrice="64003.00"),
        {PriceKind.LAST: 64_000.5, PriceKind.MARK: 64_001.25, PriceKind.INDEX: 64_003.0},
    ),
    recorded=("bybit",),
    refused=('"success":false',),
)

WIRE = Wire(
    path="/v5/public/linear",
    ping='{"op":"ping"}',
    marker="allLiquidation",
    subscription={"op": "subscribe", "args": ["allLiquidation.SOLUSDT"]},
    said_first=1,
)
