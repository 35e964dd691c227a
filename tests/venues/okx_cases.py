"""OKX: both sides are given, the position decides; contracts of ctVal x ctMult."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def detail(**changed: object) -> dict[str, object]:
    """A long of 50 contracts, sold at 64,000."""
    fields: dict[str, object] = {
        "bkLoss": "0",
        "bkPx": "64000",
        "ccy": "",
        "posSide": "long",
        "side": "sell",
        "sz": "50",
        "ts": str(NOW),
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def row(symbol: str, *details: object) -> dict[str, object]:
    family = symbol.rsplit("-", 1)[0]
    return {"details": list(details), "instFamily": family, "instId": symbol, "instType": "SWAP", "uly": family}


def message(*rows: object) -> bytes:
    return text({"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": list(rows)})


def frame(symbol: str = "BTC-USDT-SWAP", **changed: object) -> bytes:
    return message(row(symbol, detail(**changed)))


def listed(symbol: str, kind: str, value: str, currency: str, times: str = "1") -> dict[str, object]:
    return {"instId": symbol, "ctType": kind, "ctVal": value, "ctMult": times, "ctValCcy": currency, "state": "live"}


CASES = Cases(
    instruments=(
        Instrument("BTC-USDT-SWAP", "BTC", ContractKind.LINEAR, 0.01),
        Instrument("BTC-USD-SWAP", "BTC", ContractKind.INVERSE, 100.0),
        Instrument("ZERO-USDT-SWAP", "ZERO", ContractKind.LINEAR, 0.0),
        Instrument("1000SATS-USDT-SWAP", "SATS", ContractKind.LINEAR, 10.0, 1000.0),
        Instrument("ETH-USDT-260925", "ETH", ContractKind.LINEAR, 0.1),
        Instrument("BTC-ETH-SWAP", "BTC", ContractKind.QUANTO, None),
    ),
    answer=text(
        {
            "code": "0",
            "msg": "",
            "data": [
                listed("BTC-USDT-SWAP", "linear", "0.01", "BTC"),
                listed("BTC-USD-SWAP", "inverse", "100", "USD"),
                listed("ETH-USD-260925", "inverse", "5", "USD", "2"),
                listed("ZERO-USDT-SWAP", "linear", "0", "ZERO"),
                listed("EMPTY-USDT-SWAP", "linear", "", "EMPTY", ""),
                listed("ODD-USDT-SWAP", "linear", "3", "USDT"),
                listed("BTC-ETH-SWAP", "linear", "0.01", "BTC"),
            ],
        }
    ),
    answered={
        "BTC-USDT-SWAP": Instrument("BTC-USDT-SWAP", "BTC", ContractKind.LINEAR, 0.01),
        "BTC-USD-SWAP": Instrument("BTC-USD-SWAP", "BTC", ContractKind.INVERSE, 100.0),
        "ETH-USD-260925": Instrument("ETH-USD-260925", "ETH", ContractKind.INVERSE, 10.0),
        "ZERO-USDT-SWAP": Instrument("ZERO-USDT-SWAP", "ZERO", ContractKind.LINEAR, None),
        "EMPTY-USDT-SWAP": Instrument("EMPTY-USDT-SWAP", "EMPTY", ContractKind.LINEAR, None),
        "ODD-USDT-SWAP": Instrument("ODD-USDT-SWAP", "ODD", ContractKind.LINEAR, None),
        "BTC-ETH-SWAP": Instrument("BTC-ETH-SWAP", "BTC", ContractKind.QUANTO, None),
    },
    absent_from_answer=(),
    sides={
        "a long is sold": (frame(posSide="long", side="sell"), Side.LONG),
        "a short is bought back": (frame(posSide="short", side="buy"), Side.SHORT),
        "a net position is sold": (frame(posSide="net", side="sell"), Side.LONG),
        "a net position is bought back": (frame(posSide="net", side="buy"), Side.SHORT),
        "no position side, sold": (frame(posSide="", side="sell"), Side.LONG),
        "no position side field, bought back": (frame(posSide=None, side="buy"), Side.SHORT),
        "an inverse long": (frame("BTC-USD-SWAP"), Side.LONG),
        "an inverse short": (frame("BTC-USD-SWAP", posSide="short", side="buy"), Side.SHORT),
        "the flat rows of the retired channel": (
            text(
                {
                    "arg": {"channel": "liquidations", "instId": "BTC-USDT-SWAP"},
                    "data": [detail(posSide="short", side="buy")],
                }
            ),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame("BTC-USD-SWAP", sz="32"), 0.05, 3_200.0),
    unknown=Size(frame("SOL-USDT-SWAP", sz="7", bkPx="150"), None, None, asset="SOL"),
    zero=Size(frame("ZERO-USDT-SWAP"), None, None, asset="ZERO"),
    bundle=Size(frame("1000SATS-USDT-SWAP", sz="3", bkPx="0.0004"), 30_000.0, 0.012, asset="SATS"),
    quarterly=Size(frame("ETH-USDT-260925", sz="2.5", bkPx="3000"), 0.25, 750.0, asset="ETH"),
    quanto=Size(frame("BTC-ETH-SWAP"), None, None),
    basis={
        "where the margin was gone": (frame(), PriceBasis.BANKRUPTCY, 64_000.0),
        "that of an inverse contract": (frame("BTC-USD-SWAP", bkPx="63000.5"), PriceBasis.BANKRUPTCY, 63_000.5),
    },
    maker=Absent("the row has the position and the order that closed it: who took is not told"),
    deleveraged={
        "a channel of warnings": text(
            {"arg": {"channel": "adl-warning", "instType": "SWAP"}, "data": [{"state": "normal"}]}
        ),
    },
    batch=(
        message(
            row("BTC-USDT-SWAP", detail(), detail(posSide="short", side="buy", ts=str(NOW + 5))),
            row("BTC-USD-SWAP", detail()),
        ),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=message(row("BTC-USDT-SWAP", detail(), detail())),
    first=(frame(ts=str(NOW - 3_600_000)), NOW - 3_600_000),
    silent={
        "a pong": b"pong",
        "how many connections": text({"event": "channel-conn-count", "channel": "mark-price", "connCount": "1"}),
    },
    no_liquidation={
        "an acknowledgement": text(
            {"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "SWAP"}}
        ),
        "an index price": text(
            {
                "arg": {"channel": "index-tickers", "instId": "BTC-USDT"},
                "data": [{"instId": "BTC-USDT", "idxPx": "64000", "ts": str(NOW)}],
            }
        ),
        "no row": text({"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": []}),
    },
    acknowledged=(
        text({"event": "subscribe", "arg": {"channel": "liquidation-orders", "instType": "FUTURES"}, "connId": "c1"}),
        "liquidation-orders:FUTURES",
    ),
    rejected={
        "a request": (
            text({"event": "error", "code": "60012", "msg": "Invalid request: {}", "connId": "c1"}),
            "",
            "60012",
        ),
        "a channel": (
            text(
                {
                    "event": "error",
                    "code": "60018",
                    "msg": "Wrong URL or channel:mark-price,instId:XYZ-USDT-SWAP doesn't exist.",
                    "connId": "c1",
                }
            ),
            "mark-price:XYZ-USDT-SWAP",
            "60018",
        ),
    },
    closing=text({"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "c1"}),
    strange={"two sides that do not fit": (frame(posSide="long", side="buy"), ("side=buy",))},
    half_broken=(
        message(row("BTC-USDT-SWAP", detail(), detail(bkPx="-1"), detail(sz="0")), 8, row("BTC-USD-SWAP", detail())),
        2,
        3,
    ),
    broken={
        "no side at all": frame(side=None, posSide=None),
        "a size of 0": frame(sz="0"),
        "no size": frame(sz=None),
        "a price of nothing": frame(bkPx=""),
        "no time": frame(ts=None),
        "a time in seconds": frame(ts=str(NOW // 1000)),
        "no contract": message({"details": [detail()], "instType": "SWAP"}),
        "an empty contract": frame(""),
        "a row without details": message({"instId": "BTC-USDT-SWAP", "instType": "SWAP"}),
        "details that are text": message({"instId": "BTC-USDT-SWAP", "details": "none"}),
        "a price of words": text(
            {
                "arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
                "data": [{"instId": "BTC-USDT-SWAP", "markPx": "x"}],
            }
        ),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(ts=str(moment)),
    prices=(
        text(
            {
                "arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"},
                "data": [{"instId": "BTC-USDT-SWAP", "instType": "SWAP", "markPx": "64007.1", "ts": str(NOW)}],
            }
        ),
        {PriceKind.MARK: 64_007.1},
    ),
    recorded=("okx",),
    # BTC swaps of 0.01 coins or 100 dollars.
    assumed=(
        Instrument("BTC-USDT-SWAP", "BTC", ContractKind.LINEAR, 0.01),
        Instrument("BTC-USDT-211231", "BTC", ContractKind.LINEAR, 0.01),
        Instrument("BTC-USD-SWAP", "BTC", ContractKind.INVERSE, 100.0),
    ),
    refused=('"event":"error"',),
)

WIRE = Wire(
    path="/ws/v5/public",
    ping="ping",
    marker='"details"',
    subscription={"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]},
    said_first=2,
)
