"""Deribit: the taker's direction and a flag that says whose position it was; dollars if inverse, coins if linear."""

from __future__ import annotations

from itertools import count

from liquake.model import ContractKind, Instrument, PriceBasis, PriceKind, Side
from tests.venues.cases import NOW, Absent, Cases, Size, Wire, text

NUMBERS = count(1)


def trade(**changed: object) -> dict[str, object]:
    """A liquidated taker sold 0.5 BTC at 64,000."""
    number = next(NUMBERS)
    fields: dict[str, object] = {
        "trade_seq": number,
        "trade_id": f"BTC_USDC-{number}",
        "timestamp": NOW,
        "tick_direction": 2,
        "price": 64000.0,
        "mark_price": 64003.5,
        "index_price": 64008.25,
        "instrument_name": "BTC_USDC-PERPETUAL",
        "direction": "sell",
        "amount": 0.5,
        "contracts": 5000,
        "liquidation": "T",
    }
    return {name: value for name, value in {**fields, **changed}.items() if value is not None}


def batch(*rows: object) -> bytes:
    parameters = {"channel": "trades.future.USDC.100ms", "data": list(rows)}
    return text({"jsonrpc": "2.0", "method": "subscription", "params": parameters})


def frame(**changed: object) -> bytes:
    return batch(trade(**changed))


def ticker(**fields: object) -> bytes:
    data = {"instrument_name": "BTC-PERPETUAL", "timestamp": NOW, "state": "open", **fields}
    parameters = {"channel": "ticker.BTC-PERPETUAL.100ms", "data": data}
    return text({"jsonrpc": "2.0", "method": "subscription", "params": parameters})


def answer(result: object, number: int = 2) -> bytes:
    return text({"jsonrpc": "2.0", "id": number, "result": result, "usIn": 1, "usOut": 2, "usDiff": 1})


def refused(code: int, message: str) -> bytes:
    return text({"jsonrpc": "2.0", "id": 2, "error": {"code": code, "message": message}})


def inverse(**changed: object) -> bytes:
    return frame(**{"instrument_name": "BTC-PERPETUAL", "amount": 8000.0, "contracts": 800, **changed})


LISTED = {"kind": "future", "quote_currency": "USDC", "instrument_type": "linear", "settlement_currency": "USDC"}
REVERSED = {**LISTED, "quote_currency": "USD", "instrument_type": "reversed"}

