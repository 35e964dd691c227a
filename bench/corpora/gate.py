"""Liquidation orders of one contract, with sizes in quotes as the session asks for them: one to a frame, and one to four,
since those of one contract and second come together."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Row(msgspec.Struct, gc=False):
    price: float
    size: float
    time_ms: int
    contract: str


class _Frame(msgspec.Struct, gc=False):
    channel: str
    event: str
    time: int
    time_ms: int
    result: list[_Row]


def _frame_of(most: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        contract, price, first = f"{chance.choice(COINS)}_USDT", chance.uniform(0.5, 900.0), moment(chance)
        rows = [
            {
                "price": f"{price * chance.uniform(0.99, 1.01):.4f}",
                "size": f"{chance.choice((-1, 1)) * chance.randint(1, 5000)}",
                "time_ms": first + row,
                "contract": contract,
            }
            for row in range(chance.randint(1, most))
        ]
        head = {"channel": "futures.public_liquidates", "event": "update"}
        return encoded({**head, "time": first // 1000, "time_ms": first + 300, "result": rows}), len(rows)

    return frame


CORPORA = (
    Corpus("gate", _Frame, alike(_frame_of(1)), linear("{}_USDT", 0.1)),
    Corpus("gate", _Frame, alike(_frame_of(4)), linear("{}_USDT", 0.1), "1-4 rows"),
)
