from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import asyncpg
import msgspec
import pytest

from liquake.model import Event, FeedState, FeedStatus, Liquidation, PriceBasis
from liquake.storage.archive import DAY, archive
from liquake.storage.check import check_journal, check_store
from liquake.storage.finding import Finding
from liquake.storage.journal import Journal
from liquake.storage.redis import STREAM, RedisSink
from liquake.storage.sink import Follower, Sink
from liquake.storage.timescale import TimescaleSink
from tests.unit.storage.conftest import Store, at_start, client_of
from tests.unit.storage.events import SECOND, START, every_kind, liquidation, price

Following = Callable[[Sink, Path], AbstractAsyncContextManager[Follower]]


def sound(number: int) -> Liquidation:
    """A liquidation whose dollars are coins times price."""
    return msgspec.structs.replace(liquidation(number), amount=0.125, usd=512.5)


def wrong(path: Path, events: list[Event]) -> list[tuple[str, str]]:
    """Rule and place of what is wrong in a journal of `events`."""
    with Journal(path) as journal:
        journal.record(events)
    return [(finding.rule, finding.place) for finding in check_journal(path) if not finding.ok]


def test_a_sound_journal_has_nothing_wrong(tmp_path: Path) -> None:
    assert wrong(tmp_path / "j.db", every_kind()) == []


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("values", {"price": -4100.0, "amount": None}),
        ("values", {"amount": 0.0}),
        ("values", {"amount": -0.125}),
        ("values", {"usd": -512.5}),
        ("values", {"usd": float("inf")}),
        ("values", {"amount": float("inf"), "instrument": "1000PEPEUSDT"}),
        ("values", {"usd": 3e9, "amount": 3e9 / 4100.0}),
        ("values", {"usd": float("inf"), "amount": None}),
        ("times", {"ts_event": START // 1000}),
        ("times", {"ts_event": START + 7200 * SECOND}),
        ("units", {"amount": 12.5}),
        ("units", {"amount": 125.0}),
        ("units", {"usd": 5.125}),
        ("units", {"usd": 700.0}),
        ("prices", {"price": 41.0, "amount": None}),
    ],
)
def test_what_cannot_be_is_found(rule: str, changes: dict[str, float | str | None], tmp_path: Path) -> None:
    event = msgspec.structs.replace(sound(5), **changes)
    found = wrong(tmp_path / "j.db", [price(1), sound(2), event])
    assert (rule, "okx") in found
    if rule != "prices":
        assert {name for name, _ in found} <= {rule, "units", "prices"}


def test_a_thousand_coins_to_a_quoted_unit_and_entry_prices_are_no_fault(tmp_path: Path) -> None:
    bundled = msgspec.structs.replace(sound(5), instrument="1000PEPEUSDT", amount=125.0)
    entry = msgspec.structs.replace(sound(6), price=41.0, price_basis=PriceBasis.ENTRY, amount=None)
    assert wrong(tmp_path / "j.db", [price(1), bundled, entry]) == []


def test_a_silence_that_the_ledger_does_not_explain_is_found(tmp_path: Path) -> None:
    assert wrong(tmp_path / "j.db", [price(0), price(121_000)]) == [("gaps", "okx")]


def test_a_silence_that_ends_with_a_reconnect_is_explained(tmp_path: Path) -> None:
    back = FeedStatus("okx", "public-1", FeedState.CONNECTING, START + 120_500 * 1_000_000)
    assert wrong(tmp_path / "j.db", [price(0), back, price(121_000)]) == []


