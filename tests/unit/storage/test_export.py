from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest

from liquake.errors import ExportError
from liquake.model import Liquidation, Side
from liquake.storage.export import export
from liquake.storage.formats import FIELDS, write_parquet
from liquake.storage.journal import Journal
from liquake.storage.kept import Kept
from liquake.storage.selection import Selection
from tests.unit.storage.events import START, liquidation


def journal_of(folder: Path, events: list[Liquidation]) -> Path:
    path = folder / "journal.db"
    with Journal(path) as journal:
        journal.record(events)
    return path


def exported(path: Path, selection: Selection) -> list[int]:
    """The numbers of the events that `selection` lets through."""
    out = io.BytesIO()
    export(Kept(path), "csv", out, selection)
    return [(int(row["ts_recv"]) - START) // 1_000_000 for row in csv.DictReader(out.getvalue().decode().splitlines())]


EVENTS = [
    liquidation(0),
    liquidation(1, venue="bybit", side=Side.SHORT, usd=90_000.0),
    liquidation(2, usd=None),
    msgspec.structs.replace(liquidation(3), asset="ETH", tags=('a "quoted", tag',)),
]


def test_every_field_comes_through_csv(tmp_path: Path) -> None:
    path, out = journal_of(tmp_path, EVENTS), tmp_path / "out.csv"
    assert export(Kept(path), "csv", out, Selection()) == 4
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == list(FIELDS)
    assert rows[1]["time"] == "2025-10-09T08:53:19.971000Z"
    assert (rows[1]["venue"], rows[1]["side"], rows[1]["usd"]) == ("bybit", "SHORT", "90000.0")
    assert (rows[2]["amount"], rows[2]["usd"]) == ("", "")
    assert rows[3]["market"] == "ETHUSDT"
    assert json.loads(rows[3]["tags"]) == ['a "quoted", tag']


def test_json_lines_say_null_where_nothing_is_known(tmp_path: Path) -> None:
    out = io.BytesIO()
    export(Kept(journal_of(tmp_path, EVENTS)), "jsonl", out, Selection())
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [row["usd"] for row in rows] == [512.5, 90_000.0, None, 512.5]
    assert rows[3]["tags"] == ['a "quoted", tag']
    assert rows[0]["tags"] == []
    assert rows[0]["ts_recv"] == START


def test_parquet_is_read_back_equal(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    path, out = journal_of(tmp_path, EVENTS), tmp_path / "it's.parquet"
    assert export(Kept(path), "parquet", out, Selection()) == 4
    with duckdb.connect() as connection:
        found = connection.from_parquet(str(out)).order("ts_recv")
        assert found.columns == list(FIELDS)
        assert dict(zip(found.columns, map(str, found.types), strict=True))["time"] == "TIMESTAMP WITH TIME ZONE"
        names = "venue, side, usd, amount, ts_event, tags, epoch_us(time) AS us"
        rows = found.project(names).fetchall()
    assert rows == [
        (
            event.venue,
            str(event.side),
            event.usd,
            event.amount,
            event.ts_event,
            json.dumps(event.tags) if event.tags else None,
            event.ts_event // 1000,
        )
        for event in EVENTS
    ]
    assert list(tmp_path.glob("*.csv")) == []


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (Selection(), [0, 1, 2, 3]),
        (Selection(start=liquidation(1).ts_event), [1, 2, 3]),
        (Selection(end=liquidation(1).ts_event), [0]),
        (Selection(venues=("okx",)), [0, 2, 3]),
        (Selection(assets=("ETH", "SOL")), [3]),
        (Selection(side=Side.SHORT), [1]),
        (Selection(usd=512.5), [0, 1, 3]),
        (Selection(venues=("okx",), usd=513.0), []),
    ],
)
def test_a_selection_leaves_out_what_is_not_meant(selection: Selection, numbers: list[int], tmp_path: Path) -> None:
    assert exported(journal_of(tmp_path, EVENTS), selection) == numbers


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("mine")
    with pytest.raises(ExportError, match="exists already"):
        export(Kept(journal_of(tmp_path, EVENTS)), "csv", out, Selection())
    assert out.read_text() == "mine"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="give a file in a folder of yours"):
        export(Kept(journal_of(tmp_path, EVENTS)), "csv", tmp_path / "none" / "out.csv", Selection())


def test_parquet_goes_to_a_stream_too(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    out = io.BytesIO()
    assert export(Kept(journal_of(tmp_path, EVENTS)), "parquet", out, Selection()) == 4
    (tmp_path / "copy.parquet").write_bytes(out.getvalue())
    with duckdb.connect() as connection:
        copied = connection.from_parquet(str(tmp_path / "copy.parquet")).project("ts_event").fetchall()
    assert copied == [(event.ts_event,) for event in EVENTS]


def test_a_parquet_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    with pytest.raises(ExportError, match="see that the disk has room") as raised:
        write_parquet([], tmp_path)
    assert "\n" not in str(raised.value)


def test_progress_ends_at_one(tmp_path: Path) -> None:
    told: list[float] = []
    export(Kept(journal_of(tmp_path, EVENTS)), "csv", io.BytesIO(), Selection(), told.append)
    assert told == [1.0]
