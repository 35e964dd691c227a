"""The database's schema, step by step, on TimescaleDB and on plain PostgreSQL. Steps are added, never changed.

Under TimescaleDB's Apache licence hypertables and time_bucket work; continuous aggregates, compression and policies
need its community licence (https://docs.timescale.com/about/latest/timescaledb-editions/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from liquake.errors import SinkRefused

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

SCHEMA = "liquake"
_LOCK = 0x6C71756B
"""Of whoever changes the schema: two collectors may start at once."""
_LEAST = (2, 13)
"""Of TimescaleDB, the first with `by_range` (https://github.com/timescale/timescaledb/releases/tag/2.13.0)."""


class Layout(StrEnum):
    """What the database was found to be when the schema was made. It stays so: rows are not moved over by themselves."""

    COMMUNITY = "TimescaleDB"
    APACHE = "TimescaleDB under the Apache licence"
    """Hypertable, but plain views, no compression."""
    PLAIN = "PostgreSQL without TimescaleDB"
    """Partitions by day, plain views, no compression."""


_COLUMNS = """
    time timestamptz NOT NULL,
    venue text NOT NULL,
    key text NOT NULL,
    instrument text NOT NULL,
    asset text NOT NULL,
    market text NOT NULL,
    side text NOT NULL CHECK (side IN ('LONG', 'SHORT')),
    price double precision NOT NULL,
    price_basis text NOT NULL,
    amount double precision,
    usd double precision,
    ts_event bigint NOT NULL,
    ts_recv bigint NOT NULL,
    size double precision,
    id text,
    tags text,
    UNIQUE (time, venue, key)
"""
"""`time` is `ts_event` (UTC nanoseconds) cut to microseconds, for the extension partitions by it. `side` is the
position that was liquidated. `amount` (coins) and `usd` are null where the contract's multiplier is not known."""

_SUMS = """
    SELECT {bucket} AS bucket, venue, market, side,
        count(*) AS events, sum(amount) AS amount, sum(usd) AS usd, count(*) - count(usd) AS unsized
    FROM liquake.liquidations GROUP BY 1, 2, 3, 4
"""

_PERIODS = (("per_minute", "1 minute"), ("per_hour", "1 hour"))


def _tables(layout: Layout) -> list[str]:
    partitions = " PARTITION BY RANGE (time)" if layout is Layout.PLAIN else ""
    statements = [
        f"CREATE TABLE liquake.liquidations ({_COLUMNS}){partitions}",
        "CREATE INDEX liquidations_market_time ON liquake.liquidations (market, time DESC)",
        """CREATE TABLE liquake.cursors (
            journal text PRIMARY KEY, seq bigint NOT NULL, event text NOT NULL, moved timestamptz NOT NULL
        )""",
    ]
    if layout is not Layout.PLAIN:
        statements.append(
            "SELECT create_hypertable('liquake.liquidations', by_range('time', INTERVAL '1 day'),"
            " create_default_indexes => false)"
        )
    return statements


def _aggregates(layout: Layout) -> list[str]:
    if layout is not Layout.COMMUNITY:
        # date_bin is PostgreSQL's own, and the same on both; an hour and a minute begin alike in every time zone.
        return [
            f"CREATE VIEW liquake.{name} AS "
            + _SUMS.format(bucket=f"date_bin('{period}', time, TIMESTAMPTZ '2000-01-01 00:00:00+00')")
            for name, period in _PERIODS
        ]
    statements = []
    for name, period in _PERIODS:
        statements += [
            f"CREATE MATERIALIZED VIEW liquake.{name}"
            " WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS "
            + _SUMS.format(bucket=f"time_bucket(INTERVAL '{period}', time)")
            + " WITH NO DATA",
            # From the beginning: after an outage rows of any age may still come in, and only what changed is redone.
            f"SELECT add_continuous_aggregate_policy('liquake.{name}', start_offset => NULL,"
            f" end_offset => INTERVAL '{period}', schedule_interval => INTERVAL '{period}')",
        ]
    return statements


def _compression(layout: Layout) -> list[str]:
    if layout is not Layout.COMMUNITY:
        return []
    return [
        # The names that every version from 2.13 to the last of 2 knows. The columns of the unique constraint are all in
        # it: a row that comes late is then held against a few others, not against all of its exchange's day.
        "ALTER TABLE liquake.liquidations SET (timescaledb.compress,"
        " timescaledb.compress_segmentby = 'venue', timescaledb.compress_orderby = 'time DESC, key')",
        "SELECT add_compression_policy('liquake.liquidations', INTERVAL '7 days')",
    ]


MIGRATIONS: Sequence[Callable[[Layout], list[str]]] = (_tables, _aggregates, _compression)
"""The n-th makes version n."""

VERSION = len(MIGRATIONS)


class Found(NamedTuple):
    """A database, and how far liquake's schema is in it."""

    layout: Layout
    extension: str
    """TimescaleDB's version; empty where it is not used."""
    server: str
    """PostgreSQL's."""
    version: int
    """Of the schema; 0 where there is none."""

    def __str__(self) -> str:
        words = " ".join(filter(None, (self.layout, self.extension, f"(PostgreSQL {self.server})")))
        if self.version == VERSION:
            return words
        if not self.version:
            return f"{words}, without tables yet: `liquake collect` makes them"
        return f"{words}, schema {self.version} of {VERSION}: `liquake collect` brings it up to date"


async def look(connection: Connection, address: str) -> Found:
    """What is there; changes nothing. Raises `SinkRefused` where this liquake cannot use it."""
    server = str(await connection.fetchval("SHOW server_version")).split()[0]
    layout, extension = await _offer(connection)
    held = None
    if await connection.fetchval("SELECT to_regclass('liquake.schema') IS NOT NULL"):
        held = await connection.fetchrow("SELECT version, layout FROM liquake.schema ORDER BY version DESC LIMIT 1")
    version = held["version"] if held else 0
    if version > VERSION:
        why = f"a newer liquake made its schema ({version}, this one knows {VERSION}): update liquake"
        raise SinkRefused(address, why)
    if held:
        layout = Layout(held["layout"])
    if layout is Layout.PLAIN:
        return Found(layout, "", server, version)
    if _numbers(extension) < _LEAST:
        least = ".".join(map(str, _LEAST))
        raise SinkRefused(address, f"its TimescaleDB is {extension or 'gone'}, at least {least} is needed: update it")
    return Found(layout, extension, server, version)


async def _offer(connection: Connection) -> tuple[Layout, str]:
    extension = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    if extension is None:
        return Layout.PLAIN, ""
    licence = await connection.fetchval("SELECT current_setting('timescaledb.license', true)")
    return (Layout.COMMUNITY if licence == "timescale" else Layout.APACHE), str(extension)


def _numbers(version: str) -> tuple[int, ...]:
    """`2.29.0-dev` as (2, 29, 0)."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


async def migrate(connection: Connection, address: str) -> Found:
    """Bring the schema to `VERSION`. Raises `SinkRefused` where it is newer."""
    found = await look(connection, address)
    if not found.version:
        await _begin(connection)
    for version in range(found.version + 1, VERSION + 1):
        await _apply(connection, version, found.layout)
    return found._replace(version=VERSION)


async def _begin(connection: Connection) -> None:
    async with connection.transaction():
        await lock(connection)
        # IF NOT EXISTS asks for the right to make schemas even where there is this one, made by an administrator.
        if await connection.fetchval("SELECT to_regnamespace('liquake') IS NULL"):
            await connection.execute("CREATE SCHEMA liquake")
        await connection.execute(
            """CREATE TABLE IF NOT EXISTS liquake.schema (
                version int PRIMARY KEY, layout text NOT NULL, applied timestamptz NOT NULL DEFAULT now()
            )"""
        )


async def _apply(connection: Connection, version: int, layout: Layout) -> None:
    async with connection.transaction():
        await lock(connection)
        # Another collector may have been here while this one waited.
        if await connection.fetchval("SELECT count(*) FROM liquake.schema WHERE version = $1", version):
            return
        for statement in MIGRATIONS[version - 1](layout):
            await connection.execute(statement)
        await connection.execute("INSERT INTO liquake.schema VALUES ($1, $2)", version, str(layout))


async def lock(connection: Connection) -> None:
    """Keep other collectors from changing the schema until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
