"""Every liquidation that is kept, wherever it lies by now: in the archive of closed days or in the journal, each once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from liquake.storage.archive import Archive
from liquake.storage.reader import JournalReader
from liquake.storage.schema import Row
from liquake.storage.selection import Selection

_SEARCHED = 50_000
"""Numbers looked at in one transaction."""


class Kept:
    """The journal at `journal`, and what it left in the folder `archive`, which need not be there."""

    def __init__(self, journal: Path, archive: Path | None = None) -> None:
        self.journal = journal
        self.archive = journal.parent / "archive" if archive is None else archive

    def pages(self, selection: Selection) -> Iterator[tuple[list[Row], float]]:
        """Rows (as of `schema.COLUMNS`) in the order of receipt, and how much is searched, 0 to 1.

        Rows that are archived and deleted meanwhile are looked up where they went: what is gone from the journal is in
        the archive, for nothing is deleted before. Raises `JournalError`, `ExportError`.
        """
        where, parameters = selection.where()
        with JournalReader(self.journal) as reader, Archive(self.archive, reader.journal) as archive:
            first, end = reader.ends()
            low = begin = min(archive.first, first)
            end = max(end, archive.end)
            while low < end:
                high = min(low + _SEARCHED, end)
                lowest, rows = reader.page(low, high, where, parameters)
                if lowest > first:
                    first = lowest
                    archive.look()
                if low < lowest:
                    high = min(high, lowest)
                    rows = archive.rows(low, high, where, parameters)
                yield rows, (high - begin) / (end - begin)
                low = high
