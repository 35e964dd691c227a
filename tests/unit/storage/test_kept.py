from __future__ import annotations

import gc
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import liquake
from liquake.errors import ExportError
from liquake.model import Liquidation, Side
from liquake.storage.archive import archive
from liquake.storage.formats import write_parquet
from liquake.storage.journal import Journal
from liquake.storage.kept import Kept
from liquake.storage.schema import Row
from liquake.storage.selection import Selection
from tests.unit.storage.events import START, liquidation

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")

DAY = 86_400 * 1_000_000_000


def spread(count: int) -> list[Liquidation]:
    """Liquidations over some days, in order of receipt; some without a size, with an id or with tags, some late."""
    chance = random.Random(3)
    events = []
    for number in range(count):
        ts = START + number * 6 * DAY // count
        side, usd = chance.choice(list(Side)), None if number % 13 == 0 else chance.lognormvariate(9, 2)
        event = liquidation(number, venue=chance.choice(["okx", "bybit"]), side=side, usd=usd)
        late = DAY if number % 50 == 0 else 10**8
        told = {"id": f"id-{number}"} if number % 3 else {"tags": ("backstop", 'a "tag"')}
        events.append(msgspec.structs.replace(event, ts_event=ts - late, ts_recv=ts, **told))
    return events


@contextmanager
def journal_of(path: Path, events: list[Liquidation]) -> Iterator[Journal]:
    with Journal(path) as journal:
        journal.record(events)
        journal.flush()
        yield journal


def forget(journal: Journal, seq: int) -> None:
    journal.forget(seq)
    while journal._forget:
        journal.flush()


def keys(path: Path, selection: Selection | None = None) -> list[str]:
    return [row[2] for rows, _ in Kept(path).pages(selection or Selection()) for row in rows]


def test_what_was_archived_and_what_is_left_are_one_history_and_equal_to_what_came(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(700)
    with journal_of(path, events) as journal:
        archive(path, 401, tmp_path / "archive")
        # Archived but not deleted yet, in part deleted, all deleted: each row once throughout.
        assert list(liquake.history(path)) == events
        forget(journal, 150)
        assert list(liquake.history(path)) == events
        forget(journal, 401)
        assert list(liquake.history(path)) == events
        assert list(liquake.history(path, side=Side.LONG, usd=1e4)) == [
            event for event in events if event.side is Side.LONG and (event.usd or 0.0) >= 1e4
        ]
        forget(journal, 701)
    assert len(list(liquake.history(path))) == 400


def test_numbers_go_on_when_no_row_is_left_so_that_nothing_new_passes_for_archived(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(60)
    with journal_of(path, events[:40]) as journal:
        archive(path, 41, tmp_path / "archive")
        forget(journal, 41)
    with journal_of(path, events[40:]) as journal:
        archive(path, 61, tmp_path / "archive")
        forget(journal, 61)
    assert list(liquake.history(path)) == events


def test_days_archived_in_parts_hold_each_row_once(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(700)
    with journal_of(path, events) as journal:
        first = archive(path, 200, tmp_path / "archive")
        # A process that died before the rows were deleted archives them no second time.
        forget(journal, 90)
        second = archive(path, 650, tmp_path / "archive")
        assert not {*first} & {*second}
        forget(journal, 650)
        assert keys(path) == [event.key for event in events]
    with duckdb.connect() as connection:
        files = str(tmp_path / "archive" / "**" / "*.parquet")
        rows = connection.execute("SELECT count(*), count(DISTINCT key) FROM read_parquet($1)", [files]).fetchone()
    assert rows == (649, 649)


def test_rows_that_leave_the_journal_while_it_is_read_are_found_where_they_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liquake.storage.kept._SEARCHED", 50)
    path, events = tmp_path / "journal.db", spread(400)
    with journal_of(path, events) as journal:
        pages = Kept(path).pages(Selection())
        read = [row[2] for row in next(pages)[0]]
        archive(path, 301, tmp_path / "archive")
        forget(journal, 301)
        shares = []
        for rows, done in pages:
            read += [row[2] for row in rows]
            shares.append(done)
    assert read == [event.key for event in events]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_another_journals_archive_in_the_same_folder_is_neither_read_nor_in_the_way(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(60)
    with journal_of(path, events):
        archive(path, 61, tmp_path / "archive")
    path.rename(tmp_path / "old.db")
    later = [msgspec.structs.replace(event, id=f"later-{n}") for n, event in enumerate(events)]
    with journal_of(path, later) as journal:
        assert archive(path, 61, tmp_path / "archive")
        forget(journal, 61)
    assert list(liquake.history(path)) == later
    assert list(liquake.history(tmp_path / "old.db")) == events


def test_what_an_archiving_that_was_killed_left_is_no_parquet_file_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events, seen = tmp_path / "journal.db", spread(60), list[Path]()

    def noted(rows: Iterable[Row], part: Path, names: Sequence[str]) -> int:
        seen.append(part)
        return write_parquet(rows, part, names)

    monkeypatch.setattr("liquake.storage.archive.write_parquet", noted)
    with journal_of(path, events):
        archive(path, 31, tmp_path / "archive")
        assert {part.suffix for part in seen} == {""}
        left, other = seen[0].parent, seen[0].parent.with_name(".another-journal")
        for folder in (left, other):
            folder.mkdir()
            (folder / "part").write_bytes(b"PAR1 half")
        archive(path, 61, tmp_path / "archive")
        assert list((tmp_path / "archive").rglob(".*")) == [other]
    assert keys(path) == [event.key for event in events]


def test_a_damaged_file_of_the_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with journal_of(path, spread(60)) as journal:
        (damaged, *_) = archive(path, 61, tmp_path / "archive")
        forget(journal, 61)
    damaged.write_bytes(b"PAR1 no longer")
    with pytest.raises(ExportError, match="move the damaged file away") as raised:
        keys(path)
    assert damaged.name in str(raised.value)
    assert "\n" not in str(raised.value)


def through_arrow(table: object) -> list[tuple[object, ...]]:
    """Rows of any object that speaks Arrow, which DuckDB reads as polars and pyarrow do when given it."""
    with duckdb.connect() as connection:
        connection.register("given", table)
        found = connection.sql("SELECT * FROM given ORDER BY ts_recv")
        types = dict(zip(found.columns, map(str, found.types), strict=True))
        assert (types["time"], types["usd"], types["ts_event"]) == ("TIMESTAMP WITH TIME ZONE", "DOUBLE", "BIGINT")
        rows: list[tuple[object, ...]] = found.project("ts_event, usd, id").fetchall()
        connection.unregister("given")
    return rows


def test_history_as_arrow_has_the_same_rows_with_types_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    path, events = tmp_path / "journal.db", spread(90)
    with journal_of(path, events) as journal:
        archive(path, 31, tmp_path / "archive")
        forget(journal, 31)
        table = liquake.history_table(path, venues=["okx"])
    expected = [event for event in events if event.venue == "okx"]
    assert len(table) == len(expected)
    assert through_arrow(table) == [(event.ts_event, event.usd, event.id) for event in expected]
    del table
    gc.collect()
    assert list((tmp_path / "temp").iterdir()) == []
