"""TimescaleDB, or PostgreSQL without it, as a store of every liquidation that SQL can ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from liquake.errors import RowRefused, SettingError, SinkDown, SinkRefused
from liquake.model import market_of
from liquake.storage.migrations import MIGRATIONS, SCHEMA, VERSION, Layout
from liquake.storage.schema import Row
from liquake.storage.sink import ESCAPED, without_password
from liquake.storage.tail import Mark
from liquake.storage.tally import Holding, Tally

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_PATIENCE = 30.0
"""Seconds a statement may take."""
_LOCK = 0x6C71756B
"""Of whoever changes the schema: two collectors may start at once."""
_DAY = 86_400 * 1_000_000_000
_NAME = re.compile(r"/[^/@]+")

# One statement, so that rows and cursor are one step without a round trip for each.
_WRITE = """
WITH stored AS (
    INSERT INTO liquake.liquidations
        (time, venue, key, instrument, asset, market, side, price, price_basis, amount, usd, ts_event, ts_recv,
         size, id, tags)
    SELECT TIMESTAMPTZ 'epoch' + ts_event / 1000 * INTERVAL '1 microsecond', *
    FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[], $11::text[],
                $12::float8[], $13::float8[], $14::bigint[], $15::bigint[], $16::float8[], $17::text[],
                $18::text[])
        AS sent (venue, key, instrument, asset, market, side, price, price_basis, amount, usd, ts_event, ts_recv,
                 size, id, tags)
    ON CONFLICT DO NOTHING
    RETURNING 1
), moved AS (
    INSERT INTO liquake.cursors VALUES ($1, $2, $3, now())
    ON CONFLICT (journal) DO UPDATE SET seq = excluded.seq, event = excluded.event, moved = excluded.moved
)
SELECT count(*) FROM stored
"""


def check(url: str) -> None:
    """Raises `SettingError` where `url` cannot be the address of a database."""
    try:
        parts = urlsplit(url)
        named = _NAME.fullmatch(parts.path) is not None and not parts.fragment
        usable = parts.scheme in ("postgresql", "postgres") and named and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        mend = f"give it like postgresql://user@host:5432/name; {ESCAPED}"
        raise SettingError("database", without_password(url), mend)


async def connect(url: str) -> Connection:
    """A connection to the database at `url` whose times are UTC. Raises `SinkDown`, `SinkRefused`."""
    with explained(without_password(url)):
        return await asyncpg.connect(
            url,
            timeout=10.0,
            command_timeout=_PATIENCE,
            server_settings={"timezone": "UTC", "application_name": "liquake"},
        )


@contextmanager
def explained(address: str) -> Iterator[None]:
    """The database's complaints as ours, in one sentence each."""
    try:
        yield
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise SinkRefused(address, f"it does not let us in ({error}): correct user and password in the URL") from None
    except asyncpg.InvalidCatalogNameError as error:
        raise SinkRefused(address, f"{error}: create it, or correct the URL") from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise SinkRefused(address, f"{error}: grant this user the schema {SCHEMA}, or CREATE on the database") from None
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise RowRefused(address, str(error)) from None
    except asyncpg.DiskFullError:
        raise SinkDown(address, "its disk is full: make room, and writing goes on") from None
    except asyncpg.ReadOnlySQLTransactionError:
        raise SinkDown(address, "it is a read-only standby: give the primary's address") from None
    except TimeoutError:
        raise SinkDown(address, "it does not answer in time") from None
    except OSError as error:
        raise SinkDown(address, f"it does not answer ({error}): is it running?") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SinkDown(address, " ".join(str(error).split()) or type(error).__name__) from None


