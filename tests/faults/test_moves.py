"""Over the last day of an address: a session goes on at the one that takes its place, and what was sent is held, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from bench.fast_forward import FastForwardLoop, run

from liquake.clock import SECOND
from liquake.ingest.link import Tempo
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.model import Event, FeedState, FeedStatus, Gap, Liquidation
from liquake.simulate.connection import Connection
from liquake.simulate.faults import Faults
from liquake.simulate.okx import OkxServer
from liquake.simulate.server import Setting
from liquake.simulate.simulation import Simulation
from liquake.venues.okx import Okx
from liquake.venues.venue import Endpoint

MIDNIGHT = round(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * SECOND
OLD, NEW = "/ws/v5/public", "/ws/v6/public"
MINUTE = 60.0


class Moving(OkxServer):
    """At two addresses: the new one tells nothing before `opens`, the old one cuts whoever comes from `ends` on."""

    opens = ends = MIDNIGHT

    def sockets(self) -> Sequence[str]:
        return (OLD, NEW)

    async def hear(self, connection: Connection, text: str) -> None:
        if connection.path == NEW and self._time.now() < self.opens:
            # Nobody is there yet who would answer.
            await connection.send("pong")
            return
        await super().hear(connection, text)

    async def tick(self, now: int, count: int) -> None:
        for connection in self.connections:
            if connection.path == OLD and now >= self.ends:
                connection.cut()
        await super().tick(now, count)


class Announced(Okx):
    """Whose old address ends with a day, and whose new one begins with the next."""

    endpoints = (
        Endpoint("wss://ws.okx.com" + OLD, None, date(2026, 6, 30)),
        Endpoint("wss://ws.okx.com" + NEW, date(2026, 7, 1), follows="wss://ws.okx.com" + OLD),
    )


class Held:
    """What was heard."""

    def __init__(self) -> None:
        self.keys: Counter[str] = Counter()
        self.gaps: list[Gap] = []
        self.statuses: list[FeedStatus] = []

    def __call__(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        for event in events:
            if isinstance(event, Liquidation):
                self.keys[event.key] += 1
            elif isinstance(event, Gap):
                self.gaps.append(event)
            elif isinstance(event, FeedStatus):
                self.statuses.append(event)

    def told(self, state: FeedState) -> list[FeedStatus]:
        return [status for status in self.statuses if status.state is state]


class Night(Held):
    """A simulated hour around midnight, and at which paths connections were open after each minute."""

    def __init__(self, server: type[Moving]) -> None:
        super().__init__()
        self.loop = FastForwardLoop(MIDNIGHT - round(30 * MINUTE) * SECOND)
        self.simulation = Simulation("busy", 7, ["okx"], self.loop, assets=("BTC", "ETH"))
        setting = Setting(self.simulation.market, self.loop, 7, True, Faults(), True)
        self.simulation.servers["okx"] = server(setting)
        self.paths: list[set[str]] = []
        run(self._lived(), self.loop)

    async def _lived(self) -> None:
        async with self.simulation.serve() as addresses:
            feeds = feeds_of([Announced()], self.loop, self, addresses=addresses, tempo=Tempo(watch=1.0))
            work = asyncio.create_task(supervise(feeds))
            for _ in range(60):
                await asyncio.sleep(MINUTE)
                self.paths.append({connection.path for connection in self.simulation.servers["okx"].connections})
            self.simulation.halt()
            await asyncio.sleep(MINUTE)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def lost(self) -> set[str]:
        """Keys of what was sent since the first subscription and is not held."""
        first = self.told(FeedState.SUBSCRIBED)[0].ts
        server = self.simulation.servers["okx"]
        sent = {event.key for event in (*server.published, *server.missed) if event.sent > first}
        assert len(sent) > 50
        return sent - self.keys.keys()


def test_at_midnight_after_its_last_day_an_address_is_left_for_the_next_and_nothing_is_lost() -> None:
    class Lenient(Moving):
        ends = MIDNIGHT + round(5 * MINUTE) * SECOND

    night = Night(Lenient)
    assert night.paths[28] == {OLD}
    assert night.paths[31] == {NEW}
    assert (night.lost(), night.gaps) == (set(), [])
    assert night.told(FeedState.DISCONNECTED) == []


def test_an_address_that_says_nothing_yet_replaces_none_that_talks() -> None:
    class Late(Moving):
        opens = MIDNIGHT + round(12 * MINUTE) * SECOND
        ends = MIDNIGHT + round(20 * MINUTE) * SECOND

    night = Night(Late)
    assert OLD in night.paths[40]
    assert night.paths[48] == {NEW}
    assert (night.lost(), night.gaps) == (set(), [])
    kept = night.told(FeedState.CLOSING)
    assert kept
    assert all(MIDNIGHT <= status.ts < Late.opens + 60 * SECOND for status in kept)
    assert all(NEW in status.reason and OLD in status.reason for status in kept)
    # What the address that is not taken says of itself is not said of the feed.
    assert night.told(FeedState.STALE) + night.told(FeedState.REJECTED) + night.told(FeedState.DISCONNECTED) == []
    assert night.statuses[-1].state is FeedState.SUBSCRIBED


def test_an_old_address_that_ends_before_the_new_one_speaks_leaves_a_gap_and_no_more() -> None:
    class Between(Moving):
        opens = MIDNIGHT + round(12 * MINUTE) * SECOND
        ends = MIDNIGHT + round(6 * MINUTE) * SECOND

    night = Night(Between)
    assert night.paths[-1] == {NEW}
    [gap] = night.gaps
    assert abs(gap.start - Between.ends) < 5 * SECOND
    assert Between.opens <= gap.end < Between.opens + 180 * SECOND
    server = night.simulation.servers["okx"]
    sent = {event.key: event.sent for event in (*server.published, *server.missed)}
    assert all(gap.start <= sent[key] <= gap.end for key in night.lost())


def test_an_address_that_broke_while_the_new_one_is_silent_is_gone_back_to() -> None:
    class Breaking(Moving):
        opens = MIDNIGHT + 3600 * SECOND
        ends = MIDNIGHT + 3600 * SECOND

        async def tick(self, now: int, count: int) -> None:
            if now == MIDNIGHT + round(6 * MINUTE) * SECOND:
                self.drop()
            await super().tick(now, count)

    night = Night(Breaking)
    assert OLD in night.paths[-1]
    [gap] = night.gaps
    assert (gap.end - gap.start) / SECOND < 180.0
