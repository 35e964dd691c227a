"""Liquidations of one product, each of a pair of its own, in no order of time: one to a frame, and one to four."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Argument(msgspec.Struct, gc=False):
    instType: str  # noqa: N815 - the venue's name
    topic: str


class _Row(msgspec.Struct, gc=False):
    symbol: str
    side: str
    price: float
    amount: float
    ts: int


class _Frame(msgspec.Struct, gc=False):
    action: str
    arg: _Argument
    data: list[_Row]
    ts: int


def _frame_of(most: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        last = moment(chance)
        rows = [
            {
                "symbol": f"{chance.choice(COINS)}USDT",
                "side": chance.choice(("buy", "sell")),
                "price": f"{chance.uniform(0.5, 900.0):.4f}",
                "amount": f"{chance.uniform(1, 50_000):.7f}",
                "ts": str(last - chance.randrange(10_000)),
            }
            for _ in range(chance.randint(1, most))
        ]
        argument = {"instType": "usdt-futures", "topic": "liquidation"}
        return encoded({"action": "update", "arg": argument, "data": rows, "ts": last}), len(rows)

    return frame


CORPORA = (
    Corpus("bitget", _Frame, alike(_frame_of(1)), linear("{}USDT")),
    Corpus("bitget", _Frame, alike(_frame_of(4)), linear("{}USDT"), "1-4 rows"),
)
