"""Pages of the history of trades, of which one in twenty is marked: read, and asked whether another follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import msgspec
from bench.corpora.corpus import COINS, LATEST, NOW, Corpus, encoded, linear, moment

from liquake.model import Event, Instruments
from liquake.venues.registry import find_venue

_TRADES = 1000
_FRAMES_PER_PAGE = 200
"""A page takes as long as so many frames of others."""
_MARKED = 0.05


class _Trade(msgspec.Struct, gc=False):
    timestamp: int
    price: float
    amount: float
    direction: str
    index_price: float
    instrument_name: str
    trade_seq: int
    mark_price: float
    tick_direction: int
    contracts: float
    trade_id: str
    liquidation: str | None = None


class _Result(msgspec.Struct, gc=False):
    trades: list[_Trade]
    has_more: bool


class _Page(msgspec.Struct, gc=False):
    jsonrpc: str
    result: _Result
    usIn: int  # noqa: N815 - the venue's name
    usOut: int  # noqa: N815 - the venue's name
    usDiff: int  # noqa: N815 - the venue's name
    testnet: bool


def _trade(chance: Random, nth: int) -> dict[str, object]:
    price, amount = chance.uniform(0.5, 900.0), chance.randint(1, 5000)
    trade: dict[str, object] = {
        "timestamp": moment(chance),
        "price": round(price, 2),
        "amount": amount / 10,
        "direction": chance.choice(("buy", "sell")),
        "index_price": round(price * 0.999, 2),
        "instrument_name": f"{chance.choice(COINS)}_USDC-PERPETUAL",
        "trade_seq": 271_000_000 + nth,
        "mark_price": round(price * 1.0001, 2),
        "tick_direction": chance.randrange(4),
        "contracts": float(amount),
        "trade_id": f"USDC-{40_000_000 + nth}",
    }
    if chance.random() < _MARKED:
        trade["liquidation"] = chance.choice("MT")
    return trade


def _page(chance: Random) -> tuple[bytes, int]:
    first = chance.randrange(10**9)
    trades = [_trade(chance, first + nth) for nth in range(_TRADES)]
    times = {"usIn": 1_791_000_000_000_000, "usOut": 1_791_000_000_009_000, "usDiff": 9000}
    page = {"jsonrpc": "2.0", "result": {"trades": trades, "has_more": True}, **times, "testnet": False}
    return encoded(page), sum("liquidation" in trade for trade in trades)


def _pages(chance: Random, count: int) -> Iterator[tuple[bytes, int]]:
    return (_page(chance) for _ in range(-(-count // _FRAMES_PER_PAGE)))


def _reader(instruments: Instruments) -> Callable[[bytes, int], Sequence[Event]]:
    """What a poll does with a page."""
    venue = find_venue("deribit")
    request = venue.history(instruments, None, NOW * 1_000_000, LATEST * 1_000_000)[0]

    def read(page: bytes, ts_recv: int) -> Sequence[Event]:
        events = venue.read_history(request, page, instruments, ts_recv)
        venue.next_history(request, page)
        return events

    return read


CORPORA = (Corpus("deribit", _Page, _pages, linear("{}_USDC-PERPETUAL"), "pages", reader=_reader),)
