from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from liquake.attach import Attached
from liquake.engine.engine import Engine
from liquake.errors import SinkDown
from liquake.model import FeedState
from liquake.storage.current import EXPIRE_AFTER, SNAPSHOT, StateWriter
from liquake.storage.recent import RECENT
from liquake.storage.sink import ended
from liquake.tui.status import Mode, Status
from tests.servers import Valkey, free_port
from tests.unit.engine.events import COVERAGES, NOON, liquidation
from tests.unit.storage.test_notes import ALERT

STATUS = Status(Mode.LIVE, "0", NOON, NOON)


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
