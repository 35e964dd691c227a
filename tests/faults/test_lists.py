"""What a venue lists changes while it is listened to: contracts of another size, and new ones, are known within the hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random

import msgspec
from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.ingest.link import Tempo
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, Liquidation
from liquake.simulate.contracts import Contract, Listing
from liquake.simulate.dydx import DydxServer
from liquake.simulate.faults import Faults
from liquake.simulate.okx import OkxServer
from liquake.simulate.order import Order
from liquake.simulate.server import Setting, VenueServer
from liquake.simulate.simulation import Simulation
from liquake.venues import find_venue

NOON = round(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * SECOND
MINUTE = 60.0
CHANGED = 20 * MINUTE
"""When the venue changes its list, after the start."""
KNOWN = 61 * MINUTE
END = 90 * MINUTE


class Young(DydxServer):
    """Nobody trades on it what it does not list."""

    async def publish(self, order: Order) -> None:
        if order.asset in {contract.asset for contract in self.listing.contracts}:
            await super().publish(order)


def heard(
    kind: type[VenueServer], change: Callable[[Contract], Contract | None], before: Callable[[Contract], bool]
) -> list[Event]:
    """The liquidations of an hour and a half, in which `change` comes over the contracts that are listed `before`."""
    loop, venue, events = FastForwardLoop(NOON), kind.name, list[Event]()
    simulation = Simulation("busy", 7, [venue], loop, assets=("BTC", "ETH"))
    server = simulation.servers[venue] = kind(Setting(simulation.market, loop, 7, True, Faults(), True))
    every = server.listing.contracts
    server.listing = Listing(tuple(filter(before, every)), Random(1))

    def receive(told: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        del frame, connection, ts_recv
        events.extend(event for event in told if isinstance(event, Liquidation))

    async def lived() -> None:
        async with simulation.serve() as addresses:
            feeds = feeds_of([find_venue(venue)], loop, receive, addresses=addresses, tempo=Tempo(watch=1.0))
            work = asyncio.create_task(supervise(feeds))
            await asyncio.sleep(CHANGED)
            server.listing = Listing(tuple(each for each in map(change, every) if each is not None), Random(1))
            await asyncio.sleep(END - CHANGED)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    run(lived(), loop)
    return events


def sizes(events: Sequence[Event], start: float, end: float) -> set[float]:
    """Coins per contract of those from `start` to `end`, seconds."""
    return {
        round(event.amount / event.size, 6)
        for event in events
        if isinstance(event, Liquidation)
        and event.amount
        and event.size
        and start <= (event.ts_event - NOON) / SECOND < end
    }


def test_a_contract_that_is_made_larger_counts_as_that_from_the_next_list_on() -> None:
    def doubled(contract: Contract) -> Contract:
        return msgspec.structs.replace(contract, multiplier=contract.multiplier * 2.0)

    events = heard(OkxServer, doubled, lambda contract: True)
    linear = [event for event in events if isinstance(event, Liquidation) and event.instrument == "BTC-USDT-SWAP"]
    assert (sizes(linear, 0.0, CHANGED), sizes(linear, KNOWN, END)) == ({0.01}, {0.02})


def test_a_contract_that_is_newly_listed_is_asked_for_at_the_next_list() -> None:
    events = heard(Young, lambda contract: contract, lambda contract: contract.asset == "BTC")
    when = {
        (event.ts_recv - NOON) / SECOND for event in events if isinstance(event, Liquidation) and event.asset == "ETH"
    }
    assert len(when) > 3
    assert KNOWN - MINUTE <= min(when) < END
