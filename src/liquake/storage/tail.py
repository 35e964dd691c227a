"""What the journal holds beyond a cursor."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from liquake.errors import JournalError
from liquake.storage.database import explain, open_to_read
from liquake.storage.schema import COLUMNS, Row
from liquake.storage.tally import Tallies, Tally, named

COUNTED_AT_MOST = 100_000
"""Rows counted when asked how many are still to come: counting more would hold up the disk for nothing."""


class Mark(NamedTuple):
    """How far a sink has come in a journal: the last row it holds, by number and by name.

    The name tells whether the journal still means the same row by that number. It does not where its last commits were
    lost with the machine, or where it was restored from a copy, and has gone on from there.
    """

    seq: int
    event: str


class Behind(NamedTuple):
    """What a sink does not hold yet."""

    rows: int
    """Counted up to `COUNTED_AT_MOST`."""
    oldest: int | None
    """When the first of them was received, UTC nanoseconds."""


class Books(NamedTuple):
    """The rows of a journal, and the sums that outlive them."""

    first: int
    """The `seq` of the first row that is kept; beyond all where there is none."""
    kept: Tallies
    summed: Tallies


class JournalTail:
    """Rows of the journal at `path` in the order of `seq`. For one thread at a time. Raises `JournalError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_to_read(path)
        self.journal = str(self._query("SELECT value FROM meta WHERE name = 'id'")[0][0])
        """Which journal it is, wherever the file lies."""

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def after(self, seq: int, limit: int) -> list[Row]:
        """The next rows behind `seq`, at most `limit`."""
        return self._query(f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)

    def resume(self, mark: Mark | None, oldest: int) -> int:
        """The `seq` to go on behind: that of `mark` where it still names the same row, else from the start.

        Not before what was received at `oldest` (UTC nanoseconds). Sending again does no harm.
        """
        held = self._query("SELECT venue || '|' || key FROM events WHERE seq = ?", mark.seq) if mark else []
        seq = mark.seq if mark and held and held[0][0] == mark.event else 0
        if not oldest:
            return seq
        # In order of receipt, so this reads no further than the first that is wanted.
        first = self._query("SELECT seq FROM events WHERE seq > ? AND ts_recv >= ? ORDER BY seq LIMIT 1", seq, oldest)
        return max(seq, first[0][0] - 1 if first else self.newest())

    def newest(self) -> int:
        """The `seq` of the last row; 0 where there is none."""
        return int(self._query("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def behind(self, seq: int) -> Behind:
        """What lies behind `seq`."""
        rows = self._query("SELECT count(*) FROM (SELECT 1 FROM events WHERE seq > ? LIMIT ?)", seq, COUNTED_AT_MOST)
        first = self._query("SELECT ts_recv FROM events WHERE seq > ? ORDER BY seq LIMIT 1", seq)
        return Behind(int(rows[0][0]), int(first[0][0]) if first else None)

    def tallies(self, last: int, received: int) -> Tallies:
        """Of the rows up to `last` that were received at `received` (UTC nanoseconds) or later."""
        return tallies_of(
            self._query(
                "SELECT ts_event / 86400000000000 AS day, venue, side, count(*), total(usd) FROM events"
                " WHERE seq <= ? AND ts_recv >= ? GROUP BY day, venue, side",
                last,
                received,
            )
        )

    def shortened(self) -> bool:
        """Whether rows have been deleted that a store may still hold."""
        return bool(self._query("SELECT total(events) > (SELECT count(*) FROM events) FROM hours")[0][0])

    def _query(self, statement: str, *parameters: int) -> list[Row]:
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise JournalError(self.path, explain(error)) from None


def tallies_of(rows: Iterable[Row]) -> Tallies:
    """Of rows of a day (since 1970), venue, side, events and dollars."""
    return {(named(day), venue, side): Tally(events, usd) for day, venue, side, events, usd in rows}


def mark_of(row: Row) -> Mark:
    """The mark of a sink whose last row is `row`."""
    return Mark(row[0], f"{row[1]}|{row[2]}")
