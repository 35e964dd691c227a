"""What venues answer over REST: their instruments."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from liquake.errors import Unreachable
from liquake.model import Instrument
from liquake.venues import Request, Venue

_PAGES = 50
_TIMEOUT = aiohttp.ClientTimeout(total=10.0)


async def fetch(client: aiohttp.ClientSession, venue: str, request: Request) -> bytes:
    """The body of the answer. Raises `Unreachable` with the reason."""
    try:
        call = (
            client.get(request.url, timeout=_TIMEOUT)
            if request.body is None
            else client.post(
                request.url, data=request.body, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT
            )
        )
        async with call as answer:
            if answer.status == 451:
                raise Unreachable(venue, "HTTP 451, it refuses requests from this country", answered=True)
            if answer.status != 200:
                raise Unreachable(venue, f"HTTP {answer.status} from {request.url}", answered=True)
            return await answer.read()
    except TimeoutError:
        raise Unreachable(venue, f"no answer within {_TIMEOUT.total:g} s from {request.url}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(venue, str(error)) from None


def rerouted(url: str, address: str | None) -> str:
    """`url` with the scheme and host of `address` ("http://127.0.0.1:4711"), its path and query kept.

    >>> rerouted("wss://fstream.binance.com/market/stream?streams=a", "http://127.0.0.1:4711")
    'ws://127.0.0.1:4711/market/stream?streams=a'
    """
    if address is None:
        return url
    old, new = urlsplit(url), urlsplit(address)
    secure = new.scheme in ("https", "wss")
    scheme = {"ws": "ws", "wss": "ws"}.get(old.scheme, "http") + ("s" if secure else "")
    return urlunsplit((scheme, new.netloc, old.path, old.query, old.fragment))


async def fetch_instruments(
    client: aiohttp.ClientSession, venue: Venue, address: str | None = None
) -> list[Instrument]:
    """Every instrument the venue lists, over all pages of all its requests, asked at `address` where one is given.

    Raises `Unreachable`, or `InstrumentsError` when an answer cannot be read.
    """
    lists = await asyncio.gather(*(_pages(client, venue, request, address) for request in venue.instrument_requests()))
    return [instrument for each in lists for instrument in each]


async def fetch_accounts(client: aiohttp.ClientSession, venue: Venue, address: str | None = None) -> tuple[str, ...]:
    """The accounts the venue tells to watch, each once; none where it has no such thing.

    Raises `Unreachable`, or `InstrumentsError` when an answer cannot be read.
    """
    requests = [Request(rerouted(each.url, address), each.body) for each in venue.account_requests()]
    answers = await asyncio.gather(*(fetch(client, venue.name, request) for request in requests))
    return tuple(dict.fromkeys(account for answer in answers for account in venue.read_accounts(answer)))


async def _pages(client: aiohttp.ClientSession, venue: Venue, first: Request, address: str | None) -> list[Instrument]:
    found: list[Instrument] = []
    request: Request | None = first
    for _ in range(_PAGES):
        if request is None:
            break
        answer = await fetch(client, venue.name, Request(rerouted(request.url, address), request.body))
        found += venue.read_instruments(answer)
        request = venue.next_page(request, answer)
    return found
