"""What Deribit's history says an hour behind is what happened, page by page."""

from __future__ import annotations

from liquake.ingest.rest import fetch, rerouted
from liquake.model import Instruments, Liquidation
from liquake.venues.deribit import Deribit
from liquake.venues.venue import Request
from tests.unit.simulate.stage import START, Stage, stage

VENUE = Deribit()


async def told(at: Stage, start: int, end: int) -> list[Liquidation]:
    """Everything the history says of the time from `start` to `end`, UTC nanoseconds."""
    instruments, found = Instruments(), list[Liquidation]()
    for first in VENUE.history(instruments, None, start, end):
        asked: Request | None = first
        while asked is not None:
            answer = await fetch(at.session, VENUE.name, Request(rerouted(asked.url, at.address)))
            found += VENUE.read_history(asked, answer, instruments, at.clock.now())
            asked = VENUE.next_history(asked, answer)
    return found


async def test_what_is_asked_for_an_hour_behind_is_the_truth_once_it_is_known() -> None:
    async with stage("deribit") as at:
        for number in range(180):
            await at.liquidate(("BTC", "ETH", "SOL", "PEPE")[number % 4], usd=1_000.0 + number)
            if number % 9 == 0:
                await at.wait(0.3)
        end = at.clock.now()
        assert await told(at, START, end) == []
        at.clock.advance(3_600.0)
        found = await told(at, START, end)
        truth = {event.id: (event.instrument, event.side, event.ts) for event in at.server.published}
    assert len(truth) > 180
    assert {event.key: (event.instrument, event.side, event.ts_event) for event in found} == truth
    by_key = {event.id: event for event in at.server.published}
    for event in found:
        was = by_key[event.key]
        assert (event.price, event.size) == (was.price, was.size)
        assert event.amount is not None
        assert abs(event.amount / was.amount - 1.0) < 1e-9
