"""Servers of the session, empty for each test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from liquake.storage.redis import KEYS, STREAM, RedisSink
from liquake.storage.sink import Follower, Sink, ended
from liquake.storage.timescale import TimescaleSink
from tests.servers import Postgres, Valkey, free_port
from tests.unit.storage.events import START

TIMESCALE = os.environ.get("LIQUAKE_TEST_TIMESCALE_URL", "")
_names = count()


def client_of(url: str) -> Any:
    """A client of one server that reads text. Untyped: redis-py gives each command a dozen types of answer."""
    return Redis.from_url(url, decode_responses=True)


@pytest.fixture(scope="session")
def _valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def redis(_valkey: Valkey) -> str:
    """URL of an empty Redis."""
    async with client_of(_valkey.url) as client:
        await client.flushall()
    return _valkey.url


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a cluster of one node, which refuses what touches two slots as any cluster does."""
    # Its bus would be 10,000 ports further on, which is no port for half of those that are free.
    bus = ("--cluster-port", str(free_port()))
    server = Valkey(tmp_path_factory.mktemp("cluster"), "--cluster-enabled", "yes", *bus)
    server.start()
    asyncio.run(_all_slots(server.url))
    yield server.url
    server.stop()


async def _all_slots(url: str) -> None:
    async with client_of(url) as client, asyncio.timeout(20.0):
        await client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while "cluster_state:ok" not in await client.execute_command("CLUSTER", "INFO"):
            await asyncio.sleep(0.05)


async def new_database(url: str) -> str:
    """URL of a new database on the server of `url`."""
    name = f"liquake_{os.getpid()}_{next(_names)}"
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
async def database(_postgres: Postgres) -> str:
    """URL of an empty PostgreSQL database."""
    return await new_database(_postgres.url)


async def new_timescale() -> str:
    """URL of an empty database with TimescaleDB; skips where there is none."""
    if not TIMESCALE:
        pytest.skip("there is no TimescaleDB here (set LIQUAKE_TEST_TIMESCALE_URL; its user may create databases)")
    url = await new_database(TIMESCALE)
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    await connection.close()
    return url


@pytest.fixture
async def timescale() -> str:
    """URL of an empty database with TimescaleDB."""
    return await new_timescale()


class Store:
    """A sink under test, and what is in it."""

    def __init__(self, make: Callable[[], Sink], url: str) -> None:
        self.make, self.url = make, url

    async def keys(self) -> list[str]:
        """Venue and key of every event in it, in order of time."""
        if self.url.startswith("redis"):
            async with client_of(self.url) as client:
                entries = await client.xrange(STREAM)
                assert await client.zcard(KEYS) == len(entries)
                return [f"{fields['venue']}|{fields['key']}" for _, fields in entries]
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch("SELECT venue, key FROM liquake.liquidations ORDER BY ts_recv, venue, key")
        finally:
            await connection.close()
        return [f"{row['venue']}|{row['key']}" for row in rows]


@pytest.fixture(params=["redis", "database", "timescale"])
async def store(request: pytest.FixtureRequest) -> Store:
    """Each sink in turn."""
    # A Valkey that is not there is no reason not to test PostgreSQL.
    url = await _url(request)
    made: Any = RedisSink if request.param == "redis" else TimescaleSink
    return Store(lambda: made(url), url)


async def _url(request: pytest.FixtureRequest) -> str:
    server = {"redis": "_valkey", "database": "_postgres"}.get(request.param)
    if server is None:
        return await new_timescale()
    url: str = request.getfixturevalue(server).url
    if request.param == "database":
        return await new_database(url)
    async with client_of(url) as client:
        await client.flushall()
    return url


def at_start() -> int:
    """A clock that stands a minute behind the first event of `events`."""
    return START + 60_000_000_000


@asynccontextmanager
async def _following(sink: Sink, path: Path) -> AsyncIterator[Follower]:
    follower = Follower(sink, path, at_start)
    running = asyncio.create_task(follower.run())
    try:
        async with asyncio.timeout(30.0):
            yield follower
    finally:
        await ended(running)


@pytest.fixture
def following() -> Callable[[Sink, Path], AbstractAsyncContextManager[Follower]]:
    """A follower at work inside the block."""
    return _following
