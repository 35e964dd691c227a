"""What is called of TimescaleDB, held against the signatures that its documentation gives.

It is in no package registry: where `LIQUAKE_TEST_TIMESCALE_URL` names none, these stand in a plain PostgreSQL for its
functions, and only note what they were given (https://docs.tigerdata.com/api/latest/). What they would do with it is
for the tests on a real one.
"""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from liquake.errors import SinkRefused
from liquake.storage.migrations import MIGRATIONS, VERSION, Layout
from liquake.storage.timescale import TimescaleSink
from tests.unit.storage.test_timescale import client, moved, opened, rows_of

DOCUMENTED = """
CREATE TABLE calls (name text, value text);
CREATE TYPE dimension_info AS (column_name name, partition_interval interval);
CREATE FUNCTION by_range(column_name name, partition_interval interval DEFAULT NULL, partition_func regproc DEFAULT NULL)
    RETURNS dimension_info LANGUAGE sql AS $$ SELECT ROW(column_name, partition_interval)::dimension_info $$;
CREATE FUNCTION create_hypertable(relation regclass, dimension dimension_info,
    create_default_indexes boolean DEFAULT true, if_not_exists boolean DEFAULT false, migrate_data boolean DEFAULT false)
    RETURNS void LANGUAGE sql AS $$ INSERT INTO calls VALUES ('create_hypertable', relation || ' ' || dimension::text) $$;
CREATE FUNCTION drop_chunks(relation regclass, older_than interval DEFAULT NULL, newer_than interval DEFAULT NULL,
    "verbose" boolean DEFAULT false, created_before interval DEFAULT NULL, created_after interval DEFAULT NULL)
    RETURNS SETOF text LANGUAGE sql AS $$ INSERT INTO calls VALUES ('drop_chunks', older_than::text) RETURNING value $$;
CREATE FUNCTION add_retention_policy(relation regclass, drop_after interval DEFAULT NULL,
    if_not_exists boolean DEFAULT false, schedule_interval interval DEFAULT NULL, initial_start timestamptz DEFAULT NULL,
    timezone text DEFAULT NULL, drop_created_before interval DEFAULT NULL)
    RETURNS int LANGUAGE sql AS $$ INSERT INTO calls VALUES ('add_retention_policy', drop_after::text) RETURNING 1 $$;
CREATE FUNCTION remove_retention_policy(relation regclass, if_exists boolean DEFAULT false)
    RETURNS void LANGUAGE sql AS $$ INSERT INTO calls VALUES ('remove_retention_policy', if_exists::text) $$;
CREATE FUNCTION add_compression_policy(hypertable regclass, compress_after interval DEFAULT NULL,
    if_not_exists boolean DEFAULT false, schedule_interval interval DEFAULT NULL, initial_start timestamptz DEFAULT NULL,
    timezone text DEFAULT NULL, compress_created_before interval DEFAULT NULL)
    RETURNS int LANGUAGE sql AS $$ INSERT INTO calls VALUES ('add_compression_policy', compress_after::text) RETURNING 1 $$;
CREATE FUNCTION add_continuous_aggregate_policy(continuous_aggregate regclass, start_offset interval,
    end_offset interval, schedule_interval interval, if_not_exists boolean DEFAULT false,
    initial_start timestamptz DEFAULT NULL, timezone text DEFAULT NULL)
    RETURNS int LANGUAGE sql AS $$ INSERT INTO calls VALUES ('add_continuous_aggregate_policy',
        concat_ws(' ', continuous_aggregate, start_offset, end_offset, schedule_interval)) RETURNING 1 $$;
"""


async def calls(connection: asyncpg.Connection[asyncpg.Record]) -> list[tuple[str, str]]:
    """Those since the last look."""
    rows = await connection.fetch("WITH seen AS (DELETE FROM calls RETURNING *) SELECT * FROM seen")
    return sorted((row["name"], row["value"]) for row in rows)


async def pretend(url: str, version: str, licence: str) -> None:
    """Let the database of `url` look as if the extension were there."""
    async with client(url) as connection:
        await connection.execute(DOCUMENTED)
        await connection.execute(
            "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
            " VALUES (99999, 'timescaledb', 10, 'public'::regnamespace, false, $1)",
            version,
        )
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET timescaledb.license = '{licence}'")


async def test_under_the_apache_licence_old_chunks_are_dropped_at_the_start_and_with_each_new_day(
    database: str, tmp_path: Path
) -> None:
    await pretend(database, "2.29.0", "apache")
    async with client(database) as connection:
        async with opened(database, keep=30) as sink:
            assert await calls(connection) == [
                ("create_hypertable", 'liquake.liquidations (time,"1 day")'),
                ("drop_chunks", "30 days"),
            ]
            rows = rows_of(tmp_path / "j.db", [moved(number, number) for number in range(2)])
            for row, dropped in zip([*rows, rows[0]], (1, 1, 0), strict=True):
                await sink.write("j", [row])
                assert await calls(connection) == [("drop_chunks", "30 days")] * dropped
        assert [row[0] for row in await connection.fetch("SELECT layout FROM liquake.schema")] == [
            Layout.APACHE
        ] * VERSION
        assert await connection.fetchval("SELECT sum(events) FROM liquake.per_hour") == 2


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (30, [("add_retention_policy", "30 days"), ("remove_retention_policy", "true")]),
        (None, [("remove_retention_policy", "true")]),
    ],
)
async def test_the_community_edition_is_told_how_long_rows_stay(
    keep: int | None, expected: list[tuple[str, str]], database: str
) -> None:
    await pretend(database, "2.29.0", "apache")
    async with opened(database), client(database) as connection:
        await connection.execute("UPDATE liquake.schema SET layout = $1", str(Layout.COMMUNITY))
        await calls(connection)
        async with opened(database, keep=keep):
            assert await calls(connection) == expected
        sink = TimescaleSink(database)
        try:
            assert (await sink.look()).words.startswith("TimescaleDB 2.29.0 (PostgreSQL ")
        finally:
            await sink.close()
        assert await calls(connection) == []


async def test_every_policy_is_asked_for_as_documented(database: str) -> None:
    await pretend(database, "2.29.0", "apache")
    async with opened(database), client(database) as connection:
        await calls(connection)
        for statements in MIGRATIONS:
            for statement in statements(Layout.COMMUNITY):
                if statement.startswith("SELECT"):
                    await connection.execute(statement)
        assert await calls(connection) == [
            ("add_compression_policy", "7 days"),
            ("add_continuous_aggregate_policy", "liquake.per_hour 01:00:00 01:00:00"),
            ("add_continuous_aggregate_policy", "liquake.per_minute 00:01:00 00:01:00"),
            ("create_hypertable", 'liquake.liquidations (time,"1 day")'),
        ]


async def test_a_timescale_that_is_too_old_or_gone_is_refused(database: str) -> None:
    await pretend(database, "2.12.1", "timescale")
    with pytest.raises(SinkRefused, match=r"its TimescaleDB is 2\.12\.1, at least 2\.13 is needed: update it"):
        async with opened(database):
            pass
    async with client(database) as connection:
        await connection.execute("UPDATE pg_extension SET extversion = '2.13.0-dev' WHERE extname = 'timescaledb'")
        await connection.execute(
            "ALTER DATABASE " + database.rpartition("/")[2] + " SET timescaledb.license = 'apache'"
        )
    async with opened(database):
        pass
    async with client(database) as connection:
        await connection.execute("DELETE FROM pg_extension WHERE extname = 'timescaledb'")
    with pytest.raises(SinkRefused, match=r"its TimescaleDB is gone"):
        async with opened(database):
            pass
