"""Hyperliquid: fills of watched accounts, the counterparty's or the liquidated one's own; coins."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text

VAULT = "0x" + "1a" * 20
VICTIM = "0x" + "2b" * 20


def fill(**changed: object) -> dict[str, object]:
    """A maker bought 0.5 BTC at 64,000 from a long that was liquidated on the book."""
    fields: dict[str, object] = {
        "coin": "BTC",
        "px": "64000.0",
        "sz": "0.5",
        "side": "B",
        "time": NOW,
        "startPosition": "0.0",
        "dir": "Open Long",
        "closedPnl": "0.0",
        "hash": "0x" + "3c" * 32,
        "oid": 77,
        "crossed": False,
        "fee": "0.5",
        "tid": 4242,
        "feeToken": "USDC",
        "liquidation": {"liquidatedUser": VICTIM, "markPx": "63990.0", "method": "market"},
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def forced(method: str) -> dict[str, object]:
    return {"liquidatedUser": VICTIM, "markPx": "63990.0", "method": method}


def fills(*rows: object, user: str = VAULT, **more: object) -> bytes:
    return text({"channel": "userFills", "data": {"user": user, "fills": list(rows), **more}})


def frame(**changed: object) -> bytes:
    return fills(fill(**changed))


TRADE = {
    "coin": "ETH",
    "side": "A",
    "px": "3000.5",
    "sz": "2",
    "time": NOW,
    "hash": "0x" + "0" * 64,
    "tid": 9,
    "users": [VAULT, VICTIM],
}

CASES = Cases(
    instruments=(),
    answer=text(
        {
            "universe": [
                {"name": "BTC", "szDecimals": 5, "maxLeverage": 40},
                {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10},
                {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
            ]
        }
    ),
    answered={
        "BTC": Instrument("BTC", "BTC", ContractKind.LINEAR, 1.0),
        "kPEPE": Instrument("kPEPE", "PEPE", ContractKind.LINEAR, 1.0, 1000.0),
    },
    absent_from_answer=("OLD",),
    sides={
        "a maker who bought took over from a long": (frame(side="B"), Side.LONG),
        "a maker who sold took over from a short": (frame(side="A", dir="Open Short"), Side.SHORT),
        "the liquidated long's own sale": (
            fills(fill(side="A", dir="Close Long", crossed=True), user=VICTIM),
            Side.LONG,
        ),
        "the liquidated short's own purchase": (
            fills(fill(side="B", dir="Close Short", crossed=True), user=VICTIM),
            Side.SHORT,
        ),
        "the liquidated long's own sale, address in capitals": (
            fills(fill(side="A", dir="Close Long", crossed=True), user=VICTIM.upper().replace("0X", "0x")),
            Side.LONG,
        ),
        "a backstop takes over a long": (
            frame(side="B", dir="Liquidated Cross Long", crossed=True, liquidation=forced("backstop")),
            Side.LONG,
        ),
        "a backstop takes over a short": (
            frame(side="A", dir="Liquidated Isolated Short", crossed=True, liquidation=forced("backstop")),
            Side.SHORT,
        ),
        "a fill by itself, maker bought": (text(fill(side="B")), Side.LONG),
        "on the channel of a user's events, maker sold": (
            text({"channel": "user", "data": {"fills": [fill(side="A", dir="Open Short")]}}),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Absent("every contract is sized in coins and paid in dollars"),
    unknown=Absent("sizes are in coins: no multiplier is needed"),
    zero=Absent("sizes are in coins: no multiplier is needed"),
    bundle=Size(frame(coin="kPEPE", px="0.01", sz="5000"), 5_000_000.0, 50.0, asset="PEPE"),
    quarterly=Absent("all contracts are perpetual"),
    quanto=Absent("every contract is paid in dollars"),
    basis={"what was paid": (frame(), PriceBasis.FILL, 64_000.0)},
    maker={
        "a watched maker bought what a long had to sell": (frame(side="B"), Side.LONG),
        "a watched maker sold what a short had to buy": (frame(side="A", dir="Close Long"), Side.SHORT),
    },
    deleveraged={
        "a fill": frame(dir="Auto-Deleveraging"),
        "a fill that says whose liquidation it serves": frame(dir="Auto-Deleveraging", side="A", crossed=True),
    },
    batch=(
        fills(fill(), fill(side="A", dir="Open Short", tid=5), fill(liquidation=None, tid=6), fill(coin="SOL", tid=7)),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=Absent("fills have an id: two equal ones are one, which both of its parties were told"),
    first=(fills(fill(time=NOW - 86_400_000), isSnapshot=True), NOW - 86_400_000),
    silent={
        "a pong": text({"channel": "pong"}),
        "middles of the book": text({"channel": "allMids", "data": {"mids": {"BTC": "64000.5"}}}),
        "fills that were not forced": fills(fill(liquidation=None), fill(liquidation=None, tid=5)),
        "no fill at all": fills(isSnapshot=True),
    },
    no_liquidation={
        "trades with a zero hash": text({"channel": "trades", "data": [TRADE]}),
        "an acknowledgement": text(
            {
                "channel": "subscriptionResponse",
                "data": {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}},
            }
        ),
    },
    acknowledged=(
        text(
            {
                "channel": "subscriptionResponse",
                "data": {"method": "subscribe", "subscription": {"type": "userFills", "user": VAULT}},
            }
        ),
        f"userFills:{VAULT}",
    ),
    rejected={
        "a channel": (
            text({"channel": "error", "data": 'Invalid subscription {"type":"liquidations","coin":"BTC"}'}),
            "liquidations:BTC",
            "Invalid subscription",
        ),
        "in a sentence without a name": (text({"channel": "error", "data": "Too many users"}), "", "Too many"),
    },
    closing=Absent("the end of a connection is not announced"),
    strange={
        "a backstop": (
            frame(dir="Liquidated Cross Long", crossed=True, liquidation=forced("backstop")),
            ("backstop",),
        ),
        "a method": (frame(liquidation=forced("auction")), ("method=auction",)),
    },
    half_broken=(fills(fill(), fill(px="-1", tid=5), "fill", fill(coin="SOL", tid=6)), 2, 2),
    broken={
        "a side that is none": frame(side="C"),
        "no side": frame(side=None),
        "a size of 0": frame(sz="0.0"),
        "no price": frame(px=None),
        "no time": frame(time=None),
        "a time in seconds": frame(time=NOW // 1000),
        "a spot pair": frame(coin="PURR/USDC"),
        "a direction that contradicts the side": frame(side="A", dir="Liquidated Cross Long"),
        "a taker of unknown account and no direction": text(fill(crossed=True, dir="")),
        "an unknown channel": text({"channel": "liquidations", "data": []}),
        "fills that are text": text({"channel": "userFills", "data": {"user": VAULT, "fills": "none"}}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(time=moment),
    prices=(
        text(
            {
                "channel": "activeAssetCtx",
                "data": {
                    "coin": "BTC",
                    "ctx": {"markPx": "64002.0", "oraclePx": "64005.0", "midPx": "64001.5", "funding": "0.00001"},
                },
            }
        ),
        {PriceKind.MARK: 64_002.0, PriceKind.INDEX: 64_005.0},
    ),
    recorded=("hyperliquid",),
)

WIRE = Wire(
    path="/ws",
    ping='{"method":"ping"}',
    marker='"liquidation"',
    subscription={"method": "subscribe", "subscription": {"type": "trades", "coin": "SOL"}},
    said_first=2,
)
