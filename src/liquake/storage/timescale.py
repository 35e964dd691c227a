"""TimescaleDB, or PostgreSQL without it, as a store of every liquidation that SQL can ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg

from liquake.errors import RowRefused, SinkDown, SinkRefused
from liquake.model import market_of
from liquake.storage.address import without_password
from liquake.storage.migrations import SCHEMA, VERSION, Found, Layout, lock, look, migrate
from liquake.storage.schema import Row
from liquake.storage.sink import Look
from liquake.storage.tail import Mark
from liquake.storage.tally import Holding, Tally

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_PATIENCE = 30.0
"""Seconds a statement may take."""
_READING = 3600.0
"""Seconds that reading all of it may take."""
_DAY = 86_400 * 1_000_000_000

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

_MAY_WRITE = """
SELECT has_table_privilege('liquake.liquidations', 'INSERT')
    AND has_table_privilege('liquake.cursors', 'SELECT') AND has_table_privilege('liquake.cursors', 'INSERT')
    AND has_table_privilege('liquake.cursors', 'UPDATE')
"""
_MAY_MAKE = """
SELECT CASE WHEN to_regnamespace('liquake') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege('liquake', 'CREATE') END
"""

_UNPACK_ALL = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction'
"""


async def connect(url: str) -> Connection:
    """A connection to the database at `url` whose times are UTC. Raises `SinkDown`, `SinkRefused`."""
    with explained(without_password(url)):
        return await asyncpg.connect(
            url,
            timeout=10.0,
            command_timeout=_PATIENCE,
            server_settings={"timezone": "UTC", "application_name": "liquake"},
        )


_DOWN: Mapping[type[Exception], str] = {
    asyncpg.DiskFullError: "its disk is full: make room, and writing goes on",
    asyncpg.ReadOnlySQLTransactionError: "it is a read-only standby: give the primary's address",
    TimeoutError: "it does not answer in time",
}


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
    except (asyncpg.SyntaxOrAccessError, asyncpg.ClientConfigurationError) as error:
        why = f"{_one_line(error)}: correct the URL, or what somebody changed there"
        raise SinkRefused(address, why) from None
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise RowRefused(address, str(error)) from None
    except tuple(_DOWN) as error:
        raise SinkDown(address, _DOWN[type(error)]) from None
    except OSError as error:
        raise SinkDown(address, f"it does not answer ({error}): is it running?") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SinkDown(address, _one_line(error) or type(error).__name__) from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")


