"""HTX: the order's direction; contracts, with coins and dollars beside them since 2020; all of it in gzip."""

from __future__ import annotations

import gzip

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def row(**changed: object) -> dict[str, object]:
    """A forced sale of 500 contracts of 0.001 BTC, which closes a long."""
    fields: dict[str, object] = {
        "symbol": "BTC",
        "contract_code": "BTC-USDT",
        "direction": "sell",
        "offset": "close",
        "volume": 500,
        "price": "64000.0",
        "created_at": NOW,
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def batch(*rows: object, topic: str = "public.BTC-USDT.liquidation_orders") -> bytes:
    return text({"op": "notify", "topic": topic, "ts": NOW + 5, "data": list(rows)})


def frame(**changed: object) -> bytes:
    return batch(row(**changed))


def packed(content: bytes) -> bytes:
    """As it comes from the socket."""
    return gzip.compress(content, mtime=0)


def past(**changed: object) -> bytes:
    return text({"code": 200, "msg": "", "data": [row(query_id=7, **changed)], "ts": NOW})


def detail(**changed: object) -> bytes:
    tick = {"id": NOW // 1000, "open": 63900, "close": 64000.5, "vol": 12}
    return text({"ch": "market.BTC-USDT.detail", "ts": NOW, "tick": {**tick, **changed}})


BTC = Instrument("BTC-USDT", "BTC", ContractKind.LINEAR, 0.001)
LISTED = {"price_tick": 0.1, "contract_status": 1}

CASES = Cases(
    instruments=(
        BTC,
        Instrument("1000BONK-USDT", "BONK", ContractKind.LINEAR, 10.0, 1000.0),
        Instrument("ZERO-USDT", "ZERO", ContractKind.LINEAR, 0.0),
    ),
    answer=text(
        {
            "status": "ok",
            "data": [
                {**LISTED, "symbol": "BTC", "contract_code": "BTC-USDT", "contract_size": 0.001},
                {**LISTED, "symbol": "BTC", "contract_code": "BTC-USDT-261225", "contract_size": 0.001},
                {**LISTED, "symbol": "1000BONK", "contract_code": "1000BONK-USDT", "contract_size": 10},
                {**LISTED, "symbol": "SOON", "contract_code": "SOON-USDT", "contract_size": 1, "contract_status": 2},
                {**LISTED, "symbol": "GONE", "contract_code": "GONE-USDT", "contract_size": 1, "contract_status": 0},
                {**LISTED, "symbol": "BTC", "contract_code": "BTC-USD", "contract_size": 100},
                {**LISTED, "symbol": "BTC", "contract_code": "BTC-EUR", "contract_size": 5},
            ],
            "ts": NOW,
        }
    ),
    answered={
        "BTC-USDT": BTC,
        "BTC-USDT-261225": Instrument("BTC-USDT-261225", "BTC", ContractKind.LINEAR, 0.001),
        "1000BONK-USDT": Instrument("1000BONK-USDT", "BONK", ContractKind.LINEAR, 10.0, 1000.0),
        "SOON-USDT": Instrument("SOON-USDT", "SOON", ContractKind.LINEAR, 1.0),
        "BTC-USD": Instrument("BTC-USD", "BTC", ContractKind.INVERSE, 100.0),
        "BTC-EUR": Instrument("BTC-EUR", "BTC-EUR", ContractKind.LINEAR, None),
    },
    absent_from_answer=("GONE-USDT",),
    sides={
        "sell closes a long": (frame(direction="sell"), Side.LONG),
        "buy closes a short": (frame(direction="buy"), Side.SHORT),
        "of a coin-margined swap, sell": (frame(contract_code="ETH-USD", direction="sell"), Side.LONG),
        "of a coin-margined future, buy": (frame(contract_code="ETH261225", direction="buy"), Side.SHORT),
        "in one-way mode": (frame(offset="both", direction="buy"), Side.SHORT),
        "numbers as text": (frame(direction="buy", volume="3", created_at=str(NOW)), Side.SHORT),
        "data as one object": (
            text({"op": "notify", "topic": "public.BTC-USDT.liquidation_orders", "data": row(direction="buy")}),
            Side.SHORT,
        ),
        "history": (past(), Side.LONG),
        "history of a retired version": (
            text({"status": "ok", "data": {"orders": [row(direction="buy")], "total_page": 1}, "ts": NOW}),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame(contract_code="BTC-USD", volume=80), 0.125, 8_000.0),
    unknown=Size(frame(contract_code="NEW-USDT"), None, None, asset="NEW"),
    zero=Size(frame(contract_code="ZERO-USDT"), None, None, asset="ZERO"),
    bundle=Size(
        frame(contract_code="1000BONK-USDT", volume=400, price="0.02", amount=4000, trade_turnover=80),
        4_000_000.0,
        80.0,
        asset="BONK",
    ),
    quarterly=Size(frame(contract_code="ETH261225", volume=600, price="3000.0"), 2.0, 6_000.0, asset="ETH"),
    quanto=Absent("contracts are linear or inverse"),
    basis={
        "where the margin was gone": (frame(), PriceBasis.BANKRUPTCY, 64_000.0),
        "whatever the turnover says": (
            frame(amount=0.5, trade_turnover=31_900.0),
            PriceBasis.BANKRUPTCY,
            64_000.0,
        ),
    },
    maker=Absent("the row is of the forced order itself"),
    deleveraged=Absent("the topic is of liquidation orders, and no public one is of deleveraging"),
    batch=(
        batch(row(), row(direction="buy", created_at=NOW + 1), row(volume=2, created_at=NOW + 1)),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=batch(row(), row()),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "a ping whose time is text": text({"op": "ping", "ts": str(NOW)}),
        "a ping whose time is a number": text({"op": "ping", "ts": NOW}),
        "a ping of a market socket": text({"ping": NOW}),
        "an unsubscription": text({"op": "unsub", "topic": "public.*.liquidation_orders", "err-code": 0}),
        "another topic": batch({"funding_rate": "0.0001"}, topic="public.BTC-USDT.funding_rate"),
        "another topic, whose row has the same names": batch(row(), topic="public.BTC-USDT.other_orders"),
        "a topic without rows": text({"op": "notify", "topic": "public.linear-swap.heartbeat", "event": "init"}),
        "another channel": text({"ch": "market.BTC-USDT.bbo", "ts": NOW, "tick": {"bid": [1, 2]}}),
    },
    no_liquidation={
        "an acknowledgement again": text(
            {"op": "sub", "topic": "public.BTC-USDT.liquidation_orders", "err-code": 2014, "err-msg": "Repeated"}
        ),
        "an acknowledgement of a market socket": text(
            {"id": "p", "status": "ok", "subbed": "market.BTC-USDT.detail", "ts": NOW}
        ),
        "an announced end": text({"op": "close", "ts": NOW}),
        "a ping in gzip": packed(text({"op": "ping", "ts": str(NOW)})),
    },
    acknowledged=(
        text({"op": "sub", "cid": "a", "topic": "public.*.liquidation_orders", "ts": NOW, "err-code": 0}),
        "public.*.liquidation_orders",
    ),
    rejected={
        "a topic": (
            text({"op": "sub", "topic": "public.X.liquidation_orders", "err-code": 2011, "err-msg": "no such code"}),
            "public.X.liquidation_orders",
            "2011 no such code",
        ),
        "of a market socket": (
            text({"id": "market.X.detail", "status": "error", "err-code": "bad-request", "err-msg": "invalid topic"}),
            "market.X.detail",
            "invalid topic",
        ),
        "whatever was asked": (text({"op": "error", "err-code": 2001, "err-msg": "no auth", "ts": NOW}), "", "2001"),
    },
    closing=text({"op": "close", "ts": NOW}),
    strange={"an offset": (frame(offset="sideways"), ("offset=sideways",))},
    half_broken=(batch(row(), row(volume=-2), "row", row(direction="buy", created_at=NOW + 4)), 2, 2),
    broken={
        "a direction that is none": frame(direction="long"),
        "a direction in capitals": frame(direction="SELL"),
        "no direction": frame(direction=None),
        "a volume of 0": frame(volume=0),
        "no price": frame(price=None),
        "a price of 0": frame(price=0),
        "no time": frame(created_at=None),
        "a time in seconds": frame(created_at=NOW // 1000),
        "an empty code": frame(contract_code=""),
        "a code of control characters": frame(contract_code="\u0007"),
        "an amount below 0": frame(amount=-1),
        "data that is text": text({"op": "notify", "topic": "public.BTC-USDT.liquidation_orders", "data": "none"}),
        "a topic that is a number": text({"op": "notify", "topic": 5, "data": []}),
        "a price of words": detail(close="much"),
        "prices of control characters": text({"ch": "market.\u0007.detail", "ts": NOW, "tick": {"close": 1}}),
        "a price of another year": text({"ch": "market.BTC-USDT.detail", "ts": 10**14, "tick": {"close": 1}}),
        "a ping that is an object": text({"op": "ping", "ts": {"a": 1}}),
        "a ping that would say more": text({"op": "ping", "ts": '1","op":"unsub'}),
        "a history that is text": text({"code": 1347, "msg": "window", "data": "none"}),
        "an answer of nothing": text({"op": "sub", "topic": "x"}),
        "an answer of lists": text({"op": [], "err-code": 0}),
        "gzip that is cut off": packed(frame())[:-9],
        "gzip that is none": b"\x1f\x8b\x08 and nothing of it",
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(created_at=moment),
    prices=(detail(), {PriceKind.LAST: 64_000.5}),
    recorded=("htx",),
    assumed=(BTC, Instrument("BTC-USDT-211210", "BTC", ContractKind.LINEAR, 0.001)),
)

WIRE = Wire(
    path="/linear-swap-notification",
    ping='{"op":"sub","topic":"public.*.liquidation_orders"}',
    marker='"notify"',
    subscription={"op": "sub", "topic": "public.*.liquidation_orders"},
    said_first=1,
)
