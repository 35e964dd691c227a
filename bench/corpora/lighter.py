"""Trades of one market: a liquidation alone, and one beside one to three trades that are none."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, moment

from liquake.model import ContractKind, Instrument, Instruments


class _Trade(msgspec.Struct, gc=False):
    trade_id: int
    trade_id_str: str
    tx_hash: str
    type: str
    market_id: int
    size: float
    price: float
    usd_amount: float
    ask_id: int
    ask_id_str: str
    bid_id: int
    bid_id_str: str
    ask_client_id: int
    ask_client_id_str: str
    bid_client_id: int
    bid_client_id_str: str
    ask_account_id: int
    bid_account_id: int
    is_maker_ask: bool
    block_height: int
    timestamp: int
    transaction_time: int
    taker_fee: int = 0
    taker_position_size_before: float = 0.0
    taker_entry_quote_before: float = 0.0
    taker_initial_margin_fraction_before: int = 0
    taker_position_sign_changed: bool = False
    maker_fee: int = 0
    maker_position_size_before: float = 0.0
    maker_entry_quote_before: float = 0.0
    maker_initial_margin_fraction_before: int = 0


class _Frame(msgspec.Struct, gc=False):
    type: str
    channel: str
    nonce: int
    trades: list[_Trade]
    liquidation_trades: list[_Trade] = []


def _numbered(name: str, number: int) -> dict[str, object]:
    return {name: number, f"{name}_str": str(number)}


def _trade(chance: Random, market: int, kind: str) -> dict[str, object]:
    size, price, maker_asks = (
        f"{chance.uniform(1, 500):.2f}",
        f"{chance.uniform(0.5, 900.0):.4f}",
        chance.random() < 0.5,
    )
    worth, when = float(size) * float(price), moment(chance)
    trade: dict[str, object] = {
        **_numbered("trade_id", 18_000_000_000 + chance.randrange(10**8)),
        "tx_hash": f"{chance.getrandbits(320):080x}",
        "type": kind,
        "market_id": market,
        "size": size,
        "price": price,
        "usd_amount": f"{worth:.6f}",
    }
    for party in ("ask", "bid", "ask_client", "bid_client"):
        trade |= _numbered(f"{party}_id", chance.getrandbits(49))
    return {
        **trade,
        "ask_account_id": 72_056,
        "bid_account_id": 281_474_976_000_000,
        "is_maker_ask": maker_asks,
        "block_height": 218_829_719,
        "timestamp": when,
        "taker_fee": 10_000,
        "taker_position_size_before": f"-{size}" if maker_asks else size,
        "taker_entry_quote_before": f"{worth * 0.99:.6f}",
        "taker_initial_margin_fraction_before": 200,
        "taker_position_sign_changed": True,
        "maker_fee": 39,
        "maker_position_size_before": f"{chance.uniform(-500, 500):.2f}",
        "maker_entry_quote_before": f"{chance.uniform(1, 500):.6f}",
        "maker_initial_margin_fraction_before": 200,
        "transaction_time": when * 1000 + 222,
    }


def _frame_of(others: tuple[int, int]) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        market = chance.randrange(len(COINS))
        message = {
            "type": "update/trade",
            "channel": f"trade:{market}",
            "nonce": chance.randrange(10**10),
            "trades": [_trade(chance, market, "trade") for _ in range(chance.randint(*others))],
            "liquidation_trades": [_trade(chance, market, "liquidation")],
        }
        return encoded(message), 1

    return frame


def _instruments() -> Instruments:
    listed = (Instrument(str(number), coin, ContractKind.LINEAR, 1.0) for number, coin in enumerate(COINS))
    return Instruments(listed)


CORPORA = (
    Corpus("lighter", _Frame, alike(_frame_of((0, 0))), _instruments),
    Corpus("lighter", _Frame, alike(_frame_of((1, 3))), _instruments, "2-4 trades"),
)
