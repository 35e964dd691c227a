"""What a client missed is in a venue's history, under the keys that its stream would have given it."""

from __future__ import annotations

import pytest

from liquake.clock import SECOND
from liquake.ingest.rest import fetch, rerouted
from liquake.model import Instruments, Liquidation, Side
from liquake.venues.registry import find_venue
from liquake.venues.venue import Request
from tests.unit.simulate.stage import Stage, stage


async def refilled(at: Stage, start: int, end: int) -> list[Liquidation]:
    """All of the venue's history from `start` to `end`, UTC nanoseconds."""
    venue = find_venue(at.server.name)
    instruments = Instruments()
    for listing in venue.instrument_requests():
        instruments.update(venue.read_instruments(await fetch(at.session, venue.name, _moved(listing, at))))
    found: list[Liquidation] = []
    for first in venue.history(instruments, None, start, end):
        request: Request | None = first
        while request is not None:
            answer = await fetch(at.session, venue.name, _moved(request, at))
            found += venue.read_history(request, answer, instruments, at.clock.now())
            request = venue.next_history(request, answer)
    return found


def _moved(request: Request, at: Stage) -> Request:
    return Request(rerouted(request.url, at.address), request.body)


@pytest.mark.parametrize("venue", ["bitfinex", "bitget", "kraken"])
async def test_what_happened_while_nobody_was_connected_is_refilled_over_many_pages(venue: str) -> None:
    async with stage(venue, throttled=False) as at:
        start = at.clock.now()
        for number in range(700):
            at.clock.advance(0.01)
            await at.liquidate("SOL" if number % 3 else "BTC", Side.LONG if number % 2 else Side.SHORT, 900.0 + number)
        assert at.server.published == []
        found = await refilled(at, start, at.clock.now() + SECOND)
    # A page may reach further back than was asked for.
    truth = {event.key: event for event in at.server.published if event.ts >= start}
    assert len(truth) == 700
    assert {event.key for event in found} == truth.keys()
    for event in found:
        told = truth[event.key]
        assert (event.side, event.ts_event, event.instrument) == (told.side, told.ts, told.instrument)
        # Bitget's history does not say in which unit its sizes are.
        assert event.usd is None if venue == "bitget" else event.usd == pytest.approx(told.usd, rel=1e-9)
