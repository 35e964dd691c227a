"""The liquidation orders of the past: per perpetual contract, in windows, a page at a time.

As documented at https://huobiapi.github.io/docs/usdt_swap/v1/en/.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import parse_qs, urlsplit

import msgspec

from liquake.model import NANOSECONDS_PER_MILLISECOND, Instruments
from liquake.venues.htx.decoder import Row
from liquake.venues.venue import Request

# "maximum query window size is 2 hours" (the same page, Query Liquidation Orders).
_WINDOW = 2 * 3600 * 1000
OK = 200
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "LINK", "LTC", "SUI")


class Order(Row):
    """One, and the number by which pages are turned."""

    query_id: int = 0


class Page(msgspec.Struct):
    """One answer; `code` says whether it is one."""

    data: list[Order]
    code: int = OK


def requests(instruments: Instruments, assets: Collection[str] | None, start: int, end: int) -> tuple[Request, ...]:
    """One per perpetual contract and window from `start` to `end`, UTC nanoseconds: "contract" is required."""
    first, last = start // NANOSECONDS_PER_MILLISECOND, -(-end // NANOSECONDS_PER_MILLISECOND)
    return tuple(
        _request(code, since, min(since + _WINDOW, last))
        for code in _wanted(instruments, assets)
        for since in range(first, max(last, first + 1), _WINDOW)
    )


def following(request: Request, page: list[Order]) -> Request | None:
    """The request for what comes after `page`, the answer to `request`; `None` after the last."""
    # "If the query direction is prev, from_id should be the min query_id in the last query result".
    oldest = min((row.query_id for row in page), default=0)
    before = parse_qs(urlsplit(request.url).query).get("from_id", ["0"])[0]
    if not oldest or oldest >= int(before) > 0:
        return None
    return Request(f"{request.url.partition('&from_id=')[0]}&from_id={oldest}")


def _wanted(instruments: Instruments, assets: Collection[str] | None) -> Iterator[str]:
    if not instruments:
        yield from (f"{asset}-USDT" for asset in assets or _MAJORS)
        return
    for code, instrument in instruments.items():
        if code.count("-") == 1 and (assets is None or instrument.asset in assets):
            yield code


def _request(code: str, since: int, until: int) -> Request:
    product = "swap-api" if code.endswith("-USD") else "linear-swap-api"
    address = f"https://api.hbdm.com/{product}/v3/swap_liquidation_orders"
    return Request(f"{address}?contract={code}&trade_type=0&start_time={since}&end_time={until}&direct=prev")
