"""Forced orders as Aster documents them: Binance's, without the fields of its second product."""

from __future__ import annotations

from random import Random

import msgspec
from bench.corpora.binance import forced_order
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear


class _Order(msgspec.Struct, gc=False):
    s: str
    S: str
    o: str
    f: str
    q: float
    p: float
    ap: float
    X: str
    l: float  # noqa: E741 - the venue's name
    z: float
    T: int


class _Data(msgspec.Struct, gc=False):
    e: str
    E: int
    o: _Order


class _Frame(msgspec.Struct, gc=False):
    stream: str
    data: _Data


def _frame(chance: Random) -> tuple[bytes, int]:
    order = forced_order(chance, f"{chance.choice(COINS)}USDT", 3)
    data = {"e": "forceOrder", "E": order["T"], "o": order}
    return encoded({"stream": "!forceOrder@arr", "data": data}), 1


CORPORA = (Corpus("aster", _Frame, alike(_frame), linear("{}USDT")),)
