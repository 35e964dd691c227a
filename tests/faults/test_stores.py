"""The collector, Redis and PostgreSQL killed at random moments under 2,000 events a second: each key once, everywhere.

    LIQUAKE_KILLS=50 LIQUAKE_SERVER_KILLS=10 pytest tests/faults/test_stores.py -s

prints the counts.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from liquake.model import Liquidation
from liquake.storage.reader import JournalReader
from liquake.storage.redis import STREAM
from tests.servers import Postgres, Server, Valkey, until

KILLS = int(os.environ.get("LIQUAKE_KILLS", "3"))
SERVER_KILLS = int(os.environ.get("LIQUAKE_SERVER_KILLS", "2"))

# Records 2,000 events a second from the number given on, feeds both stores, and says how many are acknowledged.
# Drains and ends at SIGTERM.
COLLECTOR = """
import asyncio, signal, sys, time
from pathlib import Path
from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.model import Liquidation, PriceBasis, Side
from liquake.storage.journal import Journal
from liquake.tiers import tiers

def event(n):
    ts = time.time_ns()
    return Liquidation("okx", "BTC-USDT-SWAP", "BTC", Side.LONG, 4100.0, PriceBasis.FILL, 0.1, 410.0, ts, ts, id=str(n))

async def main(path, redis, database, number):
    engine, stop = Engine({}), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    journal, began = Journal(path), number
    started = time.monotonic()
    def moment(markets):
        return engine.moment(time.time_ns(), markets)
    def snapshot(markets, charts):
        return engine.snapshot(time.time_ns(), markets, charts)
    async with tiers(Settings(redis=redis, database=database), journal, moment, snapshot, time.time_ns):
        started = time.monotonic()
        while not stop.is_set():
            due = began + int((time.monotonic() - started) * 2000)
            batch = [event(n) for n in range(number, due)]
            number = due
            for each in batch:
                engine.apply(each)
            journal.record(batch)
            print(began, began + journal.statistics().committed, flush=True)
            await asyncio.sleep(0.01)
    journal.close()

path, redis, database, number = sys.argv[1:]
asyncio.run(main(Path(path), redis, database, int(number)))
"""


class World:
    """A journal, the servers behind it, and what collectors said was safe."""

    def __init__(self, folder: Path) -> None:
        for name in ("redis", "database"):
            (folder / name).mkdir()
        self.folder, self.journal = folder, folder / "journal.db"
        self.redis, self.database = Valkey(folder / "redis"), Postgres(folder / "database")
        self.acknowledged = 0
        self._runs = 0

    @contextmanager
    def collector(self) -> Iterator[subprocess.Popen[bytes]]:
        """One at work inside the block, gone on with where the last one ended."""
        self._runs += 1
        said = self.folder / f"{self._runs}.out"
        command = [sys.executable, "-c", COLLECTOR, str(self.journal), self.redis.url, self.database.url]
        with said.open("wb") as out, subprocess.Popen([*command, str(self.acknowledged)], stdout=out) as process:
            try:
                until(lambda: said.stat().st_size > 0 or process.poll() is not None)
                yield process
            finally:
                process.kill()
                process.wait()
        whole = re.findall(r"^\d+ (\d+)\n", said.read_text(), re.MULTILINE)
        if whole:
            self.acknowledged = max(self.acknowledged, int(whole[-1]))

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        """End a collector as systemd does, and see that it takes its leave."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0

    def keys(self) -> dict[str, Counter[str]]:
        """Keys by store, each with how often it is there."""
        with JournalReader(self.journal) as reader:
            journal = Counter(event.key for event in reader.events() if isinstance(event, Liquidation))
        return {"journal": journal, **asyncio.run(self._stored())}

    def counts(self) -> dict[str, int]:
        """Rows by store: no look at the keys, which would take from the collector the time it needs to catch up."""
        with JournalReader(self.journal) as reader:
            journal = reader.counts()["events"]
        return {"journal": journal, **asyncio.run(self._counted())}

    async def _counted(self) -> dict[str, int]:
        client: Any = Redis.from_url(self.redis.url, socket_timeout=60.0)
        async with client:
            stream = await client.xlen(STREAM)
        connection = await asyncpg.connect(self.database.url)
        try:
            table = await connection.fetchval("SELECT count(*) FROM liquake.liquidations")
        finally:
            await connection.close()
        return {"stream": stream, "database": table}

    async def _stored(self) -> dict[str, Counter[str]]:
        client: Any = Redis.from_url(self.redis.url, decode_responses=True, socket_timeout=60.0)
        async with client:
            stream = Counter(fields["key"] for _, fields in await client.xrange(STREAM))
        connection = await asyncpg.connect(self.database.url)
        try:
            rows = await connection.fetch("SELECT key FROM liquake.liquidations")
        finally:
            await connection.close()
        return {"stream": stream, "database": Counter(row["key"] for row in rows)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.redis.start()
    world.database.start()
    try:
        yield world
    finally:
        world.redis.stop()
        world.database.stop()


def assert_same_everywhere(world: World, kills: str) -> None:
    held = world.keys()
    assert set(held["journal"]) >= {str(number) for number in range(world.acknowledged)}
    assert held["journal"] == held["stream"] == held["database"]
    assert max(held["journal"].values()) == 1
    counts = ", ".join(f"{sum(keys.values()):,} in the {store}" for store, keys in held.items())
    sys.stdout.write(f"\n{kills}: {counts}, each key once, {world.acknowledged:,} acknowledged\n")


@pytest.mark.timeout(60 + 10 * KILLS)
def test_collector_killed_at_any_moment_leaves_each_key_once_everywhere(world: World) -> None:
    for _ in range(KILLS):
        with world.collector():
            time.sleep(random.uniform(0.0, 1.0))
    with world.collector() as last:
        world.finish(last)
    assert_same_everywhere(world, f"{KILLS} kills of the collector")


def _redis(world: World) -> Server:
    return world.redis


def _database(world: World) -> Server:
    return world.database


@pytest.mark.timeout(60 + 20 * SERVER_KILLS)
@pytest.mark.parametrize("victim", [_redis, _database])
def test_a_store_killed_at_any_moment_holds_everything_once_it_is_back(
    world: World, victim: Callable[[World], Server]
) -> None:
    server = victim(world)
    with world.collector() as collector:
        for _ in range(SERVER_KILLS):
            time.sleep(random.uniform(0.1, 1.0))
            server.kill()
            time.sleep(random.uniform(0.0, 1.0))
            assert collector.poll() is None
            server.start()
        until(lambda: _following(world), 30.0 + 10.0 * SERVER_KILLS)
        world.finish(collector)
    assert_same_everywhere(world, f"{SERVER_KILLS} kills of {type(server).__name__}")


def _following(world: World) -> bool:
    """Whether both stores have come near the journal again, so that the rest can be drained in time."""
    held = world.counts()
    return min(held.values()) > 0.9 * held["journal"]
