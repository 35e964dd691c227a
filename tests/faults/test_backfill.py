"""Through dropped sockets of a venue that has a history: all of it is counted, once, and the gaps are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from liquake.clock import WallClock
from liquake.engine.engine import Engine
from liquake.engine.snapshot import VenueState
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Gap, Liquidation
from liquake.storage.journal import Journal
from liquake.storage.reader import read_journal
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
