from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from math import fsum
from pathlib import Path

import msgspec
import pytest

from liquake.config import Settings
from liquake.engine.snapshot import Sum
from liquake.model import Liquidation, Side
from liquake.storage.archive import archive, closed_before
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader
from liquake.storage.schema import ROLLUPS
from liquake.tiers import Window
from tests.unit.storage.events import START, every_kind, liquidation

DAY = 86_400 * 1_000_000_000
HOUR = 3600 * 1_000_000_000


def spread(count: int) -> list[Liquidation]:
    """Liquidations over some days, venues and coins, in order of receipt; a few without a size."""
    chance = random.Random(5)
    events = []
    for number in range(count):
        ts = START + number * 10 * DAY // count
        usd = None if number % 17 == 0 else round(chance.lognormvariate(9, 2), 2)
        event = liquidation(number, venue=chance.choice(["okx", "bybit"]), side=chance.choice(list(Side)), usd=usd)
        event = msgspec.structs.replace(event, asset=chance.choice(["BTC", "ETH"]), ts_event=ts - 10**8, ts_recv=ts)
        events.append(event)
    return events


def sums(events: list[Liquidation], period: int) -> dict[tuple[int, str, str, str], tuple[int, float]]:
    groups: dict[tuple[int, str, str, str], list[Liquidation]] = {}
    for event in events:
        group = event.ts_event // period * period, event.venue, event.asset, str(event.side)
        groups.setdefault(group, []).append(event)
    return {group: (len(held), fsum(event.usd or 0.0 for event in held)) for group, held in groups.items()}


def stored(path: Path, table: str) -> dict[tuple[int, str, str, str], tuple[int, float]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"SELECT start, venue, asset, side, events, usd FROM {table}").fetchall()
    return {tuple(row[:4]): tuple(row[4:]) for row in rows}


@pytest.mark.parametrize("table", ROLLUPS)
def test_sums_by_period_are_those_of_the_rows_each_counted_once(table: str, tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(4000)
    with Journal(path) as journal:
        for start in range(0, 4000, 500):
            # Half of each batch is sent again with the next.
            journal.record(events[max(0, start - 250) : start + 500])
            journal.flush()
        assert journal.statistics().duplicates == 7 * 250
    held, expected = stored(path, table), sums(events, ROLLUPS[table])
    assert held.keys() == expected.keys()
    for group, (count, usd) in expected.items():
        assert held[group][0] == count
        assert held[group][1] == pytest.approx(usd, abs=0.001)


def test_totals_are_those_of_a_full_scan_to_the_cent(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(4000)
    with Journal(path) as journal:
        journal.record(events)
    with JournalReader(path) as reader:
        totals, scanned = reader.totals(), reader.scanned()
    assert totals.keys() == scanned.keys()
    for group, total in totals.items():
        assert (total.events, total.unsized) == (scanned[group].events, scanned[group].unsized)
        assert total.usd == pytest.approx(scanned[group].usd, abs=0.005)


def test_a_journal_of_the_first_schema_gets_its_sums_when_it_is_written_again(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(300)
    with Journal(path) as journal:
        journal.record(events[:200])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE minutes; DROP TABLE hours; DROP TABLE alerts; DROP TABLE episodes; PRAGMA user_version = 1"
        )
    with JournalReader(path) as reader:
        assert sum((total for total in reader.totals().values()), Sum()).events == 200
    with Journal(path) as journal:
        journal.record(events[200:])
    assert sum(count for count, _ in stored(path, "hours").values()) == 300
    with JournalReader(path) as reader:
        assert reader.totals().keys() == reader.scanned().keys()


def test_what_is_forgotten_is_gone_with_its_frames_and_its_sums_stay(tmp_path: Path) -> None:
    path, events = tmp_path / "journal.db", spread(100)
    with Journal(path) as journal:
        for start in range(0, 100, 4):
            journal.record([*events[start : start + 4]], f"frame {start}")
        journal.record([event for event in every_kind() if not isinstance(event, Liquidation)])
        journal.flush()
        journal.forget(50)
        while journal._forget:
            journal.flush()
    with JournalReader(path) as reader:
        counts, totals = reader.counts(), reader.totals()
        assert reader.ends()[0] == 50
    # Number 50 came in a frame with 49, which is why that frame stays.
    assert counts["events"] == 51
    assert counts["frames"] == 13
    assert sum((total for total in totals.values()), Sum()).events == 100


def test_closed_days_are_archived_by_venue_and_day_once(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    path, events = tmp_path / "journal.db", spread(500)
    with Journal(path) as journal:
        journal.record(events)
    seq = closed_before(path, START + 5 * DAY + HOUR)
    old = [event for event in events if event.ts_recv // DAY < (START + 5 * DAY + HOUR) // DAY]
    assert seq == len(old) + 1
    files = archive(path, seq, tmp_path / "cold")
    assert archive(path, seq, tmp_path / "cold") == []
    assert {file.parent.parent.name for file in files} == {"venue=okx", "venue=bybit"}
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT key, strftime(epoch_ms(ts_event // 1000000), '%Y-%m-%d') = day::VARCHAR"
            " FROM read_parquet($1, hive_partitioning = true)",
            [str(tmp_path / "cold" / "**" / "*.parquet")],
        ).fetchall()
    assert sorted(key for key, _ in found) == sorted(event.key for event in old)
    assert all(same for _, same in found)


def test_a_window_archives_before_it_deletes(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    path, events = tmp_path / "journal.db", spread(500)
    with Journal(path) as journal:
        journal.record(events)
        journal.flush()
        Window(Settings(keep="3d"), journal, (), lambda: START + 10 * DAY).turn()
        while journal._forget:
            journal.flush()
    with JournalReader(path) as reader:
        left = reader.counts()["events"]
        totals = sum((total for total in reader.totals().values()), Sum())
    assert 0 < left < 250
    assert totals.events == 500
    assert len(list((tmp_path / "archive").rglob("*.parquet"))) >= 10
