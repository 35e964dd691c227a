from __future__ import annotations

import os
from pathlib import Path

import pytest

from liquake.engine.snapshot import Sum
from liquake.errors import JournalError, RecordingError
from liquake.ingest.recording import read_csv
from liquake.model import Side
from liquake.storage import reader as reader_module
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader, read_journal
from tests.unit.storage.events import START, every_kind, liquidation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a journal with 100% odd name?#.db"


def test_an_empty_journal_reads_as_nothing(path: Path) -> None:
    Journal(path).close()
    with JournalReader(path) as reader:
        assert list(reader.events()) == []
        assert reader.span() is None
        assert reader.totals() == {}


def test_it_reads_what_was_there_at_the_start_while_a_writer_writes(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(10)])
        journal.flush()
        events = read_journal(path)
        first = next(events)
        journal.record([liquidation(number) for number in range(10, 20)])
        journal.flush()
        assert [first, *events] == [liquidation(number) for number in range(10)]
        assert len(list(read_journal(path))) == 20


def test_order_holds_across_pages_and_holes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_PAGE", 3)
    with Journal(path) as journal:
        journal.record(every_kind())
        journal.record([liquidation(1)] * 10)
        journal.record([liquidation(7)])
    assert list(read_journal(path)) == [*every_kind(), liquidation(7)]


def test_totals_are_per_venue_side_and_asset_and_count_what_has_no_size(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([*every_kind(), liquidation(8)])
    with JournalReader(path) as reader:
        assert reader.totals() == {
            ("okx", Side.LONG, "BTC"): Sum(events=3, amount=0.25, usd=1025.0, unsized=1),
            ("bybit", Side.SHORT, "BTC"): Sum(events=1, amount=0.125, usd=512.5),
        }


def test_the_span_reaches_over_every_kind_of_event(path: Path) -> None:
    with Journal(path) as journal:
        journal.record(every_kind())
    with JournalReader(path) as reader:
        assert reader.span() == (START, START + 6_000_000)


def test_a_recorded_day_is_the_same_from_a_journal(path: Path, shared: Path) -> None:
    day = list(read_csv(shared / "data" / "okx_mar2026.csv.gz"))
    with Journal(path) as journal:
        journal.record(day)
    assert list(read_journal(path)) == day


def test_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no such file"):
        JournalReader(path)
    with pytest.raises(RecordingError, match="there is no such file"):
        read_journal(path)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"ts_ms,venue\n" * 100, b"SQLite format 3\x00" + b"\x07" * 4096])
def test_a_file_that_is_no_journal_cannot_be_replayed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"it is empty|not a journal|not an SQLite database"):
        read_journal(path)
    assert path.read_bytes() == content


def test_damage_met_on_the_way_is_said_in_a_sentence(path: Path) -> None:
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(5000)])
    content = bytearray(path.read_bytes())
    content[8 * 4096 : -4096] = b"\xaa" * (len(content) - 9 * 4096)
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="it is damaged: move it away"):
        list(read_journal(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in any folder")
def test_a_closed_journal_in_a_folder_that_cannot_be_written_is_readable(path: Path) -> None:
    with Journal(path) as journal:
        journal.record(every_kind())
    path.parent.chmod(0o555)
    try:
        assert list(read_journal(path)) == every_kind()
    finally:
        path.parent.chmod(0o755)
