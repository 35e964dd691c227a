"""Lighter: the forced order takes; coins by the number of the market; fills."""

from __future__ import annotations

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text


def trade(**changed: object) -> dict[str, object]:
    """A long of 0.5 BTC, sold at 64,000 to a maker who bid."""
    fields: dict[str, object] = {
        "trade_id": 555_000_111,
        "trade_id_str": "555000111",
        "tx_hash": "0" * 80,
        "type": "liquidation",
        "market_id": 1,
        "size": "0.5",
        "price": "64000.0",
        "usd_amount": "32000.000000",
        "ask_account_id": 71,
        "bid_account_id": 72,
        "is_maker_ask": False,
        "block_height": 400_000_000,
        "timestamp": NOW,
        "taker_position_size_before": "0.50000",
        "transaction_time": NOW * 1000,
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


ORDINARY = trade(type="trade", trade_id=9, price="64001.5", taker_position_size_before="-1.5")


def trades(*rows: object, kind: str = "update/trade", **more: object) -> bytes:
    message = {"channel": "trade:1", "liquidation_trades": list(rows), "nonce": 18, "trades": [ORDINARY], "type": kind}
    return text({name: value for name, value in {**message, **more}.items() if value is not None})


def frame(**changed: object) -> bytes:
    return trades(trade(**changed))


def statistics(market: int = 1, **fields: object) -> bytes:
    told = {"symbol": "BTC", "market_id": market, "open_interest": "90000000.5", "funding_rate": "0.0012", **fields}
    message = {"channel": f"market_stats:{market}", "market_stats": told, "timestamp": NOW}
    return text({**message, "type": "update/market_stats"})


def error(code: int, sentence: str) -> bytes:
    return text({"error": {"code": code, "message": sentence}})


SHORT = {"is_maker_ask": True, "taker_position_size_before": "-0.50000"}
OLD = NOW - 3_600_000
LISTED = {"status": "active", "market_type": "perp", "size_decimals": 5, "price_decimals": 1}

CASES = Cases(
    instruments=(
        Instrument("1", "BTC", ContractKind.LINEAR, 1.0),
        Instrument("18", "BONK", ContractKind.LINEAR, 1.0, 1000.0),
    ),
    answer=text(
        {
            "code": 200,
            "order_book_details": [
                {**LISTED, "symbol": "BTC", "market_id": 1},
                {**LISTED, "symbol": "1000BONK", "market_id": 18},
                {**LISTED, "symbol": "OLD", "market_id": 40, "status": "inactive"},
                {**LISTED, "symbol": "BTC/USDC", "market_id": 2048, "market_type": "spot"},
            ],
            "spot_order_book_details": [],
        }
    ),
    answered={
        "1": Instrument("1", "BTC", ContractKind.LINEAR, 1.0),
        "18": Instrument("18", "BONK", ContractKind.LINEAR, 1.0, 1000.0),
    },
    absent_from_answer=("40", "2048"),
    sides={
        "the taker sold to a maker's bid: a long": (frame(), Side.LONG),
        "the taker bought from a maker's ask: a short": (frame(**SHORT), Side.SHORT),
        "a sale without a word of the position": (frame(taker_position_size_before=None), Side.LONG),
        "a purchase with an empty word of the position": (
            frame(is_maker_ask=True, taker_position_size_before=""),
            Side.SHORT,
        ),
        "among other things that close positions": (
            trades(trade(type="deleverage", trade_id=1), trade(**SHORT), trade(type="market-settlement", trade_id=2)),
            Side.SHORT,
        ),
    },
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Absent("every market is paid in USDC"),
    unknown=Size(frame(market_id=77), None, None, asset="77"),
    zero=Size(frame(usd_amount="1000.0"), None, None),
    bundle=Size(
        frame(market_id=18, size="2000", price="0.02", usd_amount="40.000000"), 2_000_000.0, 40.0, asset="BONK"
    ),
    quarterly=Absent("all markets are perpetual"),
    quanto=Absent("every market is paid in USDC"),
    basis={"what was paid": (frame(), PriceBasis.FILL, 64_000.0)},
    maker=Absent("the forced order takes: a row whose taker had no such position is an error"),
    deleveraged={"a trade": frame(type="deleverage"), "the end of a market": frame(type="market-settlement")},
    batch=(
        trades(trade(), trade(trade_id=2, **SHORT), trade(trade_id=3)),
        (Side.LONG, Side.SHORT, Side.LONG),
    ),
    twins=Absent("trades have an id: two equal ones are one, and updates do repeat them"),
    first=(trades(trade(timestamp=OLD), kind="subscribed/trade"), OLD),
    silent={
        "the greeting": text({"session_id": "s-1", "type": "connected"}),
        "a pong": text({"type": "pong"}),
        "a ping": text({"type": "ping"}),
        "an end of a subscription": text({"type": "unsubscribed", "channel": "trade:1"}),
        "ordinary trades": trades(),
        "ordinary trades without the list": trades(liquidation_trades=None),
        "another channel": text({"channel": "height", "height": 5, "timestamp": NOW, "type": "update/height"}),
        "another channel, where a name is of another kind": text({"type": "update/user", "channel": 5}),
        "statistics of all markets": text(
            {"channel": "market_stats:all", "market_stats": {"1": {"market_id": 1}}, "type": "update/market_stats"}
        ),
        "statistics without a price": statistics(mark_price="0"),
    },
    no_liquidation={
        "trades that came first": trades(kind="subscribed/trade"),
        "a subscription there is already": error(30003, "Already Subscribed to : trade:1"),
    },
    acknowledged=(trades(kind="subscribed/trade", channel="trade:18"), "trade:18"),
    rejected={
        "a channel": (error(30005, "Invalid Channel"), "", "30005"),
        "too many messages": (error(30009, "Too Many Websocket Messages!"), "", "Too Many"),
        "without a sentence": (text({"error": "no"}), "", "sentence"),
    },
    closing=text({"type": "shutdown", "close_in_ms": 1000}),
    strange={
        "a type": (frame(type="backstop"), ("type=backstop",)),
        "a worth that is not size times price": (frame(usd_amount="64000.0"), ("usd_amount=64000.0",)),
    },
    half_broken=(
        trades(trade(), trade(trade_id=2, size="-2"), "row", trade(type="deleverage"), trade(trade_id=3, **SHORT)),
        2,
        2,
    ),
    broken={
        "no word of the maker": frame(is_maker_ask=None),
        "a word of the maker that is none": frame(is_maker_ask="ask"),
        "a sale by who was short": frame(taker_position_size_before="-0.5"),
        "a purchase by who was long": frame(is_maker_ask=True),
        "a size of 0": frame(size="0"),
        "no price": frame(price=None),
        "no time": frame(timestamp=None),
        "a time in seconds": frame(timestamp=NOW // 1000),
        "no id": frame(trade_id=None),
        "no market": frame(market_id=None),
        "a market below 0": frame(market_id=-1),
        "liquidations that are text": trades(liquidation_trades="none"),
        "prices of words": statistics(mark_price="much"),
        "prices of a time to come": statistics(mark_price="64000.0").replace(str(NOW).encode(), b"9" * 14),
        "a kind that is none": text({"type": "news"}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(timestamp=moment),
    prices=(
        statistics(mark_price="64001.2", index_price="64003.4", last_trade_price="64000.5"),
        {PriceKind.MARK: 64_001.2, PriceKind.INDEX: 64_003.4, PriceKind.LAST: 64_000.5},
    ),
    recorded=("lighter",),
)

WIRE = Wire(
    path="/stream",
    ping='{"type":"ping"}',
    marker='"liquidation"',
    subscription={"type": "subscribe", "channel": "trade/2"},
    said_first=2,
)