CASES = Cases(
    instruments=(),
    answer=text(
        {
            "jsonrpc": "2.0",
            "result": [
                {**REVERSED, "instrument_name": "BTC-PERPETUAL", "base_currency": "BTC", "contract_size": 10},
                {**LISTED, "instrument_name": "SOL_USDC-PERPETUAL", "base_currency": "SOL", "contract_size": 0.1},
                {
                    **LISTED,
                    "instrument_name": "BTC_EURR-PERPETUAL",
                    "base_currency": "BTC",
                    "quote_currency": "EURR",
                },
                {**LISTED, "instrument_name": "BTC-27DEC26-90000-C", "base_currency": "BTC", "kind": "option"},
            ],
        }
    ),
    answered={
        "BTC-PERPETUAL": Instrument("BTC-PERPETUAL", "BTC", ContractKind.INVERSE, 1.0),
        "SOL_USDC-PERPETUAL": Instrument("SOL_USDC-PERPETUAL", "SOL", ContractKind.LINEAR, 1.0),
        "BTC_EURR-PERPETUAL": Instrument("BTC_EURR-PERPETUAL", "BTC", ContractKind.LINEAR, None),
    },
    absent_from_answer=("BTC-27DEC26-90000-C",),
    sides={
        "a liquidated taker sold: a long": (frame(liquidation="T", direction="sell"), Side.LONG),
        "a liquidated taker bought: a short": (frame(liquidation="T", direction="buy"), Side.SHORT),
        "a liquidated maker, the taker sold: a short": (frame(liquidation="M", direction="sell"), Side.SHORT),
        "a liquidated maker, the taker bought: a long": (frame(liquidation="M", direction="buy"), Side.LONG),
        "an inverse contract, liquidated taker sold": (inverse(liquidation="T", direction="sell"), Side.LONG),
        "an inverse contract, liquidated maker": (inverse(liquidation="M", direction="sell"), Side.SHORT),
        "an answer of REST": (answer({"trades": [trade(direction="buy")], "has_more": False}), Side.SHORT),
    },
    # amount decides, not contracts.
    linear=Size(frame(), 0.5, 32_000.0),
    inverse=Size(inverse(), 0.125, 8_000.0),
    unknown=Size(frame(instrument_name="BTC_EURR-PERPETUAL"), None, None),
    zero=Absent("amount counts coins or dollars: no multiplier is needed"),
    bundle=Size(
        frame(instrument_name="1000BONK_USDC-PERPETUAL", amount=7_000.0, price=0.02),
        7_000_000.0,
        140.0,
        asset="BONK",
    ),
    quarterly=Size(
        frame(instrument_name="ETH-25DEC26", amount=6_000.0, price=3_000.0, trade_id="ETH-7"), 2.0, 6_000.0, asset="ETH"
    ),
    quanto=Absent("contracts are paid in their coin or in USDC"),
    basis={
        "what was paid": (frame(), PriceBasis.FILL, 64_000.0),
        "for an inverse contract": (inverse(price=63_000.5), PriceBasis.FILL, 63_000.5),
    },
    maker={
        "the taker sold to a short that had to buy": (frame(liquidation="M", direction="sell"), Side.SHORT),
        "the taker bought from a long that had to sell": (frame(liquidation="M", direction="buy"), Side.LONG),
        "inverse": (inverse(liquidation="M", direction="buy"), Side.LONG),
    },
    deleveraged=Absent("trades are flagged as liquidations or not at all"),
    batch=(
        batch(trade(), trade(liquidation=None), trade(direction="buy", liquidation="MT"), trade(direction="buy")),
        (Side.LONG, Side.SHORT, Side.LONG, Side.SHORT),
    ),
    twins=Absent("every trade has an id"),
    first=Absent("nothing is replayed on subscribing"),
    silent={
        "trades without the flag": batch(trade(liquidation=None), trade(liquidation=None)),
        "a liquidated option, which is no position in the coin": frame(instrument_name="BTC-27DEC26-90000-C"),
        "a liquidated option on a cheap coin": frame(instrument_name="XRP_USDC-30JUN26-0d625-P"),
        "a heartbeat": text({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}}),
        "a request for a sign of life": text(
            {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
        ),
        "the answer to ours": answer({"version": "1.2.26"}, 3),
        "another channel": text(
            {"method": "subscription", "params": {"channel": "book.BTC-PERPETUAL.100ms", "data": {"bids": []}}}
        ),
        "a list of another channel": text(
            {"method": "subscription", "params": {"channel": "user.trades.BTC", "data": [trade()]}}
        ),
        "a ticker of another channel": text(
            {
                "method": "subscription",
                "params": {
                    "channel": "incremental_ticker.BTC-PERPETUAL",
                    "data": {"instrument_name": "BTC-PERPETUAL", "timestamp": NOW, "mark_price": 5.0},
                },
            }
        ),
    },
    no_liquidation={
        "an acknowledgement": answer(["ticker.BTC-PERPETUAL.100ms"]),
        "an acknowledgement of heartbeats": answer("ok", 1),
        "a ticker without a trade yet": ticker(mark_price=64010.5, last_price=None),
    },
    acknowledged=(answer(["ticker.BTC-PERPETUAL.100ms"]), "2"),
    rejected={
        "too many requests": (refused(10028, "too_many_requests"), "2", "10028 too_many_requests"),
        "a channel that does not exist is left out": (answer([]), "2", "channels"),
        "without an id": (text({"error": {"code": -32700, "message": "Parse error"}}), "", "Parse error"),
    },
    closing=Absent("the end of a connection is not announced"),
    strange=Absent("the enums of a trade are its direction and its flag, without which there is no side"),
    half_broken=(batch(trade(), trade(amount=-2), "row", trade(direction="buy")), 2, 2),
    broken={
        "a direction that is none": frame(direction="long"),
        "no direction": frame(direction=None),
        "a flag that is none": frame(liquidation="X"),
        "a size of 0": frame(amount=0),
        "no size": frame(amount=None),
        "no price": frame(price=None),
        "no id": frame(trade_id=None),
        "no time": frame(timestamp=None),
        "a time in seconds": frame(timestamp=NOW // 1000),
        "an empty symbol": frame(instrument_name=""),
        "a symbol that cannot be printed": frame(instrument_name="\u0007"),
        "trades that are text": text(
            {"method": "subscription", "params": {"channel": "trades.future.BTC.100ms", "data": "none"}}
        ),
        "a ticker of words": ticker(mark_price="much"),
        "a ticker of next year": ticker(mark_price=64000.5, timestamp=NOW + 32_000_000_000),
        "a ticker of no symbol": ticker(mark_price=64000.5, instrument_name="\u0007"),
        "a channel that is a number": text({"method": "subscription", "params": {"channel": 5, "data": []}}),
        "an unknown method": text({"method": "farewell", "params": {}}),
        "a method without parameters": text({"method": "subscription"}),
        "an id of another kind": text({"id": [1], "result": []}),
        "no event": text({"hello": "world"}),
    },
    later=lambda moment: frame(timestamp=moment),
    prices=(
        ticker(mark_price=64010.25, last_price=64009.5, index_price=64012.75, best_bid_price=64009.0),
        {PriceKind.MARK: 64_010.25, PriceKind.LAST: 64_009.5, PriceKind.INDEX: 64_012.75},
    ),
    recorded=("deribit",),
    refused=('"error":{',),
)

WIRE = Wire(
    path="/ws/api/v2",
    ping='{"id":3,"method":"public/test"}',
    marker='"trade_id"',
    subscription={"id": 1, "method": "public/subscribe", "params": {"channels": ["trades.future.USDC.100ms"]}},
    said_first=1,
)
