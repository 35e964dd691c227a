"""Reading the journal, while it is written too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from liquake.engine.snapshot import Episode, Sum
from liquake.errors import JournalError, RecordingError
from liquake.model import Event, FeedEvent, Liquidation, Side
from liquake.model.alert import Alert
from liquake.storage.database import explain, open_to_read
from liquake.storage.notes import Course, read_alert, read_course, read_episode
from liquake.storage.schema import COLUMNS, Row, read_events, read_ledger, read_prices

_PAGE = 4096
# Asked for both at once SQLite reads every row; one by one it looks where they are.
_ENDS = "SELECT coalesce((SELECT min(seq) FROM events), {}), coalesce((SELECT max(seq) FROM events), 0) + 1"


def read_journal(path: Path) -> Iterator[Event]:
    """The events of the journal at `path` in order of receipt: what was there at the start, in constant memory.

    Raises `RecordingError`, at the call when the file is no journal.
    """
    try:
        JournalReader(path).close()
    except JournalError as error:
        raise RecordingError(path, error.why) from None
    return _read(path)


def _read(path: Path) -> Iterator[Event]:
    try:
        with JournalReader(path) as reader:
            yield from reader.events()
    except JournalError as error:
        raise RecordingError(path, error.why) from None


class JournalReader:
    """A reader of the journal at `path`; it can change nothing there. Raises `JournalError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_to_read(path)
        held = self._query("SELECT value FROM meta WHERE name = 'id'")
        self.journal = str(held[0][0]) if held else ""
        """Which journal it is, wherever the file lies."""

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def events(self) -> Iterator[Event]:
        """Every event recorded until now, in order of receipt."""
        first, last = self._ends("min(seq)"), self._ends("max(seq)")
        if not first:
            return
        # By pages: a transaction that stayed open through a replay would let the write-ahead log grow all the while.
        for low in range(min(first), max(last) + 1, _PAGE):
            yield from self._page(low, min(low + _PAGE, max(last) + 1))

    def ends(self) -> tuple[int, int]:
        """The lowest `seq` of `events`, and one past the highest; where there is none, beyond and before all."""
        first, end = self._query(_ENDS.format(1 << 62))[0]
        return int(first), int(end)

    def page(self, low: int, high: int, where: str, parameters: Sequence[Any]) -> tuple[int, list[Row]]:
        """The lowest `seq` that is kept at this moment, and the rows of `events` (as of `schema.COLUMNS`) from `low` up
        to and without `high` that meet the condition `where`."""
        statement = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq >= ? AND seq < ? AND {where} ORDER BY seq"
        self._query("BEGIN")
        try:
            return self.ends()[0], self._query(statement, low, high, *parameters)
        finally:
            self._query("COMMIT")

    def first_received(self, moment: int) -> int:
        """The `seq` of the first row received at `moment` (UTC nanoseconds) or later; one past the last if none was."""
        # In order of receipt, so this reads no further than it has to.
        found = self._query("SELECT seq FROM events WHERE ts_recv >= ? ORDER BY seq LIMIT 1", moment)
        return int(found[0][0] if found else self._query("SELECT coalesce(max(seq), 0) + 1 FROM events")[0][0])

    def first_since(self, moment: int) -> int:
        """The same where no clock was ever set back, found in a few steps however long the journal is."""
        low, high = self._query(_ENDS.format(1))[0]
        while low < high:
            middle = (low + high) // 2
            found = self._query("SELECT seq, ts_recv FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", middle)
            if found and found[0][1] < moment:
                low = found[0][0] + 1
            else:
                high = middle
        return int(low)

    def newest(self) -> int:
        """The highest `seq` of any row; 0 where there is none."""
        return max(self._ends("max(seq)"), default=0)

    def between(self, low: int, high: int) -> list[Event]:
        """Every event from `seq` `low` up to and without `high`, in order of receipt: not above `newest`, for what is
        being written comes to the tables one after the other."""
        return self._page(low, high)

    def ledger(self) -> Iterator[FeedEvent]:
        """What became of the feeds, in order of receipt, in constant memory."""
        rows = self._query("SELECT * FROM ledger ORDER BY seq LIMIT ?", _PAGE)
        while rows:
            yield from (event for _, event in read_ledger(rows))
            rows = self._query("SELECT * FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?", rows[-1][0], _PAGE)

    def states(self, before: int) -> list[FeedEvent]:
        """How the feeds stood before the `seq` given: of each connection its last state, its scope and the venue's list."""
        rows = self._query(
            "SELECT * FROM ledger WHERE seq IN (SELECT max(seq) FROM ledger WHERE seq < ? AND kind IN"
            " ('status', 'scope', 'listing') GROUP BY venue, connection, kind) ORDER BY seq",
            before,
        )
        return [event for _, event in read_ledger(rows)]

    def remembered(self, low: int, high: int) -> list[Liquidation | FeedEvent]:
        """Liquidations and what became of the feeds from `seq` `low` up to and without `high`, in order of receipt."""
        found: list[tuple[int, Liquidation | FeedEvent]] = list(read_events(self._range("events", low, high)))
        found += read_ledger(self._range("ledger", low, high))
        return [event for _, event in sorted(found, key=lambda row: row[0])]

    def venues(self) -> list[str]:
        """Those of which anything but prices was kept."""
        rows = self._query("SELECT DISTINCT venue FROM events UNION SELECT DISTINCT venue FROM ledger ORDER BY venue")
        return [venue for (venue,) in rows]

    def last_heard(self, venue: str) -> int:
        """When the last row of `venue` was received, UTC nanoseconds; 0 where there is none."""
        found = [
            row[0]
            for table, column in (("events", "ts_recv"), ("ledger", "ts"), ("prices", "ts_recv"))
            for row in self._query(f"SELECT {column} FROM {table} WHERE venue = ? ORDER BY seq DESC LIMIT 1", venue)
        ]
        return max(found, default=0)

    def keys(self, before: int, most: int) -> list[tuple[str, str]]:
        """Venue and key of the latest `most` before the `seq` given."""
        return self._query("SELECT venue, key FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, most)

    def days(self, before: int) -> list[Row]:
        """Venue, day of the event (since 1970), first and last `seq` of the rows before the `seq` given."""
        return self._query(
            "SELECT venue, ts_event / 86400000000000 AS day, min(seq), max(seq) FROM events WHERE seq < ?"
            " GROUP BY venue, day ORDER BY min(seq)",
            before,
        )

    def span(self) -> tuple[int, int] | None:
        """When the first and the last event were received, UTC nanoseconds; `None` for an empty journal."""
        first = self._moments("min(seq)")
        return (min(first), max(self._moments("max(seq)"))) if first else None

    def counts(self) -> Mapping[str, int]:
        """Rows per table."""
        tables = ("events", "frames", "ledger", "prices")
        return {table: int(self._query(f"SELECT count(*) FROM {table}")[0][0]) for table in tables}

    def alerts(self, since: int) -> list[Alert]:
        """Those kept from `since` (UTC nanoseconds) on, the oldest first."""
        if self.schema < 3:
            return []
        rows = self._query("SELECT detail FROM alerts WHERE ts >= ? ORDER BY ts, rowid", since)
        return [read_alert(detail) for (detail,) in rows]

    def episodes(self, since: int) -> list[Episode]:
        """Those that went on at `since` (UTC nanoseconds) or later, by their start."""
        if self.schema < 3:
            return []
        rows = self._query("SELECT detail FROM episodes WHERE last >= ? ORDER BY start, key", since)
        return [read_episode(detail) for (detail,) in rows]

    def course(self) -> Course | None:
        """How whoever writes the journal makes its numbers, or last did; `None` where nobody has said."""
        rows = self._query("SELECT value FROM meta WHERE name = 'course'")
        return read_course(rows[0][0]) if rows else None

    def totals(self) -> Mapping[tuple[str, Side, str], Sum]:
        """Everything ever stored, added up by venue, side and asset."""
        if self.schema < 2:
            return self.scanned()
        rows = self._query(
            "SELECT venue, side, asset, sum(events), total(amount), total(usd), sum(unsized)"
            " FROM hours GROUP BY venue, side, asset"
        )
        return {(venue, Side(side), asset): Sum(*sums) for venue, side, asset, *sums in rows}

    def scanned(self) -> Mapping[tuple[str, Side, str], Sum]:
        """The same from the rows themselves: those that are still kept, read one by one."""
        rows = self._query(
            "SELECT venue, side, asset, count(*), total(amount), total(usd), count(*) - count(usd)"
            " FROM events GROUP BY venue, side, asset"
        )
        return {(venue, Side(side), asset): Sum(*sums) for venue, side, asset, *sums in rows}

    @property
    def schema(self) -> int:
        """The version of its schema."""
        return int(self._query("PRAGMA user_version")[0][0])

    def _page(self, low: int, high: int) -> list[Event]:
        events = read_events(self._range("events", low, high))
        ledger = read_ledger(self._range("ledger", low, high))
        prices = read_prices(self._range("prices", low, high))
        page: dict[int, Event] = {}
        for rows in (events, ledger, prices):
            page.update(rows)
        return [page[seq] for seq in sorted(page)]

    def _range(self, table: str, low: int, high: int) -> list[Row]:
        return self._query(f"SELECT * FROM {table} WHERE seq >= ? AND seq < ? ORDER BY seq", low, high)

    def _ends(self, end: str) -> list[int]:
        return [
            row[0]
            for table in ("events", "ledger", "prices")
            for row in self._query(f"SELECT {end} FROM {table}")
            if row[0] is not None
        ]

    def _moments(self, end: str) -> list[int]:
        return [
            row[0]
            for table, column in (("events", "ts_recv"), ("ledger", "ts"), ("prices", "ts_recv"))
            for row in self._query(f"SELECT {column} FROM {table} WHERE seq = (SELECT {end} FROM {table})")
        ]

    def _query(self, statement: str, *parameters: Any) -> list[Row]:
        try:
            return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise JournalError(self.path, explain(error)) from None
