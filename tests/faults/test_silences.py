"""A venue that acknowledges and says no more, and speaks again soon after a reconnect: what it kept back lies in a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.ingest.link import Tempo
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, Gap, Liquidation
from liquake.simulate.presets import Health
from liquake.simulate.simulation import Simulation
from liquake.venues import VENUES

NOON = round(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * SECOND
BEFORE = 60.0


class Heard:
    """Some minutes of a venue that is silent in the middle until shortly after the second connection."""

    def __init__(self, venue: str) -> None:
        self.keys: set[str] = set()
        self.gaps: list[Gap] = []
        self.loop, self.venue = FastForwardLoop(NOON), VENUES[venue]
        self.simulation = Simulation("calm", 7, [venue], self.loop, assets=("BTC", "ETH"), rate=2.0)
        self.server = self.simulation.servers[venue]
        self.spoke = 0
        run(self._lived(), self.loop)

    async def _lived(self) -> None:
        stale = self.venue.heartbeat.stale_after
        async with self.simulation.serve() as addresses:
            feeds = feeds_of([self.venue], self.loop, self.receive, addresses=addresses, tempo=Tempo(watch=1.0))
            work = asyncio.create_task(supervise(feeds))
            await asyncio.sleep(BEFORE)
            self.server.become(Health.SILENT)
            # The connection is given up after twice that time; the next has not yet gone stale when it ends.
            await asyncio.sleep(2.0 * stale + 0.8 * min(stale, 20.0))
            self.server.become(Health.HEALTHY)
            self.spoke = self.loop.now()
            await asyncio.sleep(60.0)
            self.simulation.halt()
            await asyncio.sleep(120.0)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        del frame, connection, ts_recv
        for event in events:
            if isinstance(event, Liquidation):
                self.keys.add(event.key)
            elif isinstance(event, Gap):
                self.gaps.append(event)


@pytest.mark.parametrize("venue", [name for name, venue in VENUES.items() if venue.poll is None])
def test_what_a_silent_venue_kept_back_lies_in_a_gap_or_was_refilled(venue: str) -> None:
    heard = Heard(venue)
    sent = {event.key: event.sent for event in (*heard.server.published, *heard.server.missed)}
    silence = [event for event in (*heard.server.published, *heard.server.missed) if event.ts < heard.spoke]
    assert any(event.ts > heard.spoke - 10 * SECOND for event in silence)
    lost = {key: at for key, at in sent.items() if key not in heard.keys and at > NOON + BEFORE / 2 * SECOND}
    outside = [at for at in lost.values() if not any(gap.start <= at <= gap.end for gap in heard.gaps)]
    assert [(at - heard.spoke) / SECOND for at in outside] == []
