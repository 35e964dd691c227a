"""dYdX: the side of the liquidated account, which took; coins; fills."""

from __future__ import annotations

from datetime import UTC, datetime

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def moment(milliseconds: int) -> str:
    written = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def trade(**changed: object) -> dict[str, object]:
    """A long of 0.5 BTC, sold at 64,000."""
    fields: dict[str, object] = {
        "id": "06a1b2c30000000200000005",
        "side": "SELL",
        "size": "0.5",
        "price": "64000",
        "type": "LIQUIDATED",
        "createdAt": moment(NOW),
        "createdAtHeight": "105999000",
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def message(kind: str, contents: object, market: str | None = "BTC-USD", channel: str = "v4_trades") -> bytes:
    told = {"type": kind, "connection_id": "c-1", "message_id": 12, "channel": channel, "version": "2.4.0"}
    return text({**told, **({"id": market} if market is not None else {}), "contents": contents})


def trades(*rows: object, market: str | None = "BTC-USD") -> bytes:
    return message("channel_data", {"trades": list(rows)}, market)


def frame(market: str | None = "BTC-USD", **changed: object) -> bytes:
    return trades(trade(**changed), market=market)


def batch(*parts: tuple[object, ...]) -> bytes:
    return message("channel_batch_data", [{"trades": list(rows)} for rows in parts])


def error(sentence: str) -> bytes:
    return text({"type": "error", "message": sentence, "connection_id": "c-1", "message_id": 3})


OLD = NOW - 3_600_000

CASES = Cases(
    instruments=(),
    answer=text(
        {
            "markets": {
                "BTC-USD": {"ticker": "BTC-USD", "status": "ACTIVE", "oraclePrice": "64003.1"},
                "1000BEAM-USD": {"ticker": "1000BEAM-USD", "status": "PAUSED", "oraclePrice": "0.1"},
                "TOKEN,POOL,7xyz-USD": {"ticker": "TOKEN,POOL,7xyz-USD", "status": "ACTIVE", "oraclePrice": None},
                "OLD-USD": {"ticker": "OLD-USD", "status": "FINAL_SETTLEMENT", "oraclePrice": "1"},
            }
        }
    ),
    answered={
        "BTC-USD": Instrument("BTC-USD", "BTC", ContractKind.LINEAR, 1.0),
        "1000BEAM-USD": Instrument("1000BEAM-USD", "BEAM", ContractKind.LINEAR, 1.0, 1000.0),
        "TOKEN,POOL,7xyz-USD": Instrument("TOKEN,POOL,7xyz-USD", "TOKEN", ContractKind.LINEAR, 1.0),
    },
    absent_from_answer=("OLD-USD",),
    sides={
        "the liquidated account sold: a long": (frame(side="SELL"), Side.LONG),
        "the liquidated account bought: a short": (frame(side="BUY"), Side.SHORT),
        "in a batch": (batch((trade(side="BUY"),)), Side.SHORT),
        "beside ordinary trades": (
            trades(trade(type="LIMIT", side="BUY", id="a"), trade(side="SELL"), trade(type="TWAP_SUBORDER", id="b")),
            Side.LONG,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Absent("every market is paid in USDC"),
    unknown=Size(frame(market="BTC-EUR"), None, None),
    zero=Absent("sizes are in coins: no multiplier is needed"),
    bundle=Size(frame(market="1000BEAM-USD", size="20", price="0.5"), 20_000.0, 10.0, asset="BEAM"),
    quarterly=Absent("all markets are perpetual"),
    quanto=Absent("every market is paid in USDC"),
    basis={"what was paid": (frame(), PriceBasis.FILL, 64_000.0)},
    maker=Absent("a trade is told as its taker's, and the liquidated account is the taker"),
    deleveraged={
        "a trade": frame(type="DELEVERAGED"),
        "in a batch": batch((trade(type="DELEVERAGED"),), (trade(type="DELEVERAGED", id="b"),)),
    },
    batch=(
        batch((trade(id="a"), trade(id="b", side="BUY")), (trade(id="c", type="LIMIT"), trade(id="d"))),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=Absent("trades have an id: two equal ones are one"),
    first=(
        message("subscribed", {"trades": [trade(id="a", type="LIMIT"), trade(createdAt=moment(OLD))]}),
        OLD,
    ),
    silent={
        "the greeting": text({"type": "connected", "connection_id": "c-1", "message_id": 0}),
        "an end of a subscription": text({"type": "unsubscribed", "channel": "v4_trades", "id": "BTC-USD"}),
        "ordinary trades": trades(trade(type="LIMIT"), trade(type="LIMIT", id="b")),
        "a part of a larger order": frame(type="TWAP_SUBORDER"),
        "another channel": message("channel_data", {"bids": [["1", "2"]]}, channel="v4_orderbook"),
        "what changed of markets, without prices": message(
            "channel_data", {"trading": {"BTC-USD": {"volume24H": "5"}}}, None, "v4_markets"
        ),
    },
    no_liquidation={
        "ordinary trades that came first": message("subscribed", {"trades": [trade(type="LIMIT")]}),
        "deleveraging beside a broken ordinary trade": batch((trade(type="DELEVERAGED"),), ()),
        "prices that are not known": message(
            "channel_data", {"oraclePrices": {"BTC-USD": {"oraclePrice": None, "marketId": 0}}}, None, "v4_markets"
        ),
    },
    acknowledged=(message("subscribed", {"trades": []}, "ETH-USD"), "v4_trades:ETH-USD"),
    rejected={
        "a market": (
            error("Invalid subscription id for channel: (v4_trades-XYZ-USD)"),
            "v4_trades:XYZ-USD",
            "Invalid subscription",
        ),
        "too often": (
            error("Too many subscribe attempts for channel v4_trades-BTC-USD. Please  reconnect and try again."),
            "v4_trades:BTC-USD",
            "Too many",
        ),
        "too many": (
            error("Per-connection subscription limit reached for v4_trades (limit=32)."),
            "v4_trades",
            "limit=32",
        ),
        "a failure of theirs": (
            error("Internal error, could not fetch data for subscription: v4_markets."),
            "v4_markets",
            "Internal",
        ),
        "a channel": (error("Invalid channel: liquidations"), "", "liquidations"),
        "without a sentence": (text({"type": "error", "message": 5}), "", "sentence"),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("beside the side the one enum is the type, which tells whether a trade is a liquidation at all"),
    half_broken=(
        batch(
            (trade(id="a"), trade(id="b", size="-2")),
            ("row", trade(id="c", createdAt="now"), trade(type="LIMIT"), trade()),
        ),
        2,
        3,
    ),
    broken={
        "a side that is none": frame(side="LONG"),
        "a side in small letters": frame(side="sell"),
        "no side": frame(side=None),
        "a size of 0": frame(size="0"),
        "no price": frame(price=None),
        "no id": frame(id=None),
        "no time": frame(createdAt=None),
        "a time without its zone": frame(createdAt="2026-09-21T14:13:20.123"),
        "a time as a number": frame(createdAt=NOW),
        "a time before there were coins": frame(createdAt="1969-07-20T20:17:40.000Z"),
        "no market": frame(market=None),
        "a market that cannot be one": frame(market="\u202e"),
        "a broken trade of one": message("channel_data", {"trades": ["x"]}, "-USD"),
        "no trades": message("channel_data", {}),
        "trades that are text": message("channel_batch_data", [{"trades": "none"}]),
        "contents that are text": message("channel_data", "none"),
        "prices of words": message(
            "channel_data", {"oraclePrices": {"BTC-USD": {"oraclePrice": "x"}}}, None, "v4_markets"
        ),
        "no channel": text({"type": "channel_data", "contents": {}}),
        "a kind that is none": text({"type": "news", "channel": "v4_trades", "contents": {}}),
        "no event": text({"hello": "world"}),
    },
    later=lambda milliseconds: frame(createdAt=moment(milliseconds)),
    prices=(
        message(
            "channel_batch_data",
            [
                {
                    "oraclePrices": {
                        "BTC-USD": {"oraclePrice": "64003.25", "marketId": 0},
                        "ETH-USD": {"oraclePrice": "3"},
                    }
                }
            ],
            None,
            "v4_markets",
        ),
        {PriceKind.INDEX: 64_003.25},
    ),
    recorded=("dydx_v4",),
    refused=('"type":"error"',),
)

WIRE = Wire(
    path="/v4/ws",
    ping='{"type":"unsubscribe","channel":"v4_trades","id":"ADA-USD"}',
    marker='"LIQUIDATED"',
    subscription={"type": "subscribe", "channel": "v4_trades", "id": "SOL-USD"},
    said_first=2,
)
