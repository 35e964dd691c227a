from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from liquake.attach import Attached
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Snapshot
from liquake.errors import SinkDown
from liquake.model import FeedState, Side
from liquake.storage.current import EXPIRE_AFTER, SNAPSHOT, StateWriter
from liquake.storage.recent import RECENT
from liquake.storage.sink import ended
from liquake.tui.pages import PAGES, wanted
from liquake.tui.picture import Picture, View
from liquake.tui.status import Mode, Status
from liquake.tui.theme import load_theme
from tests.servers import Valkey, free_port
from tests.unit.engine.events import COVERAGES, NOON, SECOND, liquidation, price
from tests.unit.storage.test_notes import ALERT

LATER = NOON + 5 * SECOND
STATUS = Status(Mode.LIVE, "0", NOON, NOON)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """URL of an empty Redis."""
    server = Valkey(tmp_path)
    server.start()
    yield server.url
    server.stop()


async def test_a_screen_shows_the_collectors_numbers_and_none_once_it_is_gone(tmp_path: Path) -> None:
    server = Valkey(tmp_path)
    server.start()
    engine = Engine(COVERAGES)
    for number in range(60):
        engine.apply(liquidation(number / 10.0))
    collector = engine.snapshot(NOON + 7 * 10**9)
    moment = engine.moment(collector.now)
    writer = StateWriter(server.url, lambda markets: moment, lambda markets, charts: collector)
    writer.tell(ALERT)
    writing = asyncio.create_task(writer.run())
    attached = Attached(server.url, STATUS, lambda: NOON + 8 * 10**9)
    looking = asyncio.create_task(attached.run())
    try:
        async with asyncio.timeout(20.0):
            while attached.snapshot() != collector or not attached.status().alerts:
                await asyncio.sleep(0.02)
            told = msgspec.structs.replace(ALERT, key="later", ts=ALERT.ts + 1)
            # A message may come twice.
            for alert in (told, ALERT, told):
                writer.tell(alert)
            while len(attached.status().alerts) < 2:
                await asyncio.sleep(0.02)
            await ended(writing)
            while attached.snapshot() == collector:
                await asyncio.sleep(0.02)
        gone, status = attached.snapshot(), attached.status()
    finally:
        await ended(looking, writing)
        server.stop()
    assert EXPIRE_AFTER <= 5.0
    assert gone.events == 0
    assert {venue.venue for venue in gone.venues} == {venue.venue for venue in collector.venues}
    assert {venue.state for venue in gone.venues} == {FeedState.DISCONNECTED}
    assert [alert.key for alert in status.alerts] == [ALERT.key, "later"]
    assert status.database == "the collector's"
    assert status.redis.startswith("no collector writes there")


def crowded() -> Engine:
    """More markets than are written unasked, each on two venues."""
    engine = Engine(COVERAGES)
    for number in range(60):
        for venue, side in (("bybit", Side.LONG), ("okx", Side.SHORT)):
            at, usd = number / 20.0, 1e6 / (1 + number)
            engine.apply(liquidation(at, venue=venue, asset=f"C{number:02}" if number else "BTC", side=side, usd=usd))
    for number in range(1, 60, 7):
        engine.apply(price(3.5 + number / 100.0, 3.0, asset=f"C{number:02}"))
    engine.apply(price(4.2))
    return engine


@asynccontextmanager
async def collecting(url: str, engine: Engine) -> AsyncIterator[None]:
    """Its keys are written inside the block, each time a millisecond later."""
    times = count(LATER, SECOND // 1000)
    writer = StateWriter(
        url,
        lambda markets: engine.moment(LATER, markets),
        lambda markets, charts: engine.snapshot(next(times), markets, charts),
    )
    writing = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(40.0):
            yield
    finally:
        await ended(writing)


@asynccontextmanager
async def attaching(url: str) -> AsyncIterator[Attached]:
    attached = Attached(url, STATUS, lambda: NOON)
    looking = asyncio.create_task(attached.run())
    try:
        yield attached
    finally:
        await ended(looking)


def same(shown: Snapshot, engine: Engine, view: View) -> bool:
    """Whether the engine's own screen has the same of that moment."""
    return shown.events > 0 and shown == engine.snapshot(shown.now, *wanted(view))


async def test_every_page_of_every_market_is_that_of_the_collectors_own_screen(redis: str) -> None:
    engine = crowded()
    markets = engine.snapshot(LATER).markets
    async with collecting(redis, engine), attaching(redis) as attached:
        for page in PAGES:
            for market in (ALL, markets[0], markets[-1]):
                view = View(page=page, market=market)
                while not same(attached.snapshot(*wanted(view)), engine, view):
                    await asyncio.sleep(0.02)


async def test_who_may_only_read_is_told_that_a_small_market_is_not_there(redis: str) -> None:
    owner: Any = Redis.from_url(redis)
    async with owner:
        await owner.execute_command(
            "ACL", "SETUSER", "reader", "reset", "on", ">secret", "~*", "+@read", "+@connection", "+info"
        )
    engine = crowded()
    smallest = engine.snapshot(LATER).markets[-1]
    reader = redis.replace("redis://", "redis://reader:secret@")
    async with collecting(redis, engine), attaching(reader) as attached:
        view = View(market=smallest)
        while not attached.snapshot(*wanted(view)).events or "may not ask" not in attached.status().missing:
            await asyncio.sleep(0.02)
        shown = Picture(attached.snapshot(*wanted(view)), attached.status(), view, load_theme("dark"))
        assert shown.lacks_market
        assert same(attached.snapshot(*wanted(View())), engine, View())


async def test_an_address_without_a_server_is_said_at_once() -> None:
    with pytest.raises(SinkDown, match="does not answer"):
        await Attached(f"redis://127.0.0.1:{free_port()}", STATUS, lambda: NOON).prove()


def test_what_a_collector_writes_is_the_present_and_cannot_be_moved_or_hurried() -> None:
    attached = Attached(f"redis://127.0.0.1:{free_port()}", STATUS, lambda: NOON)
    assert not attached.seek(-60.0)
    assert not attached.set_speed(10.0)


async def test_a_snapshot_of_another_version_is_said_to_be_one(tmp_path: Path) -> None:
    server = Valkey(tmp_path)
    server.start()
    attached = Attached(server.url, STATUS, lambda: NOON)
    looking = asyncio.create_task(attached.run())
    try:
        async with asyncio.timeout(20.0), Redis.from_url(server.url) as client:
            for held in (b'{"now": "of another kind"}', b"\xff"):
                await client.set(SNAPSHOT, held)
                while "another version" not in attached.status().redis:
                    await asyncio.sleep(0.02)
                await client.delete(SNAPSHOT)
                while "another version" in attached.status().redis:
                    await asyncio.sleep(0.02)
            await client.lpush(RECENT, b'{"no": "alert"}')
            while "another version" not in attached.status().redis:
                await asyncio.sleep(0.02)
    finally:
        await ended(looking)
        server.stop()
