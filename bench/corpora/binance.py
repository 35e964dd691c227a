"""Forced orders of the merged stream, a row to a frame: USDT-margined and, since 2026-06-30, coin-margined."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment

from liquake.model import ContractKind, Instrument, Instruments


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
    ps: str
    st: int


class _Data(msgspec.Struct, gc=False):
    e: str
    E: int
    o: _Order


class _Frame(msgspec.Struct, gc=False):
    stream: str
    data: _Data


def forced_order(chance: Random, symbol: str, decimals: int) -> dict[str, object]:
    """What both products have, and venues that took over the protocol."""
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
    Corpus("binance", _Frame, alike(_frame_of("{}USDT", "{}USDT", 1, 3)), linear("{}USDT"), wanted=0.6),
    Corpus("binance", _Frame, alike(_frame_of("{}USD_PERP", "{}USD", 2, 0)), _coin_margined, "coin-m"),
)
