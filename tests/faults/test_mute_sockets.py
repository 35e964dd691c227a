"""Sockets that bring everything but liquidations, of venues that have a history: found, passed on, replaced and refilled."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.engine.engine import Engine
from liquake.engine.snapshot import VenueState
from liquake.ingest.backfill import HISTORY
from liquake.ingest.link import Tempo
from liquake.ingest.reconciliation import Reconciliation
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Gap, Liquidation
from liquake.model.feed import LIQUIDATIONS
from liquake.simulate.simulation import Simulation
from liquake.venues import VENUES

NOON = 1_782_907_200 * SECOND
TEMPO = Tempo(watch=1.0)
FOUND_WITHIN = 2 * TEMPO.asked_first + 2 * TEMPO.grace
ASKED = [name for name, venue in VENUES.items() if Reconciliation.serves(venue)]

Act = Callable[["Lived"], Awaitable[None]]


class Lived:
    """A venue's simulated server and the whole way from it to an engine, in a loop whose time leaps."""

    def __init__(self, venue: str, rate: float, act: Act) -> None:
        self.venue, self.loop = VENUES[venue], FastForwardLoop(NOON)
        self.simulation = Simulation("calm", 7, [venue], self.loop, assets=("BTC", "ETH"), rate=rate)
        self.server = self.simulation.servers[venue]
        self.engine = Engine({venue: self.venue.coverage})
        self.told: list[Event] = []
        self.kept: Counter[str] = Counter()
        self.brought: dict[str, str] = {}
        """By key, the connection or history that brought it first."""
        run(self._lived(act), self.loop)

    async def _lived(self, act: Act) -> None:
        async with self.simulation.serve() as addresses:
            feeds = feeds_of([self.venue], self.loop, self.receive, addresses=addresses, tempo=TEMPO)
            work = asyncio.create_task(supervise(feeds))
            await asyncio.sleep(60.0)
            await act(self)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def settle(self) -> None:
        """Until all that was missed has been told."""
        self.simulation.halt()
        await asyncio.sleep(40.0)

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        del frame, ts_recv
        for event in events:
            fresh = self.engine.apply(event)
            if isinstance(event, Liquidation):
                self.kept[event.key] += bool(fresh)
                self.brought.setdefault(event.key, connection)
            elif isinstance(event, FeedStatus | Gap | DecodeError):
                self.told.append(event)

    def about_liquidations(self) -> list[FeedState]:
        return [each.state for each in self.told if isinstance(each, FeedStatus) and each.connection == LIQUIDATIONS]

    def gaps(self) -> list[Gap]:
        return [each for each in self.told if isinstance(each, Gap)]

    def state(self) -> VenueState:
        [state] = self.engine.snapshot(self.loop.now()).venues
        return state

    def truth(self) -> set[str]:
        """What happened since the feed was up, as far as the venue has a history of it: HTX has none of dated contracts."""
        sent = [event for event in (*self.server.published, *self.server.missed) if event.ts > NOON + 20 * SECOND]
        dated = self.venue.name == "htx"
        return {event.key for event in sent if not (dated and event.instrument.count("-") != 1)}


@pytest.mark.parametrize("venue", ASKED)
def test_mute_sockets_are_dark_what_they_hold_back_comes_late_and_the_gap_is_refilled(venue: str) -> None:
    marks: dict[str, int] = {}
    dark: list[VenueState] = []

    async def act(lived: Lived) -> None:
        lived.server.mute()
        marks["mute"] = lived.loop.now()
        await asyncio.sleep(FOUND_WITHIN + 5.0)
        dark.append(lived.state())
        await asyncio.sleep(300.0)
        dark.append(lived.state())
        lived.server.unmute()
        marks["heard"] = lived.loop.now()
        await asyncio.sleep(30.0)
        await lived.settle()

    lived = Lived(venue, 1.0, act)
    assert [each.state for each in dark] == [FeedState.DARK] * 2
    [held] = [each for each in dark[0].connections if each.state is FeedState.DARK]
    assert abs(held.since - marks["mute"]) < 10 * SECOND
    assert "that its sockets did not bring" in held.reason
    # What is counted meanwhile came by the history.
    assert dark[1].events > dark[0].events
    assert HISTORY in lived.brought.values()
    assert lived.about_liquidations() == [FeedState.DARK, FeedState.RESUMED]
    assert lived.state().state in (FeedState.SUBSCRIBED, FeedState.RESUMED)
    gap, *again = lived.gaps()
    assert (gap.connection, gap.start) == (LIQUIDATIONS, held.since)
    assert marks["heard"] <= gap.end < marks["heard"] + 20 * SECOND
    assert gap.cause == f"dark: {held.reason}"
    # What HTX has no history of may still be missing.
    assert [(each.end, each.recovered) for each in again] == ([] if venue == "htx" else [(gap.end, True)])
    assert lived.truth() <= lived.kept.keys()
    assert set(lived.kept.values()) == {1}


@pytest.mark.parametrize("venue", ASKED)
def test_new_sockets_that_are_told_again_end_it(venue: str) -> None:
    ready: list[int] = []

    async def act(lived: Lived) -> None:
        ready.append(lived.server.opened)
        lived.server.mute(newcomers=False)
        await asyncio.sleep(FOUND_WITHIN + 30.0)
        await lived.settle()

    lived = Lived(venue, 1.0, act)
    assert lived.about_liquidations() == [FeedState.DARK, FeedState.RESUMED]
    assert lived.server.opened > ready[0]
    # Handed over without a gap.
    assert FeedState.DISCONNECTED not in [each.state for each in lived.told if isinstance(each, FeedStatus)]
    assert {gap.connection for gap in lived.gaps()} == {LIQUIDATIONS}
    assert lived.truth() <= lived.kept.keys()
    assert set(lived.kept.values()) == {1}


@pytest.mark.parametrize("venue", ASKED)
def test_a_venue_that_is_only_quiet_is_never_dark(venue: str) -> None:
    async def act(lived: Lived) -> None:
        await asyncio.sleep(2 * 3600.0)

    lived = Lived(venue, 0.002, act)
    assert lived.about_liquidations() == []
    assert [each for each in lived.told if isinstance(each, DecodeError | Gap)] == []
    assert lived.truth() <= lived.kept.keys()
    assert lived.server.opened <= 4
