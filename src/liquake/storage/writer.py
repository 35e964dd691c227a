"""Batches into the journal's tables, each in one transaction. Knows nothing of threads."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from liquake.errors import JournalError
from liquake.model import Liquidation, Price
from liquake.storage.database import add_up, explain, open_to_write
from liquake.storage.lock import WriterLock
from liquake.storage.notes import Note, put
from liquake.storage.schema import FeedRecord, Row, chunks, event_row, insertion, ledger_row, price_row

# sqlite3 lets go of the interpreter's lock once per statement, and winning it back from a busy event loop can take 5 ms
# each time: one statement per row has then been seen to write a few hundred rows a second.
_ROWS_PER_STATEMENT = 256

_NUMBERED = (("events", "seq"), ("ledger", "seq"), ("prices", "seq"), ("frames", "id"))
_FORGOTTEN = 20_000
"""Numbers whose rows are deleted in one transaction: new events wait for as long as it takes."""

CHECKPOINT_EVERY = 10.0
"""Seconds of quiet writing that the death of the machine can take at most."""

UNSTORABLE = (
    ValueError,
    OverflowError,
    TypeError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""What a row is refused for, however often it is tried."""


class Carrier(NamedTuple):
    """The frame that brought an event."""

    venue: str
    connection: str
    ts_recv: int
    frame: bytes | str


class Entry(NamedTuple):
    """One event to be written, or what was concluded from some."""

    event: Liquidation | Price | FeedRecord | Note
    carrier: Carrier | None = None
    weight: int = 0
    """Bytes of frames that are let go of with this entry."""


class Written(NamedTuple):
    """What became of the liquidations of a batch."""

    rows: int
    duplicates: int


class Writer:
    """The connection that writes the journal at `path`, and the lock that makes it the only one.

    Raises `JournalError` when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = _locked(path)
        self._checkpointed = time.monotonic()
        try:
            self._connection = open_to_write(path)
            self._seq = self._last_seq(path)
        except JournalError:
            self._lock.release()
            raise

    @property
    def newest(self) -> int:
        """The highest `seq` given out."""
        return self._seq

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()
        self._lock.release()

    def commit(self, entries: Sequence[Entry]) -> Written:
        """Write `entries` whole or not at all.

        Raises one of `UNSTORABLE` when a row can never be written, another `sqlite3.Error` when it cannot be now.
        """
        rows = self._lay_out(entries)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table in ("frames", "ledger", "prices"):
                self._insert(table, rows[table])
            written = self._insert("events", rows["events"])
            if written:
                # What lies between these numbers is what went in: duplicates did not take theirs.
                add_up(self._connection, rows["events"][0][0], rows["events"][-1][0])
            for event, _, _ in entries:
                if isinstance(event, Note):
                    put(self._connection, event)
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._checkpoint()
        return Written(written, len(rows["events"]) - written)

    def _checkpoint(self) -> None:
        now = time.monotonic()
        if now - self._checkpointed >= CHECKPOINT_EVERY:
            self._checkpointed = now
            # What was committed is committed, whatever becomes of this: as of SQLite's own checkpoints.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def forget(self, seq: int) -> bool:
        """Delete some of the rows before `seq`, with the frames that carried them; whether there are more.

        What was added up of them in `minutes` and `hours` stays. Raises `sqlite3.Error`.
        """
        first = min((low for low in self._lowest() if low is not None), default=seq)
        if first >= seq:
            return False
        high = min(first + _FORGOTTEN, seq)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table in ("events", "ledger", "prices"):
                self._connection.execute(f"DELETE FROM {table} WHERE seq < ?", (high,))
            # The frame of the first row that stays may have brought others that go.
            self._connection.execute(
                "DELETE FROM frames WHERE id < coalesce((SELECT frame FROM events ORDER BY seq LIMIT 1), ?1) AND id < ?1",
                (high,),
            )
            # A number is never given twice, even when no row is left: cursors and the archive go by it.
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES ('seq', ?)", (str(self._seq),))
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return high < seq

    def _lowest(self) -> Iterator[int | None]:
        for table, column in _NUMBERED:
            yield self._connection.execute(f"SELECT min({column}) FROM {table}").fetchone()[0]

    def _lay_out(self, entries: Sequence[Entry]) -> dict[str, list[Row]]:
        """Rows by table. A frame has the number of the first event it carried, so that one counter does for all."""
        rows: dict[str, list[Row]] = {"events": [], "frames": [], "ledger": [], "prices": []}
        events = rows["events"]
        carried: Carrier | None = None
        frame: int | None = None
        for event, carrier, _ in entries:
            if isinstance(event, Liquidation):
                self._seq += 1
                if carrier is None:
                    frame = None
                elif carrier is not carried:
                    frame = self._seq
                    rows["frames"].append(_frame_row(frame, carrier))
                carried = carrier
                events.append(event_row(self._seq, event, frame))
            elif isinstance(event, Price):
                self._seq += 1
                rows["prices"].append(price_row(self._seq, event))
            elif not isinstance(event, Note):
                self._seq += 1
                rows["ledger"].append(ledger_row(self._seq, event))
        return rows

    def _insert(self, table: str, rows: list[Row]) -> int:
        """How many of `rows` went in."""
        before = self._connection.total_changes
        for part in chunks(rows, _ROWS_PER_STATEMENT):
            self._connection.execute(insertion(table, len(part)), tuple(chain.from_iterable(part)))
        return self._connection.total_changes - before

    def _last_seq(self, path: Path) -> int:
        tables = " UNION ALL ".join(f"SELECT max(seq) AS seq FROM {table}" for table in ("events", "ledger", "prices"))
        tables += " UNION ALL SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'seq'"
        try:
            return int(self._connection.execute(f"SELECT coalesce(max(seq), 0) FROM ({tables})").fetchone()[0])
        except sqlite3.Error as error:
            self._connection.close()
            raise JournalError(path, explain(error)) from None


def _locked(path: Path) -> WriterLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return WriterLock(path)
    except OSError as error:
        why = f"its folder cannot be written ({error.strerror}): give a path in a folder of yours"
        raise JournalError(path, why) from None


def _frame_row(number: int, carrier: Carrier) -> Row:
    raw = carrier.frame
    # A text frame has been valid UTF-8 on the wire; what else it may hold must not stop the batch.
    frame = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    return number, carrier.venue, carrier.connection, carrier.ts_recv, frame
