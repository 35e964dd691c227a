from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from liquake.errors import JournalError
from liquake.model import DecodeError, PriceKind, Quote
from liquake.storage.journal import Journal, default_path
from liquake.storage.reader import JournalReader, read_journal
from liquake.storage.schema import APPLICATION_ID, VERSION
from tests.unit.storage.events import START, every_kind, liquidation, price


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.db"


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_what_was_recorded_comes_back_equal_and_in_order(path: Path) -> None:
    with Journal(path) as journal:
        journal.record(every_kind())
    assert list(read_journal(path)) == every_kind()


def test_tags_and_ids_and_unknown_sizes_come_back(path: Path) -> None:
    event = msgspec.structs.replace(liquidation(1), size=None, id="a|b|7", tags=("backstop", "side=NEW"))
    with Journal(path) as journal:
        journal.record([event])
    assert list(read_journal(path)) == [event]


def test_an_event_received_again_is_counted_and_not_kept_twice(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(1), liquidation(2)])
        journal.record([liquidation(2), liquidation(3)])
        journal.flush()
        kept = journal.statistics()
    assert (kept.rows, kept.duplicates) == (3, 1)
    assert list(read_journal(path)) == [liquidation(1), liquidation(2), liquidation(3)]


def test_the_same_key_of_two_venues_is_two_events(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(1), liquidation(1, venue="bybit")])
    with JournalReader(path) as reader:
        assert reader.counts()["events"] == 2


def test_duplicates_are_known_after_a_restart_and_the_cursor_goes_on(path: Path) -> None:
    with Journal(path) as journal:
        journal.record(every_kind())
    with Journal(path) as journal:
        journal.record([liquidation(1), liquidation(9)])
        journal.flush()
        assert journal.statistics().duplicates == 1
    assert list(read_journal(path)) == [*every_kind(), liquidation(9)]


def test_a_frame_is_kept_once_for_all_it_carried(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(1), price(1), liquidation(2)], '{"two":1}', "public-1")
        journal.record([liquidation(3)], b'{"one":\xff}', "public-2")
        journal.record([liquidation(4)])
    joined = "SELECT frame.venue, connection, frame.ts_recv, frame.frame, group_concat(event.seq) FROM events AS event"
    found = rows(path, f"{joined} JOIN frames AS frame ON frame.id = event.frame GROUP BY frame.id")
    assert found == [
        ("okx", "public-1", START + 1_000_000, b'{"two":1}', "1,3"),
        ("okx", "public-2", START + 3_000_000, b'{"one":\xff}', "4"),
    ]


