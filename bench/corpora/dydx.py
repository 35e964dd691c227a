"""Trades of one market and batch: one, a liquidation, and one to eight of which one in ten is such."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Trade(msgspec.Struct, gc=False):
    id: str
    size: float
    price: float
    side: str
    createdAt: datetime  # noqa: N815 - the venue's name
    type: str


class _Contents(msgspec.Struct, gc=False):
    trades: list[_Trade]


class _Frame(msgspec.Struct, gc=False):
    type: str
    connection_id: str
    message_id: int
    id: str
    channel: str
    version: str
    contents: list[_Contents]


def _frame_of(most: int, marked: float) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        created = datetime.fromtimestamp(moment(chance) / 1000, UTC).isoformat(timespec="milliseconds")
        trades = [
            {
                "id": f"{105_000_000 + chance.randrange(10**6):08x}00000002{chance.getrandbits(32):08x}",
                "size": f"{chance.uniform(1, 500):.3f}",
                "price": f"{chance.uniform(0.5, 900.0):.4f}",
                "side": chance.choice(("BUY", "SELL")),
                "createdAt": created.replace("+00:00", "Z"),
                "type": "LIQUIDATED" if chance.random() < marked else "LIMIT",
            }
            for _ in range(chance.randint(1, most))
        ]
        envelope = {
            "type": "channel_batch_data",
            "connection_id": str(UUID(int=chance.getrandbits(128), version=4)),
            "message_id": chance.randrange(10**6),
            "id": f"{chance.choice(COINS)}-USD",
            "channel": "v4_trades",
            "version": "2.1.0",
        }
        marks = sum(trade["type"] == "LIQUIDATED" for trade in trades)
        return encoded({**envelope, "contents": [{"trades": trades}]}), marks

    return frame


CORPORA = (
    Corpus("dydx", _Frame, alike(_frame_of(1, 1.0)), linear("{}-USD")),
    Corpus("dydx", _Frame, alike(_frame_of(8, 0.1)), linear("{}-USD"), "1-8 trades"),
)
