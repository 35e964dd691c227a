"""Trades that were liquidations, and the tape as it runs, where they are one in twenty."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Trade(msgspec.Struct, gc=False):
    product_id: str
    feed: str
    uid: str
    side: str
    type: str
    time: int
    qty: float
    price: float
    seq: int


def _frame_of(share: float) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        liquidation = chance.random() < share
        trade = {
            "product_id": f"PF_{chance.choice(COINS)}USD",
            "feed": "trade",
            "uid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "side": chance.choice(("sell", "buy")),
            "type": "liquidation" if liquidation else "fill",
            "time": moment(chance),
            "qty": round(chance.uniform(0.1, 500.0), 3),
            "price": round(chance.uniform(0.5, 900.0), 4),
            "seq": chance.randrange(10**6),
        }
        return encoded(trade), int(liquidation)

    return frame


CORPORA = (
    Corpus("kraken", _Trade, alike(_frame_of(1.0)), linear("PF_{}USD")),
    Corpus("kraken", _Trade, alike(_frame_of(0.05)), linear("PF_{}USD"), "tape"),
)
