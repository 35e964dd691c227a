"""Closed days out of the journal into Parquet files, so that the journal keeps a window and nothing is lost.

One folder per venue and day, `venue=okx/day=2025-10-10/`, as Parquet tools name partitions; the day is that of the event.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liquake.errors import ExportError
from liquake.storage.export import Selection, records, write_parquet
from liquake.storage.reader import JournalReader

DAY = 86_400 * 1_000_000_000


def closed_before(journal: Path, moment: int) -> int:
    """The `seq` of the first row received on the UTC day of `moment` or later: all before it are of closed days."""
    with JournalReader(journal) as reader:
        return reader.first_received(moment - moment % DAY)


def archive(journal: Path, seq: int, folder: Path) -> list[Path]:
    """Write the liquidations before `seq` under `folder`; the files that hold them. Writing them again does no harm.

    Raises `ExportError`, `JournalError`.
    """
    written = []
    with JournalReader(journal) as reader:
        for venue, day, first, last in reader.days(seq):
            when = Selection(day * DAY, (day + 1) * DAY, (venue,), last=seq - 1)
            # By number: an event that came late is archived later, and beside the others of its day.
            name = f"liquidations-{first}-{last}.parquet"
            target = folder / f"venue={venue}" / f"day={_date(day)}" / name
            if not target.exists():
                _write(reader, when, target)
            written.append(target)
    return written


def _write(reader: JournalReader, selection: Selection, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent.parent, prefix=".") as scratch:
            part = Path(scratch) / target.name
            write_parquet(records(reader, selection), part)
            with part.open("rb") as done:
                # The rows are about to be deleted where they came from.
                os.fsync(done.fileno())
            part.replace(target)
    except OSError as error:
        raise ExportError(str(target), f"{error.strerror or error}: see that the folder can be written") from None


def _date(day: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y-%m-%d}"
