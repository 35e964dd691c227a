"""Through dropped sockets of a venue that has a history: all of it is counted, once, and the gaps are closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from liquake.app import gathering
from liquake.clock import WallClock
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import VenueState
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import FeedState, Gap, Liquidation
from liquake.model.alert import AlertRule
from liquake.run import Run
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
from liquake.tui.status import Mode, Status
from tests.unit.ingest.toy import HURRIED, PATIENT, Heard, ToyServer, ToyWithPast, toy_server

CLOCK = WallClock()


class Listener(Heard):
    """An engine and a journal behind one feed."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.engine, self.journal = Engine({"toy": ToyWithPast.coverage}), journal

    def __call__(self, events, frame: bytes, connection: str, ts_recv: int) -> None:  # type: ignore[no-untyped-def]
        for event in events:
            self.engine.apply(event)
        self.journal.record(events, frame or None, connection)
        super().__call__(events, frame, connection, ts_recv)

    def venue(self) -> VenueState:
        [state] = self.engine.snapshot(CLOCK.now()).venues
        return state


@asynccontextmanager
async def listening(server: ToyServer, path: Path) -> AsyncIterator[Listener]:
    with Journal(path) as journal:
        listener = Listener(journal)
        feeds = feeds_of([ToyWithPast(PATIENT, server.url)], CLOCK, listener, tempo=HURRIED)
        running = asyncio.create_task(supervise(feeds))
        try:
            yield listener
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def happen(server: ToyServer, count: int) -> None:
    """So many liquidations now: in the history, and on the stream for who listens."""
    for _ in range(count):
        now = CLOCK.now()
        server.past.append(now)
        for socket in tuple(server.sockets):
            await socket.send_str(f"liq {now}")


async def test_what_happened_while_the_socket_was_down_is_counted_once_and_the_gap_closed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with toy_server() as server, listening(server, path) as listener:
        for drops in range(1, 4):
            await listener.until(lambda drops=drops: listener.venue().reconnects == drops - 1 and server.sockets)  # type: ignore[misc]
            await happen(server, 5)
            await listener.until(lambda: set(listener.liquidations) == set(server.past))
            server.answering = False
            await server.drop()
            await happen(server, 7)
            server.answering = True
            recovered = drops
            await listener.until(lambda r=recovered: sum(gap.recovered for gap in listener.gaps) == r)  # type: ignore[misc]
        state = listener.venue()
        assert sorted(set(listener.liquidations)) == sorted(server.past)
        assert state.events == len(server.past) == 36
        assert (state.gaps, state.gap_seconds, state.outages, state.reconnects) == (0, 0.0, (), 3)
    kept = list(read_journal(path))
    assert sorted(event.ts_event for event in kept if isinstance(event, Liquidation)) == sorted(server.past)
    assert [gap.recovered for gap in kept if isinstance(gap, Gap)].count(True) == 3


async def test_what_happened_while_liquake_was_not_running_is_refilled_after_the_start(tmp_path: Path) -> None:
    simulation = Simulation(seed=5, venues=["kraken"], rate=20.0)
    settings = Settings(exchanges=("kraken",), journal=str(tmp_path / "journal.db"))
    async with simulation.serve() as addresses:
        await run_until(settings, addresses, lambda run: run.snapshot().events >= 20)
        left = CLOCK.now()
        # Longer than a pause that is not worth a line.
        await asyncio.sleep(1.5)
        came = CLOCK.now()
        run = await run_until(settings, addresses, refilled)
    kept = list(read_journal(tmp_path / "journal.db"))
    gaps = [event for event in kept if isinstance(event, Gap) and not event.connection]
    assert [(gap.cause, gap.recovered) for gap in gaps] == [
        ("liquake was not running", False),
        ("liquake was not running", True),
    ]
    keys = Counter(event.key for event in kept if isinstance(event, Liquidation))
    missed = {event.key for event in simulation.published if left <= event.ts <= came}
    assert missed
    assert missed <= keys.keys()
    assert set(keys.values()) == {1}
    assert run.snapshot().events == len(keys)
    # That the market itself began ten seconds ago may be told, for it did.
    assert [alert.text for alert in run.alerts if alert.rule is not AlertRule.JERK] == []


def refilled(run: Run) -> bool:
    """Whether the gap of the restart is closed, and the stream is heard again."""
    [venue] = run.snapshot().venues
    return venue.state is FeedState.SUBSCRIBED and not venue.outages


async def run_until(settings: Settings, addresses: dict[str, str], over: Callable[[Run], bool]) -> Run:
    """A whole run with its journal, as the command line makes one, until `over` says so."""
    now = CLOCK.now()
    journal = Journal(Path(settings.journal))
    async with (
        asyncio.timeout(40.0),
        gathering(settings, Status(Mode.LIVE, "0", now, now), addresses, journal) as (run, work),
    ):
        working = asyncio.create_task(work)
        while not over(run):
            await asyncio.sleep(0.05)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return run
