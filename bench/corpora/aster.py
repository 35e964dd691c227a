"""Forced orders as Aster documents them: Binance's, without the fields of its second product."""

from __future__ import annotations

from random import Random

from bench.corpora.binance import ForcedOrder, Frame, forced_order
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear


def _frame(chance: Random) -> tuple[bytes, int]:
    order = forced_order(chance, f"{chance.choice(COINS)}USDT", 3)
    data = {"e": "forceOrder", "E": order["T"], "o": order}
    return encoded({"stream": "!forceOrder@arr", "data": data}), 1


CORPORA = (Corpus("aster", Frame[ForcedOrder], alike(_frame), linear("{}USDT")),)