def test_a_frame_without_a_liquidation_is_not_kept(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([price(1)], "{}", "public-1")
    with JournalReader(path) as reader:
        assert reader.counts() == {"events": 0, "frames": 0, "ledger": 0, "prices": 1}


def test_one_price_a_second_is_kept_of_each_stream(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([price(ms) for ms in range(0, 2500, 100)])
        journal.record([price(150, venue="bybit"), price(150, kind=PriceKind.INDEX)])
    kept = [(event.venue, event.price) for event in read_journal(path) if hasattr(event, "price")]
    assert kept == [("okx", 4100.0), ("okx", 5100.0), ("okx", 6100.0), ("bybit", 4250.0), ("okx", 4250.0)]


def test_prices_go_on_after_the_clock_was_set_back(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([price(3_600_000), price(0)])
    assert list(read_journal(path)) == [price(3_600_000), price(0)]


def test_quotes_are_not_kept(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([Quote("okx", "BTC-USDT-SWAP", "BTC", 1.0, 1.0, 2.0, 1.0, START, START)])
        assert journal.statistics().pending == 0


def test_what_no_table_can_hold_is_counted_and_stops_nothing(path: Path) -> None:
    impossible = [
        msgspec.structs.replace(liquidation(100), price=float("nan")),
        msgspec.structs.replace(liquidation(101), ts_event=2**70),
        msgspec.structs.replace(liquidation(102), instrument="\ud800"),
    ]
    good = [liquidation(number) for number in range(20)]
    with Journal(path) as journal:
        journal.record([*good[:7], impossible[0], *good[7:9], *impossible[1:], *good[9:]])
        journal.flush()
        kept = journal.statistics()
    assert (kept.rows, kept.refused, kept.duplicates, kept.pending, kept.trouble) == (20, 3, 0, 0, "")
    assert list(read_journal(path)) == good


def test_a_text_frame_that_is_no_unicode_is_kept(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(1)], "{\ud800}", "public-1")
    assert rows(path, "SELECT frame FROM frames") == [("{\ud800}".encode("utf-8", "surrogatepass"),)]


def test_statistics_account_for_everything_recorded(path: Path) -> None:
    with Journal(path) as journal:
        before = journal.statistics()
        journal.record([*every_kind(), liquidation(1)])
        journal.flush()
        after = journal.statistics()
    assert (before.committed, before.commit_age) == (0, None)
    assert (after.rows, after.duplicates, after.committed, after.pending) == (3, 1, 8, 0)
    assert after.commit_age is not None
    assert after.commit_latency > 0.0
    assert after.bytes > before.bytes > 0


async def test_flushed_leaves_nothing_pending(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(1000)])
        await journal.flushed()
        with JournalReader(path) as reader:
            assert reader.counts()["events"] == 1000


def test_a_commit_comes_without_being_asked_for(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(1)])
        deadline = time.monotonic() + 30.0
        while journal.statistics().rows == 0:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_recording_after_the_end_is_counted_as_dropped(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    journal.close()
    journal.record([liquidation(1)])
    assert journal.statistics().dropped == 1


def test_a_second_writer_is_told_who_is_the_first(path: Path) -> None:
    with Journal(path) as journal:
        with pytest.raises(JournalError, match=r"another liquake writes it \(process \d+\)"):
            Journal(path)
        journal.record([liquidation(1)])
    with Journal(path) as journal:
        journal.record([liquidation(2)])
    assert list(read_journal(path)) == [liquidation(1), liquidation(2)]


def test_the_file_says_what_it_is_and_who_made_it(path: Path) -> None:
    Journal(path).close()
    assert rows(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert {name for (name,) in rows(path, "SELECT name FROM meta")} == {"schema", "liquake", "created", "id"}
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_folder_that_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="its folder cannot be written"):
        Journal(tmp_path / "file" / "journal.db")


def test_a_folder_in_place_of_the_file_is_said_in_a_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match="cannot be opened: give a path"):
        Journal(path)


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("ts_ms,venue\n" * 200)
    with pytest.raises(JournalError, match="not an SQLite database: give another path"):
        Journal(path)
    assert path.read_text() == "ts_ms,venue\n" * 200


def test_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events (own INTEGER)")
    connection.close()
    with pytest.raises(JournalError, match="not a journal of liquake"):
        Journal(path)
    assert rows(path, "SELECT name FROM sqlite_schema") == [("events",)]


@pytest.mark.parametrize("open_it", [Journal, JournalReader])
def test_a_newer_schema_is_not_touched(path: Path, open_it: type[Journal] | type[JournalReader]) -> None:
    Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(JournalError, match=f"a newer liquake wrote it .schema {VERSION + 1}"):
        open_it(path)


def test_a_failed_opening_lets_the_next_one_in(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database " * 100)
    with pytest.raises(JournalError):
        Journal(path)
    path.unlink()
    Journal(path).close()


def test_beyond_the_allowance_frames_go_and_their_events_stay(path: Path) -> None:
    with Journal(path, frame_bytes=1000) as journal:
        journal.record([liquidation(1), liquidation(2)], "x" * 1001, "public-1")
        journal.record([DecodeError("okx", "public-1", START, "not JSON", b"y" * 1001)])
        journal.flush()
        kept = journal.statistics()
    assert (kept.rows, kept.dropped, kept.dropped_frames) == (2, 0, 2)
    *_, error = read_journal(path)
    assert error == DecodeError("okx", "public-1", START, "not JSON", b"")


def test_the_allowance_is_given_back_once_frames_are_written(path: Path) -> None:
    with Journal(path, frame_bytes=1000) as journal:
        for number in range(0, 30, 3):
            journal.record([liquidation(number), liquidation(number + 1)], "x" * 900, "public-1")
            journal.flush()
        assert journal.statistics().dropped_frames == 0


def test_the_default_is_in_the_users_data_folder() -> None:
    assert default_path().parts[-2:] == ("liquake", "journal.db")
