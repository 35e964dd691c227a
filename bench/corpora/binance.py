"""Forced orders of the merged stream, a row to a frame: USDT-margined and, since 2026-06-30, coin-margined."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Generic, TypeVar

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment

from liquake.model import ContractKind, Instrument, Instruments


class ForcedOrder(msgspec.Struct, gc=False):
    """What both products have, and venues that took over the protocol."""

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


class _Order(ForcedOrder, gc=False):
    ps: str
    st: int


Order = TypeVar("Order", bound=ForcedOrder)


class _Data(msgspec.Struct, Generic[Order], gc=False):
    e: str
    E: int
    o: Order


class Frame(msgspec.Struct, Generic[Order], gc=False):
    """One order as the merged stream tells it."""

    stream: str
    data: _Data[Order]


def forced_order(chance: Random, symbol: str, decimals: int) -> dict[str, object]:
    """One with values by chance."""
    price, size = chance.uniform(0.5, 900.0), chance.uniform(1, 500)
    sold, quantity = chance.random() < 0.5, f"{size:.{decimals}f}"
    return {
        "s": symbol,
        "S": "SELL" if sold else "BUY",
        "o": "LIMIT",
        "f": "IOC",
        "q": quantity,
        "p": f"{price * (0.99 if sold else 1.01):.5f}",
        "ap": f"{price:.5f}",
        "X": "FILLED",
        "l": f"{max(size / 2, 1.0):.{decimals}f}",
        "z": quantity,
        "T": moment(chance),
    }


def _frame_of(form: str, pair: str, product: int, decimals: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        coin = chance.choice(COINS)
        order = forced_order(chance, form.format(coin), decimals) | {"ps": pair.format(coin), "st": product}
        data = {"e": "forceOrder", "E": order["T"], "o": order}
        return encoded({"stream": "!forceOrder@arr", "data": data}), 1

    return frame


def _coin_margined() -> Instruments:
    return Instruments(Instrument(f"{coin}USD_PERP", coin, ContractKind.INVERSE, 10.0) for coin in COINS)


CORPORA = (
    Corpus("binance", Frame[_Order], alike(_frame_of("{}USDT", "{}USDT", 1, 3)), linear("{}USDT"), wanted=0.6),
    Corpus("binance", Frame[_Order], alike(_frame_of("{}USD_PERP", "{}USD", 2, 0)), _coin_margined, "coin-m"),
)
