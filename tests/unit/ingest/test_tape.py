from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from liquake.errors import RecordingError
from liquake.ingest.tape import read_tape
from liquake.model import Side
from liquake.model.tape import Source

ROWS = """ts_ms,venue,symbol,side,usd,n_events
1700000002000,bybit_linear,AAA,SHORT(all BUY),250.5,3
1700000001000,bybit_linear,BBB,LONG(last/max),100,1
1700000003000,beta,BBB,LONG,,1
"""


def test_rows_come_in_order_of_time_with_side_dollars_and_orders(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    tape = read_tape(path)
    assert tape.sources == (Source("bybit", Side.LONG), Source("bybit", Side.SHORT))
    assert list(tape.ts) == [1_700_000_001_000_000_000, 1_700_000_002_000_000_000]
    assert [tape.sources[kind].side for kind in tape.source] == [Side.LONG, Side.SHORT]
    assert list(tape.usd) == [100.0, 250.5]
    assert list(tape.orders) == [1, 3]
    assert tape.unsized == 1


def test_gzip_reads_the_same_and_is_named_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(ROWS.encode()))
    tape = read_tape(path)
    assert len(tape) == 2
    assert tape.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_recording_without_orders_counts_one_per_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("ts_ms,venue,side,usd\n1700000000000,alpha,LONG,5\n")
    assert list(read_tape(path).orders) == [1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ts_ms,venue,usd\n", "no column side"),
        ("ts_ms,venue,side,usd\n1700000000000,alpha,BUY,5\n", "line 2: side 'BUY' is neither LONG nor SHORT"),
        ("ts_ms,venue,side,usd\nsoon,alpha,LONG,5\n", "line 2"),
        ("ts_ms,venue,side,usd\n1700000000000,alpha\n", "line 2"),
        ("ts_ms,venue,side,usd\n1700000000000,alpha,LONG,many\n", "line 2"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RecordingError, match=why):
        read_tape(path)


def test_a_broken_archive_and_a_missing_file_are_recording_errors(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(ROWS.encode())[:-9])
    for missing in (path, tmp_path / "none.csv"):
        with pytest.raises(RecordingError):
            read_tape(missing)
