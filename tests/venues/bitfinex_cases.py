"""Bitfinex: the sign is the position's; coins; a trigger of the whole and executions of the parts, of which one counts."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text

# By name, where they stand in a row.
PLACES = {
    "kind": 0,
    "position": 1,
    "time": 2,
    "symbol": 4,
    "amount": 5,
    "base": 6,
    "match": 8,
    "sold": 9,
    "price": 11,
}


def row(**changed: object) -> list[object]:
    """An execution of a long of 0.5 BTC, sold at 64,000 and opened at 70,000."""
    values: list[object] = ["pos", 150200300, NOW, None, "tBTCF0:USTF0", 0.5, 70000, None, 1, 1, None, 64000.0]
    for name, value in changed.items():
        values[PLACES[name]] = value
    return values


def batch(*rows: object) -> bytes:
    return text([417, list(rows)])


def frame(**changed: object) -> bytes:
    return batch(row(**changed))


def status(channel: int = 501, time: object = NOW, mark: object = None, last: object = None, spot: object = 0) -> bytes:
    """Of a derivative: 24 values, of which four are read."""
    values: list[object] = [time, None, last, spot, None, 80_000_000, None, NOW, 0.0001, 12, None, 0, None, None, mark]
    return text([channel, [*values, *[None] * 9]])


LIQUIDATIONS = {"event": "subscribed", "channel": "status", "chanId": 417, "key": "liq:global"}

CASES = Cases(
    instruments=(Instrument("tNEWF0:USTF0", "NEW", ContractKind.LINEAR, 0.0),),
    answer=text(
        [
            ["BTCF0:USTF0", "IOTF0:USTF0", "ETHF0:BTCF0", "?"],
            ["BTCUSD", "LINK:USD", "ETHUST", "ETHBTC"],
            [["IOT", "IOTA"], ["UST", "USDt"]],
        ]
    ),
    answered={
        "tBTCF0:USTF0": Instrument("tBTCF0:USTF0", "BTC", ContractKind.LINEAR, 1.0),
        "tIOTF0:USTF0": Instrument("tIOTF0:USTF0", "IOTA", ContractKind.LINEAR, 1.0),
        "tETHF0:BTCF0": Instrument("tETHF0:BTCF0", "ETH", ContractKind.LINEAR, None),
        "tBTCUSD": Instrument("tBTCUSD", "BTC", ContractKind.LINEAR, 1.0),
        "tLINK:USD": Instrument("tLINK:USD", "LINK", ContractKind.LINEAR, 1.0),
        "tETHUST": Instrument("tETHUST", "ETH", ContractKind.LINEAR, 1.0),
        "tETHBTC": Instrument("tETHBTC", "ETH", ContractKind.LINEAR, None),
    },
    absent_from_answer=("t?",),
    sides={
        "above zero is a liquidated long": (frame(amount=0.5), Side.LONG),
        "below zero is a liquidated short": (frame(amount=-0.5), Side.SHORT),
        "a row that is not in a list": (text([417, row(amount=-2)]), Side.SHORT),
        "with the sequence and time that flags add": (
            text([417, [row()], 88, NOW, "liquidations", "global"]),
            Side.LONG,
        ),
        "a trigger of what the system takes over": (frame(match=0, sold=0, amount=-3), Side.SHORT),
        "a margin pair": (frame(symbol="tETHUSD", amount=3), Side.LONG),
        "an answer of the history": (text([[row(amount=-2)]]), Side.SHORT),
        "an entry price where no other is": (frame(price=None, amount=-2), Side.SHORT),
    },
    linear=Size(frame(base=None), 0.5, 32_000.0),
    inverse=Absent("every derivative is paid in Tether or in the quote coin: none is inverse"),
    unknown=Size(frame(symbol="tETHBTC", amount=3, price=0.05), None, None, asset="ETH"),
    zero=Size(frame(symbol="tNEWF0:USTF0", amount=3, price=2), None, None, asset="NEW"),
    bundle=Absent("no pair is in thousands of a coin"),
    quarterly=Absent("derivatives are perpetual"),
    quanto=Size(frame(symbol="tETHF0:BTCF0", price=0.04), None, None, asset="ETH"),
    basis={
        "what was paid": (frame(), PriceBasis.FILL, 64_000.0),
        "where it had been opened, if nothing is told of a sale": (frame(price=None), PriceBasis.ENTRY, 70_000.0),
        "what the system paid for what it took over": (frame(match=0, sold=0), PriceBasis.FILL, 64_000.0),
    },
    maker=Absent("rows are of positions: who took is not told, and decides nothing"),
    deleveraged=Absent("rows are of liquidated positions; there is no row of deleveraging"),
    batch=(
        batch(
            row(),
            row(match=0, price=None),
            row(amount=-1, time=NOW + 1),
            row(amount=0.25, time=NOW + 1),
        ),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=batch(row(), row()),
    first=(batch(row(time=NOW - 3_600_000 + 0.25)), NOW - 3_600_000),
    silent={
        "the first word": text({"event": "info", "version": 2, "serverId": "a", "platform": {"status": 1}}),
        "a pong": text({"event": "pong", "ts": NOW, "cid": 5}),
        "a heartbeat": text([417, "hb"]),
        "a heartbeat with its sequence": text([417, "hb", 31, NOW]),
        "a trade": text([90, "te", [40, NOW, 0.1, 64000]]),
        "flags": text({"event": "conf", "status": "OK", "flags": 65536}),
        "the end of a subscription": text({"event": "unsubscribed", "status": "OK", "chanId": 417}),
        "a trigger of what will be sold in parts": frame(match=0, sold=1, price=None),
        "a trigger of what will be sold in parts, with its price": frame(match=0, sold=1),
        "nothing to replay": batch(),
        "a status without a price": status(),
    },
    no_liquidation={
        "an acknowledgement": text(LIQUIDATIONS),
        "a status with whole prices": status(mark=64001, last=64000, spot=63999),
        "a short status": text([501, [NOW, None, 64000.5, None]]),
    },
    acknowledged=(text(LIQUIDATIONS), "liq:global"),
    rejected={
        "a key": (
            text({"event": "error", "msg": "key: invalid", "code": 10300, "channel": "status", "key": "liq:none"}),
            "liq:none",
            "10300 key",
        ),
        "without a name": (text({"event": "error", "msg": "unknown event"}), "", "unknown"),
    },
    closing=text({"event": "info", "code": 20051, "msg": "Stopping. Please try to reconnect"}),
    strange={
        "neither a trigger nor an execution": (frame(match=2), ("IS_MATCH=2",)),
        "a trigger of another kind": (frame(match=0, sold=2), ("IS_MARKET_SOLD=2",)),
        "a margin pair": (frame(symbol="tBTCUSD"), ("margin",)),
    },
    half_broken=(batch(row(), row(amount="much"), "row", row(amount=-1, time=NOW + 4)), 2, 2),
    broken={
        "an amount of 0": frame(amount=0),
        "no amount": frame(amount=None),
        "no price at all": frame(price=None, base=None),
        "a price of 0 and no other": frame(price=0, base=0),
        "no time": frame(time=None),
        "a time in seconds": frame(time=NOW // 1000),
        "an empty symbol": frame(symbol=""),
        "a symbol that cannot be printed": frame(symbol="tBTC\u0007"),
        "a match of words": frame(match="yes"),
        "a short row": batch(row()[:6]),
        "a channel without content": text([417]),
        "a channel of a number": text([417, 5]),
        "a status of words": status(mark="much"),
        "a status of tomorrow": status(time=NOW + 86_400_000, mark=5),
        "an empty list": text([]),
        "an answer about nothing": text({"event": 5}),
        "an answer that is not known": text({"event": "greeting"}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(time=moment),
    prices=(
        status(last=64000.5, mark=64001.25, spot=64003.0),
        {PriceKind.LAST: 64_000.5, PriceKind.MARK: 64_001.25, PriceKind.INDEX: 64_003.0},
    ),
    recorded=("bitfinex",),
)

WIRE = Wire(
    path="/ws/2",
    ping='{"event":"ping"}',
    marker="null,1,1,null",
    subscription={"event": "subscribe", "channel": "status", "key": "liq:global"},
    said_first=3,
)