class TimescaleSink:
    """The table `liquake.liquidations` at `url`, each event in it once.

    `keep` is for how many days rows stay; `None` for ever.
    """

    name = "database"
    # More of them are no faster, and putting them into one statement would hold up the event loop for longer.
    batch = 2000

    def __init__(self, url: str, *, keep: int | None = None) -> None:
        self.address = without_password(url)
        self._url, self._keep = url, keep
        self._connection: Connection | None = None
        self._found: Found | None = None
        self._days: set[int] = set()

    async def open(self) -> str:
        """See `Sink.open`."""
        return str(await self._opened(self._prepare))

    async def look(self) -> Look:
        """See `Sink.look`."""
        found = await self._opened(self._examine)
        return Look(str(found), ready=found.version == VERSION)

    async def _opened(self, prepare: Callable[[Connection], Awaitable[Found]]) -> Found:
        self._connection = await connect(self._url)
        try:
            with explained(self.address):
                self._found = found = await prepare(self._connection)
        except BaseException:
            await self.close()
            raise
        return found

    async def _prepare(self, connection: Connection) -> Found:
        found = await migrate(connection, self.address)
        may = await connection.fetchval(_MAY_WRITE)
        if not may:
            why = f"this user may not write there: grant it the tables of the schema {SCHEMA}"
            raise SinkRefused(self.address, why)
        if found.layout is Layout.COMMUNITY:
            # Rows that come late, after a long outage, may meet more compressed ones than a transaction may unpack.
            await connection.execute(_UNPACK_ALL)
        self._days.clear()
        await self._set_retention(found.layout)
        return found

    async def _examine(self, connection: Connection) -> Found:
        found = await look(connection, self.address)
        if not found.version and not await connection.fetchval(_MAY_MAKE):
            why = f"this user may not make tables there: grant it the schema {SCHEMA}, or CREATE on the database"
            raise SinkRefused(self.address, why)
        return found

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
        if self._empty():
            return None
        with explained(self.address):
            held = await self._connected().fetchrow(
                "SELECT seq, event FROM liquake.cursors WHERE journal = $1", journal
            )
        return None if held is None else Mark(held["seq"], held["event"])

    async def prove(self, journal: str) -> None:
        """See `Sink.prove`."""
        await self.mark(journal)

    async def write(self, journal: str, rows: Sequence[Row]) -> int:
        """See `Sink.write`."""
        _, venue, key, instrument, asset, side, price, basis, amount, usd, ts_event, ts_recv, size, told, tags = zip(
            *rows, strict=True
        )
        last = rows[-1]
        with explained(self.address):
            await self._begin({ts // _DAY for ts in ts_event} - self._days)
            new = await self._connected().fetchval(
                _WRITE,
                *(journal, last[0], f"{last[1]}|{last[2]}"),
                *(venue, key, instrument, asset, [market_of(name) for name in asset], side, price, basis),
                *(amount, usd, ts_event, ts_recv, size, told, tags),
            )
        return int(new)

    async def holds(self, received: int) -> Holding:
        """See `Sink.holds`."""
        if self._empty():
            return Holding({}, 0, 0)
        connection = self._connected()
        with explained(self.address):
            rows = await connection.fetch(
                "SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, venue, side, count(*) AS events,"
                " coalesce(sum(usd), 0) AS usd FROM liquake.liquidations WHERE ts_recv >= $1 GROUP BY 1, 2, 3",
                received,
                timeout=_READING,
            )
            doubled = await connection.fetchval(
                "SELECT count(*) FROM (SELECT 1 FROM liquake.liquidations GROUP BY venue, key HAVING count(*) > 1) AS twice",
                timeout=_READING,
            )
            journals = await connection.fetchval("SELECT count(*) FROM liquake.cursors")
        tallies = {(row["day"], row["venue"], row["side"]): Tally(row["events"], row["usd"]) for row in rows}
        return Holding(tallies, doubled, journals)

    async def _begin(self, days: set[int]) -> None:
        """Make room for `days` (since 1970) that were not written to before, and let go of what is too old."""
        if not days or self._found is None:
            return
        if self._found.layout is Layout.PLAIN:
            await self._partition(sorted(days))
        self._days |= days
        await self._drop_old(self._found.layout)

    async def _partition(self, days: Sequence[int]) -> None:
        connection = self._connected()
        async with connection.transaction():
            await lock(connection)
            for day in days:
                first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS liquake.liquidations_{first:%Y%m%d} PARTITION OF liquake.liquidations"
                    f" FOR VALUES FROM ('{first.isoformat()}') TO ('{(first + timedelta(days=1)).isoformat()}')"
                )

    async def _set_retention(self, layout: Layout) -> None:
        if layout is not Layout.COMMUNITY:
            await self._drop_old(layout)
            return
        connection = self._connected()
        await connection.execute("SELECT remove_retention_policy('liquake.liquidations', if_exists => true)")
        if self._keep is not None:
            await connection.execute(
                "SELECT add_retention_policy('liquake.liquidations', $1::interval)", timedelta(days=self._keep)
            )

    async def _drop_old(self, layout: Layout) -> None:
        """Drop the days that are too old, where TimescaleDB does not do it by itself."""
        if self._keep is None or layout is Layout.COMMUNITY:
            return
        connection = self._connected()
        if layout is Layout.APACHE:
            await connection.execute(
                "SELECT drop_chunks('liquake.liquidations', $1::interval)", timedelta(days=self._keep)
            )
            return
        old = await connection.fetch(
            """SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = 'liquake.liquidations'::regclass AND relname COLLATE "C" < $1""",
            f"liquidations_{datetime.now(UTC) - timedelta(days=self._keep):%Y%m%d}",
        )
        for partition in old:
            await connection.execute(f"DROP TABLE liquake.{partition['relname']}")

    def _empty(self) -> bool:
        """Whether nothing was ever made there."""
        return self._found is not None and not self._found.version

    def _connected(self) -> Connection:
        if self._connection is None:
            raise SinkDown(self.address, "it is not connected")
        return self._connection
