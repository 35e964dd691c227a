"""The lives of orders in the table: opened, re-priced, filled in part or raised at times, and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from uuid import UUID

import msgspec
from bench.corpora.corpus import COINS, Corpus, encoded, linear


class _Row(msgspec.Struct, gc=False):
    orderID: str  # noqa: N815 - the venue's name
    symbol: str
    side: str | None = None
    price: float | None = None
    leavesQty: int | None = None  # noqa: N815 - the venue's name


class _Frame(msgspec.Struct, gc=False):
    table: str
    action: str
    data: list[_Row]


def _life(chance: Random) -> Iterator[tuple[bytes, int]]:
    named = {"orderID": str(UUID(int=chance.getrandbits(128), version=4)), "symbol": f"{chance.choice(COINS)}USDT"}
    price, contracts = round(chance.uniform(0.5, 900.0), 2), 100 * chance.randint(10, 10**5)

    def change(action: str, **columns: object) -> bytes:
        return encoded({"table": "liquidation", "action": action, "data": [{**named, **columns}]})

    yield change("insert", side=chance.choice(("Buy", "Sell")), price=price, leavesQty=contracts), 1
    fate = chance.random()
    if fate < 0.4:
        yield change("update", price=round(price * 1.001, 2)), 0
    elif fate < 0.6:
        yield change("update", leavesQty=contracts // 2), 0
    elif fate < 0.7:
        yield change("update", price=round(price * 1.001, 2), leavesQty=contracts + 800), 1
    yield change("delete"), 0


def _frames(chance: Random, count: int) -> Iterator[tuple[bytes, int]]:
    return islice((frame for _ in range(count) for frame in _life(chance)), count)


CORPORA = (Corpus("bitmex", _Frame, _frames, linear("{}USDT", 1e-4)),)
