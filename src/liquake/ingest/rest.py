"""What venues answer over REST: their instruments."""

from __future__ import annotations

import asyncio

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
                raise Unreachable(venue, "HTTP 451, it refuses requests from this country")
            if answer.status != 200:
                raise Unreachable(venue, f"HTTP {answer.status} from {request.url}")
            return await answer.read()
    except TimeoutError:
        raise Unreachable(venue, f"no answer within {_TIMEOUT.total:g} s from {request.url}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(venue, str(error)) from None


async def fetch_instruments(
    client: aiohttp.ClientSession, venue: Venue, requests: tuple[Request, ...]
) -> list[Instrument]:
    """Every instrument the venue lists, over all pages of all `requests`.

    Raises `Unreachable`, or `InstrumentsError` when an answer cannot be read.
    """
    lists = await asyncio.gather(*(_pages(client, venue, request) for request in requests))
    return [instrument for each in lists for instrument in each]


async def _pages(client: aiohttp.ClientSession, venue: Venue, first: Request) -> list[Instrument]:
    found: list[Instrument] = []
    request: Request | None = first
    for _ in range(_PAGES):
        if request is None:
            break
        answer = await fetch(client, venue.name, request)
        found += venue.read_instruments(answer)
        request = venue.next_page(request, answer)
    return found
