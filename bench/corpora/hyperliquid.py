"""Trades of one coin, one to four; and fills of a watched account, one to four of one liquidation."""

from __future__ import annotations

from random import Random

import msgspec
from bench.corpora.corpus import COINS, Corpus, alike, encoded, linear, moment


class _Trade(msgspec.Struct, gc=False):
    coin: str
    side: str
    px: float
    sz: float
    time: int
    hash: str
    tid: int
    users: tuple[str, str]


class _Trades(msgspec.Struct, gc=False):
    channel: str
    data: list[_Trade]


class _Liquidation(msgspec.Struct, gc=False):
    liquidatedUser: str  # noqa: N815 - the venue's name
    markPx: float  # noqa: N815 - the venue's name
    method: str


class _Fill(msgspec.Struct, gc=False):
    coin: str
    px: float
    sz: float
    side: str
    time: int
    startPosition: float  # noqa: N815 - the venue's name
    dir: str
    closedPnl: float  # noqa: N815 - the venue's name
    hash: str
    oid: int
    crossed: bool
    fee: float
    tid: int
    feeToken: str  # noqa: N815 - the venue's name
    twapId: int | None  # noqa: N815 - the venue's name
    liquidation: _Liquidation | None = None


class _Fills(msgspec.Struct, gc=False):
    user: str
    fills: list[_Fill]


class _UserFills(msgspec.Struct, gc=False):
    channel: str
    data: _Fills


def _hexadecimal(chance: Random, digits: int) -> str:
    return f"0x{chance.getrandbits(4 * digits):0{digits}x}"


def _trades(chance: Random) -> tuple[bytes, int]:
    coin, when, identity = chance.choice(COINS), moment(chance), _hexadecimal(chance, 64)
    side, price = chance.choice("AB"), chance.uniform(0.5, 900.0)
    trades = [
        {
            "coin": coin,
            "side": side,
            "px": f"{price * chance.uniform(0.999, 1.001):.4f}",
            "sz": f"{chance.uniform(1, 500):.2f}",
            "time": when,
            "hash": identity,
            "tid": chance.getrandbits(50),
            "users": [_hexadecimal(chance, 40), _hexadecimal(chance, 40)],
        }
        for _ in range(chance.randint(1, 4))
    ]
    return encoded({"channel": "trades", "data": trades}), 0


def _fills(chance: Random) -> tuple[bytes, int]:
    coin, when, liquidated = chance.choice(COINS), moment(chance), _hexadecimal(chance, 40)
    sold, price, identity = chance.random() < 0.5, f"{chance.uniform(0.5, 900.0):.4f}", _hexadecimal(chance, 64)
    fills = [
        {
            "coin": coin,
            "px": price,
            "sz": f"{chance.uniform(1, 500):.2f}",
            "side": "A" if sold else "B",
            "time": when,
            "startPosition": f"{chance.uniform(-500, 500):.2f}",
            "dir": "Open Short" if sold else "Open Long",
            "closedPnl": "0.0",
            "hash": identity,
            "oid": chance.getrandbits(38),
            "crossed": False,
            "fee": f"{chance.uniform(0, 2):.6f}",
            "tid": chance.getrandbits(50),
            "liquidation": {"liquidatedUser": liquidated, "markPx": price, "method": "market"},
            "feeToken": "USDC",
            "twapId": None,
        }
        for _ in range(chance.randint(1, 4))
    ]
    return encoded({"channel": "userFills", "data": {"user": _hexadecimal(chance, 40), "fills": fills}}), len(fills)


CORPORA = (
    Corpus("hyperliquid", _Trades, alike(_trades), linear("{}"), "trades"),
    Corpus("hyperliquid", _UserFills, alike(_fills), linear("{}"), "fills"),
)
