"""Rows of one topic: one to a frame, as in the documented example, and one to four."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Row(msgspec.Struct, gc=False):
    T: int
    s: str
    S: str
    v: float
    p: float


class _Frame(msgspec.Struct, gc=False):
    topic: str
    type: str
    ts: int
    data: list[_Row]


def _frame_of(most: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        symbol, price, first = f"{chance.choice(COINS)}USDT", chance.uniform(0.5, 900.0), moment(chance)
        rows = [
            {
                "T": first + row,
                "s": symbol,
                "S": chance.choice(("Buy", "Sell")),
                "v": f"{chance.uniform(1, 500):.2f}",
                "p": f"{price * chance.uniform(0.99, 1.01):.4f}",
            }
            for row in range(chance.randint(1, most))
        ]
        message = {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": first + 300, "data": rows}
        return encoded(message), len(rows)

    return frame


CORPORA = (
    Corpus("bybit", _Frame, alike(_frame_of(1)), linear("{}USDT")),
    Corpus("bybit", _Frame, alike(_frame_of(4)), linear("{}USDT"), "1-4 rows"),
)