@pytest.mark.parametrize("change", ["UPDATE hours SET usd = usd + 0.02", "DELETE FROM minutes"])
def test_sums_that_are_not_those_of_the_rows_are_found(change: str, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    assert wrong(path, [sound(1), sound(2)]) == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()
    assert {finding.rule for finding in check_journal(path) if not finding.ok} - {"rows and dollars"} == {"sums"}


def unguarded(path: Path, statement: str, *, restored: bool) -> None:
    """Do with `statement` what the journal's unique index would refuse; afterwards it is back as it was, or gone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        kept = connection.execute("SELECT * FROM sqlite_schema WHERE tbl_name = 'events'").fetchall()
        bare = kept[0][-1].replace("UNIQUE (venue, key)", "CHECK (1)")
        _rewrite(connection, [(*kept[0][:-1], bare)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
        if restored:
            _rewrite(connection, kept)


def _rewrite(connection: sqlite3.Connection, entries: list[tuple[object, ...]]) -> None:
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE tbl_name = 'events'")
    connection.executemany("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", entries)
    connection.execute("PRAGMA writable_schema = RESET")


@pytest.mark.parametrize(
    ("key", "restored", "said"),
    [
        ("key", False, "1 keys more than once"),
        ("key || '9'", True, "0 keys more than once; 3 rows, 2 in their index"),
    ],
)
def test_a_key_that_is_there_twice_and_a_row_missing_from_the_index_are_found(
    key: str, restored: bool, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "j.db"
    assert wrong(path, [sound(1), sound(2)]) == []
    again = (
        f"INSERT INTO events SELECT 9, venue, {key}, instrument, asset, side, price, price_basis, amount, usd,"
        " ts_event, ts_recv, size, id, tags, frame FROM events WHERE seq = 1"
    )
    unguarded(path, again, restored=restored)
    assert ("duplicates", "", said) in faults(check_journal(path))


def moved(number: int, day: int) -> Liquidation:
    event = sound(number)
    return msgspec.structs.replace(event, ts_event=event.ts_event + day * DAY, ts_recv=event.ts_recv + day * DAY)


def shortened(path: Path, seq: int) -> None:
    """Take the rows before `seq` out of the journal at `path`, as time does."""
    with Journal(path) as journal:
        journal.forget(seq)
        while journal._forget:
            journal.flush()


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """A journal of the third of three days, two rows each; the first two are in its archive."""
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([moved(number, number // 2) for number in range(6)])
    archive(path, 5, tmp_path / "archive")
    shortened(path, 5)
    return path


def days(findings: list[Finding]) -> list[tuple[str, str, bool, str]]:
    return [
        (finding.tier, finding.place, finding.ok, finding.detail.partition(",")[0])
        for finding in findings
        if finding.rule == "rows and dollars"
    ]


def test_what_was_archived_is_held_against_the_sums_of_its_days(archived: Path) -> None:
    findings = check_journal(archived)
    assert faults(findings) == []
    assert days(findings) == [
        ("archive", "2025-10-09 okx LONG", True, "2 rows of 2"),
        ("archive", "2025-10-10 okx LONG", True, "2 rows of 2"),
        ("journal", "2025-10-11 okx LONG", True, "2 rows of 2"),
    ]
    assert ("archive", "duplicates", "0 rows more than once") in [
        (finding.tier, finding.rule, finding.detail) for finding in findings
    ]


def test_a_day_that_is_missing_in_the_archive_is_found_wherever_that_is(archived: Path) -> None:
    elsewhere = archived.parent / "elsewhere"
    (archived.parent / "archive").rename(elsewhere)
    next(elsewhere.glob("*/day=2025-10-10/*.parquet")).unlink()
    assert faults(check_journal(archived, elsewhere)) == [
        ("rows and dollars", "2025-10-10 okx LONG", "0 rows of 2, 0.00 USD of 1,025.00")
    ]


def test_rows_that_are_in_the_archive_twice_are_found(archived: Path) -> None:
    (file,) = archived.parent.glob("archive/*/day=2025-10-09/*.parquet")
    shutil.copy(file, file.with_name(file.name.replace("-1-2.", "-1-1.")))
    assert [rule for rule, _, _ in faults(check_journal(archived))] == ["duplicates", "rows and dollars"]


def test_a_damaged_file_of_the_archive_is_a_finding(archived: Path) -> None:
    next(archived.parent.glob("archive/*/*/*.parquet")).write_bytes(b"PAR1 no longer")
    ((rule, _, detail),) = faults(check_journal(archived))
    assert rule == "files"
    assert detail.endswith("move the damaged file away")


def test_days_that_were_deleted_without_an_archive_are_no_fault_and_a_row_missing_of_those_kept_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([moved(number, number // 2) for number in range(6)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM hours WHERE start >= ?", (START + 2 * DAY - 3600 * SECOND,))
        connection.commit()
    shortened(path, 4)
    assert ("rows and dollars", "2025-10-11 okx LONG", "2 rows of 0, 1,025.00 USD of 0.00") in faults(
        check_journal(path)
    )


def test_a_row_that_is_gone_from_a_whole_journal_is_found(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([moved(number, number // 2) for number in range(6)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE events SET usd = usd + 1 WHERE seq = 3")
        connection.commit()
    assert ("rows and dollars", "2025-10-10 okx LONG") in [fault[:2] for fault in faults(check_journal(path))]


@pytest.mark.parametrize("version", [1, 2])
def test_a_journal_of_an_older_liquake_is_said_to_be_one(version: int, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    wrong(path, [sound(1)])
    with closing(sqlite3.connect(path)) as connection:
        for table in ("alerts", "episodes", "minutes", "hours")[: 4 if version == 1 else 2]:
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version={version}")
    assert faults(check_journal(path)) == [
        ("schema", "", f"version {version} of 3: `liquake collect` brings it up to date")
    ]


def test_a_file_that_cannot_be_read_to_its_end_is_found(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    wrong(path, [sound(number) for number in range(20_000)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    assert {("file", ""), ("reading", "")} <= {fault[:2] for fault in faults(check_journal(path))}


async def broken(store: Store) -> None:
    """Take one row out of the store behind its back."""
    if store.url.startswith("redis"):
        async with client_of(store.url) as client:
            await client.xtrim(STREAM, maxlen=9, approximate=False)
        return
    connection = await asyncpg.connect(store.url)
    await connection.execute("DELETE FROM liquake.liquidations WHERE size = 3")
    await connection.close()


def faults(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.place, finding.detail) for finding in findings if not finding.ok]


async def test_a_store_is_held_against_the_journal_by_day_venue_and_side(
    store: Store, following: Following, tmp_path: Path
) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([sound(number) for number in range(10)])
    async with following(store.make(), path) as follower:
        await follower.drained()
    assert faults(await check_store(store.make(), path, at_start())) == []
    await broken(store)
    assert faults(await check_store(store.make(), path, at_start())) == [
        ("rows and dollars", "2025-10-09 okx LONG", "9 rows of 10, 4,612.50 USD of 5,125.00")
    ]


async def test_a_database_of_an_older_liquake_is_found(database: str, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    Journal(path).close()
    sink = TimescaleSink(database)
    await sink.open()
    await sink.close()
    assert faults(await check_store(TimescaleSink(database), path, at_start())) == []
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM liquake.schema WHERE version > 2")
    await connection.close()
    ((rule, _, detail),) = faults(await check_store(TimescaleSink(database), path, at_start()))
    assert (rule, detail.partition(", ")[2]) == ("answers", "schema 2 of 3: `liquake collect` brings it up to date")


async def test_rows_too_old_for_the_stream_are_none_that_it_lacks(redis: str, tmp_path: Path) -> None:
    wrong(tmp_path / "j.db", [sound(1)])
    assert faults(await check_store(RedisSink(redis), tmp_path / "j.db", at_start() + 2 * DAY)) == []


async def test_a_store_that_is_late_is_found(store: Store, following: Following, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        journal.record([sound(1)])
        async with following(store.make(), path) as follower:
            journal.flush()
            await follower.drained()
        journal.record([sound(2)])
    ((rule, _, detail),) = faults(await check_store(store.make(), path, at_start() + SECOND))
    assert (rule, detail) == ("cursor", "1 rows to come, for 61 s")
