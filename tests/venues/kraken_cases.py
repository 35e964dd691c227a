"""Kraken Futures: the taker's side; dollars if inverse, coins if linear; a tape in which few trades are liquidations."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def row(**changed: object) -> dict[str, object]:
    """A long of 0.5 BTC, sold at 64,000."""
    fields: dict[str, object] = {
        "feed": "trade",
        "product_id": "PF_XBTUSD",
        "uid": "5f1b7c2e-0a4d-4c11-9b8e-7d2f3a6e1c05",
        "side": "sell",
        "type": "liquidation",
        "seq": 90125,
        "time": NOW,
        "qty": 0.5,
        "price": 64000.0,
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def frame(**changed: object) -> bytes:
    return text(row(**changed))


def snapshot(*rows: object) -> bytes:
    """The newest first, as the venue has it."""
    return text({"feed": "trade_snapshot", "product_id": "PF_XBTUSD", "trades": list(rows)})


def ticker(**fields: object) -> bytes:
    return text({"time": NOW, "feed": "ticker", "product_id": "PF_XBTUSD", "pair": "XBT:USD", **fields})


def listed(symbol: str, kind: str, base: str, **changed: object) -> dict[str, object]:
    fields = {"symbol": symbol, "type": kind, "base": base, "quote": "USD", "contractSize": 1, "tradeable": True}
    return {**fields, **changed}


CASES = Cases(
    instruments=(Instrument("PF_NEWUSD", "NEW", ContractKind.LINEAR, 0.0),),
    answer=text(
        {
            "result": "success",
            "serverTime": "2026-09-21T14:13:20.000Z",
            "instruments": [
                listed("PI_XBTUSD", "futures_inverse", "BTC"),
                listed("FI_ETHUSD_261225", "futures_inverse", "ETH"),
                listed("PF_XBTUSD", "flexible_futures", "BTC"),
                listed("PF_DOGEUSD", "flexible_futures", "XDG"),
                listed("PF_LARGEUSD", "flexible_futures", "LARGE", contractSize=10),
                listed("PV_XRPXBT", "futures_vanilla", "XRP", quote="XBT"),
                listed("PF_GONEUSD", "flexible_futures", "GONE", tradeable=False),
                {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False},
                {"symbol": "in_ethusd", "type": "spot index", "tradeable": True},
                {"symbol": "pf_solusd", "type": "flexible_futures", "contractSize": 1, "tradeable": True},
            ],
        }
    ),
    answered={
        "PI_XBTUSD": Instrument("PI_XBTUSD", "BTC", ContractKind.INVERSE, 1.0),
        "FI_ETHUSD_261225": Instrument("FI_ETHUSD_261225", "ETH", ContractKind.INVERSE, 1.0),
        "PF_XBTUSD": Instrument("PF_XBTUSD", "BTC", ContractKind.LINEAR, 1.0),
        "PF_DOGEUSD": Instrument("PF_DOGEUSD", "DOGE", ContractKind.LINEAR, 1.0),
        "PF_LARGEUSD": Instrument("PF_LARGEUSD", "LARGE", ContractKind.LINEAR, 10.0),
        "PV_XRPXBT": Instrument("PV_XRPXBT", "XRP", ContractKind.LINEAR, None),
        "PF_SOLUSD": Instrument("PF_SOLUSD", "SOL", ContractKind.LINEAR, 1.0),
    },
    absent_from_answer=("PF_GONEUSD", "IN_XBTUSD", "IN_ETHUSD", "in_ethusd"),
    sides={
        "a taker that sells closes a long": (frame(side="sell"), Side.LONG),
        "a taker that buys closes a short": (frame(side="buy"), Side.SHORT),
        "sell of an inverse contract": (frame(product_id="PI_XBTUSD", side="sell", qty=900), Side.LONG),
        "buy of an inverse contract": (frame(product_id="PI_XBTUSD", side="buy", qty=900), Side.SHORT),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(frame(product_id="PI_XBTUSD", qty=8000), 0.125, 8_000.0),
    unknown=Size(frame(product_id="PV_XRPXBT", qty=250, price=0.00002), None, None, asset="XRP"),
    zero=Size(frame(product_id="PF_NEWUSD", qty=3, price=2.0), None, None, asset="NEW"),
    bundle=Size(frame(product_id="PF_1000BONKUSD", qty=4000, price=0.02), 4_000_000.0, 80.0, asset="BONK"),
    quarterly=Size(frame(product_id="FI_ETHUSD_261225", qty=6000, price=3000), 2.0, 6_000.0, asset="ETH"),
    quanto=Size(frame(product_id="PV_XRPXBT", qty=500, price=0.00003), None, None, asset="XRP"),
    basis={
        "what was paid": (frame(), PriceBasis.FILL, 64_000.0),
        "for an inverse contract": (frame(product_id="PI_XBTUSD", price=63_000.5), PriceBasis.FILL, 63_000.5),
    },
    maker=Absent("a trade is told as its taker's, and the liquidation order takes"),
    deleveraged={
        "a position that was assigned to another": frame(type="assignment"),
        "a position that was ended against another": frame(type="termination"),
    },
    batch=(
        snapshot(
            row(uid="c", time=NOW + 2),
            row(uid="f", type="fill", time=NOW + 1),
            row(uid="b", side="buy", time=NOW + 1),
            row(uid="a"),
        ),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=snapshot(row(uid="b"), row(uid="a")),
    first=(snapshot(row(uid="z", type="fill"), row(time=NOW - 3_600_000)), NOW - 3_600_000),
    silent={
        "the first word": text({"event": "info", "version": 1}),
        "a heartbeat": text({"feed": "heartbeat", "time": NOW}),
        "an ordinary trade": frame(type="fill"),
        "a trade that is part of a block": frame(type="block"),
        "a snapshot without liquidations": snapshot(row(type="fill"), row(type="fill", uid="b")),
        "an empty snapshot": snapshot(),
        "another feed": text({"feed": "book", "product_id": "PF_XBTUSD", "side": "sell", "seq": 3, "price": 64000}),
        "the end of a subscription": text({"event": "unsubscribed", "feed": "trade", "product_ids": ["PF_XBTUSD"]}),
        "a ticker without a price": ticker(volume=5),
        "a ticker before the first trade": ticker(last=0, index=0),
    },
    no_liquidation={
        "several acknowledgements at once": text(
            {"event": "subscribed", "feed": "trade", "product_ids": ["PF_XBTUSD", "PI_XBTUSD"]}
        ),
        "a ticker": ticker(markPrice=64001, last=64000, index=64003, bid=64000, ask=64003, bid_size=2.5, ask_size=0.1),
    },
    acknowledged=(text({"event": "subscribed", "feed": "trade", "product_ids": ["PF_XBTUSD"]}), "trade:PF_XBTUSD"),
    rejected={
        "a product": (
            text({"event": "alert", "message": "Couldn't subscribe to invalid product `PF_NONEUSD`"}),
            "trade:PF_NONEUSD",
            "invalid",
        ),
        "without a name": (text({"event": "error", "message": "Json Error"}), "", "Json"),
        "by its feed": (
            text({"event": "subscribed_failed", "feed": "trade", "product_ids": ["PF_XBTUSD"], "message": "no"}),
            "trade:PF_XBTUSD",
            "no",
        ),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("type says whether it is a liquidation at all, and side whose: there is no other enum"),
    half_broken=(snapshot(row(uid="d", side="buy"), row(uid="c", qty=-2), "row", row(uid="a")), 2, 2),
    broken={
        "a side that is none": frame(side="long"),
        "a side in capitals": frame(side="SELL"),
        "no side": frame(side=None),
        "no type": frame(type=None),
        "no identity": frame(uid=None),
        "a size of 0": frame(qty=0),
        "no price": frame(price=None),
        "a price of 0": frame(price=0),
        "no time": frame(time=None),
        "a time in seconds": frame(time=NOW // 1000),
        "an empty symbol": frame(product_id=""),
        "a symbol that cannot be printed": frame(product_id="PF_\u0007"),
        "a ticker of words": ticker(markPrice="much"),
        "a ticker of what cannot be printed": ticker(product_id="\u0007", markPrice=5),
        "a ticker of tomorrow": ticker(time=NOW + 86_400_000, markPrice=5),
        "an answer about nothing": text({"event": 5}),
        "an answer that is not known": text({"event": "greeting"}),
        "a feed that is a number": text({"feed": 5}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(time=moment),
    prices=(
        ticker(last=64000.5, markPrice=64001.25, index=64003.0),
        {PriceKind.LAST: 64_000.5, PriceKind.MARK: 64_001.25, PriceKind.INDEX: 64_003.0},
    ),
    recorded=("kraken_futures",),
    refused=("Couldn't subscribe",),
)

WIRE = Wire(
    path="/ws/v1",
    ping='{"event":"unsubscribe","feed":"ticker","product_ids":["PF_ADAUSD"]}',
    marker='"type":"liquidation"',
    subscription={"event": "subscribe", "feed": "trade", "product_ids": ["PF_SOLUSD"]},
    said_first=3,
)
