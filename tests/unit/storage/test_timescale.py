from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import msgspec
import pytest

from liquake.errors import RowRefused, SinkDown, SinkRefused
from liquake.model import Liquidation, Side
from liquake.storage.journal import Journal
from liquake.storage.migrations import VERSION, Layout
from liquake.storage.schema import Row
from liquake.storage.tail import JournalTail
from liquake.storage.tally import Holding
from liquake.storage.timescale import TimescaleSink
from tests.servers import free_port
from tests.unit.storage.events import START, liquidation

DAY = 86_400 * 1_000_000_000


def rows_of(path: Path, events: list[Liquidation]) -> list[Row]:
    with Journal(path) as journal:
        journal.record(events)
    with closing(JournalTail(path)) as tail:
        return tail.after(0, 10_000)


@asynccontextmanager
async def opened(url: str, keep: int | None = None) -> AsyncIterator[TimescaleSink]:
    sink = TimescaleSink(url, keep=keep)
    await sink.open()
    try:
        yield sink
    finally:
        await sink.close()


@asynccontextmanager
async def client(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def moved(number: int, days: int, *, side: Side = Side.LONG, usd: float | None = 512.5) -> Liquidation:
    event = liquidation(number, side=side, usd=usd)
    return msgspec.structs.replace(event, ts_event=event.ts_event + days * DAY, ts_recv=event.ts_recv + days * DAY)


async def test_plain_postgres_is_said_to_be_what_it_is(database: str) -> None:
    sink = TimescaleSink(database)
    found = await sink.open()
    await sink.close()
    assert re.fullmatch(r"PostgreSQL without TimescaleDB \(PostgreSQL \d+\.\d+\)", found)


async def test_time_is_the_venues_to_the_microsecond_in_utc(database: str, tmp_path: Path) -> None:
    event = msgspec.structs.replace(liquidation(1), ts_event=START + 123_456_789)
    async with opened(database) as sink, client(database) as connection:
        await sink.write("j", rows_of(tmp_path / "j.db", [event]))
        row = await connection.fetchrow("SELECT *, extract(epoch FROM time) AS epoch FROM liquake.liquidations")
    assert row is not None
    assert int(row["epoch"] * 1_000_000) == event.ts_event // 1000
    assert (row["ts_event"], row["ts_recv"]) == (event.ts_event, event.ts_recv)
    assert (row["market"], row["side"], row["usd"], row["key"]) == ("BTCUSDT", "LONG", 512.5, event.key)


async def test_minutes_and_hours_add_up_by_venue_market_and_side(database: str, tmp_path: Path) -> None:
    events = [moved(number, number % 3, side=Side.LONG if number % 2 else Side.SHORT) for number in range(60)]
    events.append(moved(100, 0, usd=None))
    async with opened(database) as sink, client(database) as connection:
        await sink.write("j", rows_of(tmp_path / "j.db", events))
        for view in ("per_minute", "per_hour"):
            rows = await connection.fetch(
                f"SELECT side, sum(events) AS events, sum(usd) AS usd, sum(unsized) AS unsized, count(*) AS buckets"
                f" FROM liquake.{view} WHERE venue = 'okx' AND market = 'BTCUSDT' GROUP BY side ORDER BY side"
            )
            assert [tuple(row) for row in rows] == [
                ("LONG", 31, 30 * 512.5, 1, 3),
                ("SHORT", 30, 30 * 512.5, 0, 3),
            ]


async def test_each_day_has_its_partition_and_old_ones_are_dropped(database: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [moved(number, number) for number in range(4)])
    async with opened(database) as sink, client(database) as connection:
        await sink.write("j", rows)
        partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'liquake.liquidations'::regclass"
        assert await connection.fetchval(partitions) == 4
        async with opened(database, keep=30):
            pass
        assert await connection.fetchval(partitions) == 0


async def test_days_are_dropped_also_for_a_user_of_the_schemas_own_name(database: str, tmp_path: Path) -> None:
    # Its tables are then on the search path, and PostgreSQL writes their names without the schema.
    rows = rows_of(tmp_path / "j.db", [moved(number, number) for number in range(4)])
    async with client(database) as connection:
        await connection.execute("DROP ROLE IF EXISTS liquake")
        await connection.execute("CREATE ROLE liquake LOGIN SUPERUSER")
    url = database.replace("postgres@", "liquake@")
    async with opened(url) as sink:
        await sink.write("j", rows)
    async with opened(url, keep=30), client(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM pg_inherits") == 0


async def test_looking_changes_nothing_and_says_how_far_it_is(database: str) -> None:
    sink = TimescaleSink(database, keep=1)
    look = await sink.look()
    assert not look.ready
    assert look.words.endswith(", without tables yet: `liquake collect` makes them")
    assert await sink.mark("j") is None
    assert await sink.holds(0) == Holding({}, 0, 0)
    await sink.close()
    async with client(database) as connection:
        assert await connection.fetchval("SELECT to_regnamespace('liquake') IS NULL")
        async with opened(database):
            await connection.execute("DELETE FROM liquake.schema WHERE version > 1")
        look = await sink.look()
        assert not look.ready
        assert look.words.endswith(f", schema 1 of {VERSION}: `liquake collect` brings it up to date")
        await sink.close()
        assert await connection.fetchval("SELECT max(version) FROM liquake.schema") == 1


async def guest(connection: asyncpg.Connection[asyncpg.Record], url: str, *rights: str) -> str:
    """URL for a user of the database of `url` who has `rights` alone."""
    if await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'guest'"):
        await connection.execute("DROP OWNED BY guest")
    await connection.execute("DROP ROLE IF EXISTS guest")
    await connection.execute("CREATE ROLE guest LOGIN")
    for right in rights:
        await connection.execute(right)
    return url.replace("postgres@", "guest@")


async def test_a_schema_made_by_an_administrator_is_enough(database: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [moved(number, number) for number in range(2)])
    async with client(database) as connection:
        url = await guest(connection, database, "CREATE SCHEMA liquake AUTHORIZATION guest")
        async with opened(url) as sink:
            assert await sink.write("j", rows) == 2
        await connection.execute("DROP OWNED BY guest")


async def test_a_user_who_may_read_alone_is_refused_before_the_first_row_and_may_look(database: str) -> None:
    async with opened(database), client(database) as connection:
        reading = "GRANT SELECT ON ALL TABLES IN SCHEMA liquake TO guest"
        url = await guest(connection, database, "GRANT USAGE ON SCHEMA liquake TO guest", reading)
        with pytest.raises(SinkRefused, match="may not write there: grant it the tables"):
            async with opened(url):
                pass
        sink = TimescaleSink(url)
        assert (await sink.look()).ready
        await sink.close()
        await connection.execute("DROP OWNED BY guest")


async def test_a_user_who_could_not_make_the_tables_is_told_when_looking(database: str) -> None:
    async with client(database) as connection:
        url = await guest(connection, database)
        with pytest.raises(SinkRefused, match="grant it the schema liquake, or CREATE on the database"):
            await TimescaleSink(url).look()


async def test_adding_all_of_it_up_may_take_longer_than_any_statement_else(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liquake.storage.timescale._PATIENCE", 0.3)
    async with opened(database) as sink, client(database) as connection:
        await sink.write("j", rows_of(tmp_path / "j.db", [moved(1, 0)]))
        async with connection.transaction():
            await connection.execute("LOCK TABLE liquake.liquidations IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(SinkDown, match="it does not answer in time"):
                await sink.write("j", rows_of(tmp_path / "k.db", [moved(2, 0)]))
            holding = asyncio.create_task(sink.holds(0))
            done, _ = await asyncio.wait([holding], timeout=0.6)
            assert not done
        assert (await holding).doubled == 0


async def test_an_address_with_a_word_that_nobody_knows_is_refused(database: str) -> None:
    for word in ("sslmode=perhaps", "nonsense=1"):
        with pytest.raises(SinkRefused, match="correct the URL"):
            await TimescaleSink(f"{database}?{word}").open()


async def test_the_schema_is_made_once_and_a_newer_one_is_left_alone(database: str) -> None:
    async with opened(database), opened(database), client(database) as connection:
        versions = [row[0] for row in await connection.fetch("SELECT version FROM liquake.schema ORDER BY 1")]
        assert versions == list(range(1, VERSION + 1))
        await connection.execute("INSERT INTO liquake.schema VALUES (99, $1)", str(Layout.PLAIN))
    with pytest.raises(SinkRefused, match=f"schema \\(99, this one knows {VERSION}\\): update liquake"):
        async with opened(database):
            pass


async def test_an_older_schema_is_brought_up_to_date(database: str, tmp_path: Path) -> None:
    async with opened(database) as sink, client(database) as connection:
        await sink.write("j", rows_of(tmp_path / "j.db", [liquidation(1)]))
        await connection.execute("DROP VIEW liquake.per_minute, liquake.per_hour")
        await connection.execute("DELETE FROM liquake.schema WHERE version > 1")
    async with opened(database), client(database) as connection:
        assert await connection.fetchval("SELECT sum(events) FROM liquake.per_hour") == 1


async def test_a_user_without_rights_is_told_what_to_grant(database: str) -> None:
    async with client(database) as connection:
        await connection.execute("DROP ROLE IF EXISTS guest")
        await connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(SinkRefused, match="grant this user"):
        await TimescaleSink(database.replace("postgres@", "guest:s3cret@")).open()


async def test_a_database_that_does_not_exist_is_refused(database: str) -> None:
    with pytest.raises(SinkRefused, match="create it, or correct the URL"):
        await TimescaleSink(database + "_not").open()


async def test_a_server_that_is_not_there_is_down() -> None:
    with pytest.raises(SinkDown, match=r"^postgresql://me@127\.0\.0\.1:\d+/x: ") as raised:
        await TimescaleSink(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/x").open()
    assert "s3cret" not in str(raised.value)


async def test_a_row_it_can_never_hold_is_refused_as_such(database: str, tmp_path: Path) -> None:
    row = rows_of(tmp_path / "j.db", [liquidation(1)])[0]
    async with opened(database) as sink:
        with pytest.raises(RowRefused):
            await sink.write("j", [(*row[:2], "nul \0 inside", *row[3:])])
        assert await sink.write("j", [row]) == 1


async def test_timescale_makes_a_hypertable_with_continuous_aggregates(timescale: str, tmp_path: Path) -> None:
    sink = TimescaleSink(timescale)
    found = await sink.open()
    try:
        assert found.startswith("TimescaleDB")
        await sink.write("j", rows_of(tmp_path / "j.db", [moved(number, number % 3) for number in range(60)]))
        async with client(timescale) as connection:
            tables = "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_schema = 'liquake'"
            assert await connection.fetchval(tables) == 1
            assert await connection.fetchval("SELECT sum(events) FROM liquake.per_minute") == 60
            assert await connection.fetchval("SELECT sum(usd) FROM liquake.per_hour") == 60 * 512.5
    finally:
        await sink.close()


async def test_timescale_takes_late_rows_into_compressed_days_each_once(timescale: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [moved(number, number % 3) for number in range(3000)])
    async with opened(timescale) as sink, client(timescale) as connection:
        await sink.write("j", rows[::2])
        # Where the licence does not allow it there is nothing compressed to be late for.
        if await connection.fetchval("SELECT current_setting('timescaledb.license')") == "timescale":
            await connection.execute("SELECT compress_chunk(chunk) FROM show_chunks('liquake.liquidations') AS chunk")
        assert await sink.write("j", rows) == 1500
        assert await sink.write("j", rows) == 0
        counted = "SELECT count(*), count(DISTINCT key) FROM liquake.liquidations"
        assert tuple(await connection.fetchrow(counted) or ()) == (3000, 3000)


async def test_timescale_lets_go_of_days_that_are_too_old(timescale: str, tmp_path: Path) -> None:
    async with opened(timescale) as sink, client(timescale) as connection:
        await sink.write("j", rows_of(tmp_path / "j.db", [moved(number, number) for number in range(3)]))
        async with opened(timescale, keep=30):
            pass
        # Its own job drops them some time; under the Apache licence liquake has.
        jobs = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
        for row in await connection.fetch(jobs):
            await connection.execute(f"CALL run_job({row['job_id']})")
        assert await connection.fetchval("SELECT count(*) FROM liquake.liquidations") == 0
