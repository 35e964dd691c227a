"""Closed days out of the journal into Parquet files, so that the journal keeps a window and nothing is lost.

One folder per venue and day, `venue=okx/day=2025-10-10/`, as Parquet tools name partitions; the day is that of the event.
A file is named after its journal and the numbers (`seq`) of its first and last row, which are in its column `seq` too.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from liquake.errors import ExportError
from liquake.storage.formats import FIELDS, NO_DUCKDB, record, write_parquet
from liquake.storage.reader import JournalReader
from liquake.storage.schema import COLUMNS, Row
from liquake.storage.selection import Selection
from liquake.storage.tally import Tallies, Tally, named

DAY = 86_400 * 1_000_000_000
_NAME = re.compile(r"liquidations-([0-9a-f]+)-(\d+)-(\d+)\.parquet")
_ID = 12
"""Letters of a journal's id that stand in a file's name."""
_PAGE = 50_000


class _File(NamedTuple):
    path: Path
    first: int
    last: int


def closed_before(journal: Path, moment: int) -> int:
    """The `seq` of the first row received on the UTC day of `moment` or later: all before it are of closed days."""
    with JournalReader(journal) as reader:
        return reader.first_received(moment - moment % DAY)


def archive(journal: Path, seq: int, folder: Path) -> list[Path]:
    """Write the liquidations before `seq` that are not there yet under `folder`; the files that were written.

    Raises `ExportError`, `JournalError`.
    """
    written = []
    with JournalReader(journal) as reader:
        _clear(folder, reader.journal)
        for venue, day, _, last in reader.days(seq):
            place = folder / f"venue={venue}" / f"day={named(day)}"
            # Rows of the same day may come late, and rows that were archived may not have been deleted yet.
            first = max((held.last for held in _files(place, reader.journal, "*")), default=0) + 1
            if first <= last:
                target = place / f"liquidations-{reader.journal[:_ID]}-{first}-{last}.parquet"
                _write(reader, Selection(day * DAY, (day + 1) * DAY, (venue,), first=first, last=last), target)
                written.append(target)
    return written


def _write(reader: JournalReader, selection: Selection, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent.parent, prefix=f".{reader.journal[:_ID]}-") as scratch:
            # Not called *.parquet before it is whole: tools that search folders look into hidden ones too.
            part = Path(scratch) / "part"
            write_parquet(_rows(reader, selection), part, ("seq", *FIELDS))
            with part.open("rb") as done:
                # The rows are about to be deleted where they came from.
                os.fsync(done.fileno())
            part.replace(target)
            for place in target.parents[:3]:
                _flush(place)
    except OSError as error:
        raise ExportError(str(target), f"{error.strerror or error}: see that the folder can be written") from None


def _flush(folder: Path) -> None:
    """Have the names in `folder` survive the death of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(folder: Path, journal: str) -> None:
    """Remove what a process left that died while it wrote; only one writes for a journal."""
    for left in folder.glob(f"venue=*/.{journal[:_ID]}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _rows(reader: JournalReader, selection: Selection) -> Iterator[Row]:
    assert selection.first is not None
    assert selection.last is not None
    where, parameters = selection.where()
    for low in range(max(selection.first, reader.ends()[0]), selection.last + 1, _PAGE):
        _, rows = reader.page(low, low + _PAGE, where, parameters)
        for row in rows:
            yield row[0], *record(row)


def _files(folder: Path, journal: str, pattern: str) -> Iterator[_File]:
    """Those that came from `journal`."""
    for path in folder.glob(pattern):
        found = _NAME.fullmatch(path.name)
        if found is not None and found[1] == journal[:_ID]:
            yield _File(path, int(found[2]), int(found[3]))


class Archive:
    """What was archived of the journal called `journal` under `folder`; nothing where there is no such folder.

    Files of other journals are left alone: the same events may be in them once more.
    """

    def __init__(self, folder: Path, journal: str) -> None:
        self._folder, self._journal = folder, journal
        self._files: list[_File] = []
        self._connection: Any = None
        self.look()

    @property
    def first(self) -> int:
        """The lowest `seq` that may be in it."""
        return min((held.first for held in self._files), default=1 << 62)

    @property
    def end(self) -> int:
        """One past the highest."""
        return max((held.last for held in self._files), default=0) + 1

    def look(self) -> None:
        """See what is there by now."""
        self._files = list(_files(self._folder, self._journal, "venue=*/day=*/*"))

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def rows(self, low: int, high: int, where: str, parameters: Sequence[Any]) -> list[Row]:
        """Rows (as of `schema.COLUMNS`) from `seq` `low` up to and without `high` that meet the condition `where`."""
        return self._ask(
            f"SELECT {', '.join(COLUMNS)} FROM {{files}} WHERE seq >= ? AND seq < ? AND {where} ORDER BY seq",
            low,
            high,
            parameters,
        )

    def tallies(self, end: int) -> Tallies:
        """Of the rows before the `seq` `end`."""
        rows = self._ask(
            f"SELECT CAST(ts_event // {DAY} AS INTEGER), venue, side, count(*), coalesce(sum(usd), 0)"
            " FROM {files} WHERE seq >= ? AND seq < ? GROUP BY ALL",
            0,
            end,
        )
        return {(named(day), venue, side): Tally(events, usd) for day, venue, side, events, usd in rows}

    def doubled(self) -> int:
        """Rows that are in it more than once."""
        statement = "SELECT count(*) - count(DISTINCT (venue, key)) FROM {files} WHERE seq >= ? AND seq < ?"
        found = self._ask(statement, 0, self.end)
        return int(found[0][0]) if found else 0

    def _ask(self, statement: str, low: int, high: int, parameters: Sequence[Any] = ()) -> list[Row]:
        files = [str(held.path) for held in self._files if held.first < high and held.last >= low]
        if not files:
            return []
        duckdb = _duckdb(self._folder)
        if self._connection is None:
            self._connection = duckdb.connect(config={"threads": 1})
        reading = statement.format(files="read_parquet(?, hive_partitioning = false)")
        try:
            found: list[Row] = self._connection.execute(reading, [files, low, high, *parameters]).fetchall()
        except duckdb.Error as error:
            why = f"{str(error).splitlines()[0]}: move the damaged file away"
            raise ExportError(str(self._folder), why) from None
        return found


def _duckdb(folder: Path) -> Any:
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ExportError(str(folder), f"{NO_DUCKDB}, or move the folder away") from None
    return duckdb
