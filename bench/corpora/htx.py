"""Liquidation orders in gzip, as the sockets send them, which typed decoding has to inflate as well."""

from __future__ import annotations

import gzip
import zlib
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Row(msgspec.Struct, gc=False):
    contract_code: str
    symbol: str
    direction: str
    offset: str
    volume: float
    price: float
    created_at: int
    amount: float
    trade_turnover: float
    contract_type: str
    pair: str
    business_type: str


class _Frame(msgspec.Struct, gc=False):
    op: str
    topic: str
    ts: int
    data: list[_Row]


def _message(chance: Random) -> bytes:
    coin, price, when = chance.choice(COINS), round(chance.uniform(0.5, 900.0), 4), moment(chance)
    volume = chance.randint(1, 5000)
    row = {
        "contract_code": f"{coin}-USDT",
        "symbol": coin,
        "direction": chance.choice(("sell", "buy")),
        "offset": "close",
        "volume": volume,
        "price": price,
        "created_at": when,
        "amount": round(volume * 0.1, 1),
        "trade_turnover": round(volume * 0.1 * price, 5),
        "contract_type": "swap",
        "pair": f"{coin}-USDT",
        "business_type": "swap",
    }
    return encoded({"op": "notify", "topic": f"public.{coin}-USDT.liquidation_orders", "ts": when + 90, "data": [row]})


def _frame(chance: Random) -> tuple[bytes, int]:
    return gzip.compress(_message(chance)), 1


def _inflated(frame: bytes) -> bytes:
    return zlib.decompress(frame, zlib.MAX_WBITS | 16)


CORPORA = (Corpus("htx", _Frame, alike(_frame), linear("{}-USDT", 0.1), unpacked=_inflated),)
