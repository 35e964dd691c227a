"""Details of one contract: one to a frame, as in the documented example, and one to four."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Argument(msgspec.Struct, gc=False):
    channel: str
    instType: str  # noqa: N815 - the venue's name


class _Detail(msgspec.Struct, gc=False):
    bkLoss: float  # noqa: N815 - the venue's name
    bkPx: float  # noqa: N815 - the venue's name
    ccy: str
    posSide: str  # noqa: N815 - the venue's name
    side: str
    sz: float
    ts: int


class _Row(msgspec.Struct, gc=False):
    details: list[_Detail]
    instFamily: str  # noqa: N815 - the venue's name
    instId: str  # noqa: N815 - the venue's name
    instType: str  # noqa: N815 - the venue's name
    uly: str


class _Frame(msgspec.Struct, gc=False):
    arg: _Argument
    data: list[_Row]


def _frame_of(most: int) -> Callable[[Random], tuple[bytes, int]]:
    def frame(chance: Random) -> tuple[bytes, int]:
        family, price, first = f"{chance.choice(COINS)}-USDT", chance.uniform(0.5, 900.0), moment(chance)
        details = []
        for detail in range(chance.randint(1, most)):
            sold = chance.random() < 0.5
            details.append(
                {
                    "bkLoss": "0",
                    "bkPx": f"{price * chance.uniform(0.99, 1.01):.4f}",
                    "ccy": "",
                    "posSide": "long" if sold else "short",
                    "side": "sell" if sold else "buy",
                    "sz": f"{chance.uniform(1, 500):.2f}",
                    "ts": str(first + detail),
                }
            )
        row = {"details": details, "instFamily": family, "instId": f"{family}-SWAP", "instType": "SWAP", "uly": family}
        argument = {"channel": "liquidation-orders", "instType": "SWAP"}
        return encoded({"arg": argument, "data": [row]}), len(details)

    return frame


CORPORA = (
    Corpus("okx", _Frame, alike(_frame_of(1)), linear("{}-USDT-SWAP", 0.1), wanted=0.55),
    Corpus("okx", _Frame, alike(_frame_of(4)), linear("{}-USDT-SWAP", 0.1), "1-4 rows", wanted=0.55),
)