class TimescaleSink:
    """The table `liquake.liquidations` at `url`, each event in it once.

    `keep` is for how many days rows stay; `None` for ever.
    """

    name = "database"
    batch = 5000

    def __init__(self, url: str, *, keep: int | None = None) -> None:
        self.address = without_password(url)
        self._url, self._keep = url, keep
        self._connection: Connection | None = None
        self._layout = Layout.PLAIN
        self._days: set[int] = set()

    async def open(self) -> str:
        """See `Sink.open`."""
        self._connection = await connect(self._url)
        try:
            with explained(self.address):
                return await self._prepare(self._connection)
        except BaseException:
            await self.close()
            raise

    async def _prepare(self, connection: Connection) -> str:
        version = str(await connection.fetchval("SHOW server_version")).split()[0]
        self._layout, extension = await migrate(connection, self.address)
        await self._set_retention()
        self._days.clear()
        return f"{self._layout} {extension} (PostgreSQL {version})".replace("  ", " ")

    async def close(self) -> None:
        """See `Sink.close`."""
        if self._connection is not None:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await self._connection.close(timeout=2.0)
            self._connection = None

    def oldest(self, now: int) -> int:
        """See `Sink.oldest`."""
        return 0 if self._keep is None else now - self._keep * _DAY

    async def mark(self, journal: str) -> Mark | None:
        """See `Sink.mark`."""
        with explained(self.address):
            held = await self._connected().fetchrow(
                "SELECT seq, event FROM liquake.cursors WHERE journal = $1", journal
            )
        return None if held is None else Mark(held["seq"], held["event"])

    async def write(self, journal: str, rows: Sequence[Row]) -> int:
        """See `Sink.write`."""
        _, venue, key, instrument, asset, side, price, basis, amount, usd, ts_event, ts_recv, size, told, tags = zip(
            *rows, strict=True
        )
        last = rows[-1]
        with explained(self.address):
            if self._layout is Layout.PLAIN:
                await self._partition({ts // _DAY for ts in ts_event})
            new = await self._connected().fetchval(
                _WRITE,
                *(journal, last[0], f"{last[1]}|{last[2]}"),
                *(venue, key, instrument, asset, [market_of(name) for name in asset], side, price, basis),
                *(amount, usd, ts_event, ts_recv, size, told, tags),
            )
        return int(new)

    async def holds(self, received: int) -> Holding:
        """See `Sink.holds`."""
        connection = self._connected()
        with explained(self.address):
            rows = await connection.fetch(
                "SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, venue, side, count(*) AS events,"
                " coalesce(sum(usd), 0) AS usd FROM liquake.liquidations WHERE ts_recv >= $1 GROUP BY 1, 2, 3",
                received,
            )
            doubled = await connection.fetchval(
                "SELECT count(*) FROM (SELECT 1 FROM liquake.liquidations GROUP BY venue, key HAVING count(*) > 1) AS twice"
            )
            journals = await connection.fetchval("SELECT count(*) FROM liquake.cursors")
        tallies = {(row["day"], row["venue"], row["side"]): Tally(row["events"], row["usd"]) for row in rows}
        return Holding(tallies, doubled, journals)

    async def _partition(self, days: set[int]) -> None:
        """Make the partitions of `days` (since 1970) that are not there yet."""
        missing = sorted(days - self._days)
        if not missing:
            return
        connection = self._connected()
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            for day in missing:
                first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS liquake.liquidations_{first:%Y%m%d} PARTITION OF liquake.liquidations"
                    f" FOR VALUES FROM ('{first.isoformat()}') TO ('{(first + timedelta(days=1)).isoformat()}')"
                )
        self._days.update(missing)
        await self._drop_old()

    async def _set_retention(self) -> None:
        connection = self._connected()
        if self._layout is Layout.COMMUNITY:
            await connection.execute("SELECT remove_retention_policy('liquake.liquidations', if_exists => true)")
            if self._keep is not None:
                await connection.execute(
                    "SELECT add_retention_policy('liquake.liquidations', $1::interval)", timedelta(days=self._keep)
                )
        else:
            await self._drop_old()

    async def _drop_old(self) -> None:
        if self._keep is None:
            return
        connection = self._connected()
        if self._layout is Layout.APACHE:
            await connection.execute(
                "SELECT drop_chunks('liquake.liquidations', $1::interval)", timedelta(days=self._keep)
            )
            return
        old = await connection.fetch(
            """SELECT inhrelid::regclass::text AS name FROM pg_inherits
            WHERE inhparent = 'liquake.liquidations'::regclass AND inhrelid::regclass::text < $1""",
            f"liquake.liquidations_{datetime.now(UTC) - timedelta(days=self._keep):%Y%m%d}",
        )
        for partition in old:
            await connection.execute(f"DROP TABLE {partition['name']}")

    def _connected(self) -> Connection:
        if self._connection is None:
            raise SinkDown(self.address, "it is not connected")
        return self._connection


async def migrate(connection: Connection, address: str) -> tuple[Layout, str]:
    """Bring the schema to `VERSION`: its layout, and the extension's version. Raises `SinkRefused` where it is newer."""
    layout, extension = await _found(connection)
    if await connection.fetchval("SELECT to_regclass('liquake.schema') IS NULL"):
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute("CREATE SCHEMA IF NOT EXISTS liquake")
            await connection.execute(
                """CREATE TABLE IF NOT EXISTS liquake.schema (
                    version int PRIMARY KEY, layout text NOT NULL, applied timestamptz NOT NULL DEFAULT now()
                )"""
            )
    held = await connection.fetchrow("SELECT version, layout FROM liquake.schema ORDER BY version DESC LIMIT 1")
    if held is not None:
        layout = Layout(held["layout"])
        if held["version"] > VERSION:
            why = f"a newer liquake made its schema ({held['version']}, this one knows {VERSION}): update liquake"
            raise SinkRefused(address, why)
    for version in range(held["version"] + 1 if held else 1, VERSION + 1):
        await _apply(connection, version, layout)
    return layout, "" if layout is Layout.PLAIN else extension


async def _apply(connection: Connection, version: int, layout: Layout) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        # Another collector may have been here while this one waited.
        if await connection.fetchval("SELECT count(*) FROM liquake.schema WHERE version = $1", version):
            return
        for statement in MIGRATIONS[version - 1](layout):
            await connection.execute(statement)
        await connection.execute("INSERT INTO liquake.schema VALUES ($1, $2)", version, str(layout))


async def _found(connection: Connection) -> tuple[Layout, str]:
    """What the database offers, and the version of the extension."""
    extension = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
    if extension is None:
        return Layout.PLAIN, ""
    licence = await connection.fetchval("SELECT current_setting('timescaledb.license', true)")
    return (Layout.COMMUNITY if licence == "timescale" else Layout.APACHE), str(extension)
