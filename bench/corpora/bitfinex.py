"""Positions of derivatives: each a trigger and then an execution in a frame of its own, and one to four executions at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment

_CHANNEL = 916
_TRIGGER, _EXECUTION = 0, 1


class _Row(msgspec.Struct, array_like=True, gc=False):
    kind: str
    position: int
    time: int
    _third: None
    symbol: str
    amount: float
    base_price: float | None
    _seventh: None
    is_match: int
    is_market_sold: int
    _tenth: None
    price_acquired: float | None


class _Frame(msgspec.Struct, array_like=True, gc=False):
    channel: int
    rows: list[_Row]


def _row(chance: Random, match: int, when: int) -> list[object]:
    price, amount = chance.uniform(0.5, 900.0), chance.choice((-1, 1)) * chance.uniform(0.1, 500.0)
    symbol, position = f"t{chance.choice(COINS)}F0:USTF0", 143_000_000 + chance.randrange(10**6)
    paid = round(price, 5) if match == _EXECUTION else None
    return ["pos", position, when, None, symbol, round(amount, 5), round(price * 1.05, 5), None, match, 1, None, paid]


def _positions(chance: Random, count: int) -> Iterator[tuple[bytes, int]]:
    for nth in range(count):
        match = nth % 2
        yield encoded([_CHANNEL, [_row(chance, match, moment(chance))]]), int(match == _EXECUTION)


def _executions_of(most: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        first = moment(chance)
        rows = [_row(chance, _EXECUTION, first + row) for row in range(chance.randint(1, most))]
        return encoded([_CHANNEL, rows]), len(rows)

    return frame


CORPORA = (
    Corpus("bitfinex", _Frame, _positions, linear("t{}F0:USTF0")),
    Corpus("bitfinex", _Frame, alike(_executions_of(4)), linear("t{}F0:USTF0"), "1-4 rows"),
)
