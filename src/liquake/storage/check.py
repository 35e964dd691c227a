"""Whether what is stored can be true: each rule gives a finding per place it looked at."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from liquake.errors import ExportError, SinkError
from liquake.storage.archive import DAY, Archive
from liquake.storage.database import CACHE_KIBIBYTES, explain, open_to_read
from liquake.storage.finding import Finding
from liquake.storage.schema import ROLLUPS, VERSION
from liquake.storage.sink import Sink
from liquake.storage.tail import Books, JournalTail, tallies_of
from liquake.storage.tally import NOTHING, Tallies, Tally
from liquake.storage.witness import testify

LATE = 60.0
"""Seconds a store may be behind the journal."""

Progress = Callable[[str], None]
"""Told what is looked at next."""

# Once through the rows: whatever else is to be added up is added up of these. By their columns as `ROLLUPS` have them.
_SCAN = f"""CREATE TEMP TABLE scanned AS
    SELECT ts_event - ts_event % {ROLLUPS["minutes"]} AS start, venue, asset, side, count(*) AS events, total(usd) AS usd
    FROM events GROUP BY 1, 2, 3, 4"""


def _nobody(looking_at: str) -> None:
    del looking_at


def check_journal(path: Path, archive: Path | None = None, progress: Progress = _nobody) -> list[Finding]:
    """What the journal at `path` and what it left in `archive` (beside it by default) say of themselves.

    Raises `JournalError` where it cannot be opened.
    """
    connection = open_to_read(path)
    try:
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
        # All of one moment: it may be written while it is read.
        connection.execute("BEGIN")
        findings = list(_check_file(connection, progress))
        try:
            findings += _check_rows(connection, path.parent / "archive" if archive is None else archive, progress)
        except sqlite3.Error as error:
            # What can be read of a damaged file has been said; the rest cannot be.
            findings.append(Finding("journal", "reading", "", False, explain(error)))
    finally:
        connection.close()
    return findings


def _check_file(connection: sqlite3.Connection, progress: Progress) -> Iterator[Finding]:
    progress("the file")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    yield Finding("journal", "schema", "", version == VERSION, _version(version))
    try:
        found = connection.execute("PRAGMA quick_check(3)").fetchall()
        damage = [" ".join(row[0].split()) for row in found if row[0] != "ok"]
    except sqlite3.Error as error:
        damage = [explain(error)]
    yield Finding("journal", "file", "", not damage, "; ".join(damage) or "sound")


def _check_rows(connection: sqlite3.Connection, archive: Path, progress: Progress) -> Iterator[Finding]:
    progress("keys")
    yield _doubled(connection)
    progress("sums")
    connection.execute(_SCAN)
    if connection.execute("PRAGMA user_version").fetchone()[0] >= 2:
        for table in ROLLUPS:
            yield _check_rollup(connection, table)
        progress("days")
        yield from _check_days(connection, archive)
    progress("events and silences")
    yield from testify(connection, dict(connection.execute("SELECT venue, sum(events) FROM scanned GROUP BY venue")))


def _doubled(connection: sqlite3.Connection) -> Finding:
    """Keys that are there twice, by the index that should have refused them; and whether each row is in that.

    By the rows themselves it would take three times as long.
    """
    doubled = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY venue, key HAVING count(*) > 1)"
    ).fetchone()[0]
    # Left to itself SQLite counts by the index, which is the smaller.
    rows, indexed = (
        connection.execute(f"SELECT count(*), total(seq) FROM events {how}").fetchone() for how in ("NOT INDEXED", "")
    )
    lost = "" if rows == indexed else f"; {rows[0]:,} rows, {indexed[0]:,} in their index"
    return Finding("journal", "duplicates", "", not doubled and not lost, f"{doubled:,} keys more than once{lost}")


def _check_days(connection: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    """Rows and dollars by day, as they are kept, against the sums that were made when they came."""
    journal = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
    books = Books(
        connection.execute("SELECT coalesce(min(seq), 1 << 62) FROM events").fetchone()[0],
        *(tallies_of(connection.execute(_BY_DAY.format(table))) for table in ("scanned", "hours")),
    )
    # Looked into afterwards: what has left the journal by then is in it.
    with Archive(folder, journal[0] if journal else "") as archived:
        try:
            left, doubled = archived.tallies(books.first), archived.doubled()
        except ExportError as error:
            yield Finding("archive", "files", "", False, error.why)
            return
    if archived.first < books.first:
        yield Finding("archive", "duplicates", "", not doubled, f"{doubled:,} rows more than once")
    yield from _weigh(books, left)


_BY_DAY = f"SELECT start / {DAY} AS day, venue, side, sum(events), total(usd) FROM {{}} GROUP BY 1, 2, 3"


def _weigh(books: Books, left: Tallies) -> Iterator[Finding]:
    """`left` is what is in the archive alone."""
    came, stayed = (sum(tally.events for tally in tallies.values()) for tallies in (books.summed, books.kept))
    # Where days were deleted without an archive, what remains of them can only be less.
    less = came > stayed and not left
    since = min(left, default=("",))[0]
    for group in sorted({*books.summed, *books.kept}):
        have, want = _sum(books.kept.get(group), left.get(group)), books.summed.get(group, NOTHING)
        if group[0] >= since and not (less and have.events < want.events):
            tier = "archive" if left.get(group) else "journal"
            yield Finding(tier, "rows and dollars", " ".join(group), _agree(have, want), _against(have, want))


def _sum(one: Tally | None, other: Tally | None) -> Tally:
    one, other = one or NOTHING, other or NOTHING
    return Tally(one.events + other.events, one.usd + other.usd)


def _version(held: int) -> str:
    mend = "" if held == VERSION else ": `liquake collect` brings it up to date"
    return f"version {held} of {VERSION}{mend}"


def _check_rollup(connection: sqlite3.Connection, table: str) -> Finding:
    """Sums against the rows of the days of which none has been deleted."""
    wrong = connection.execute(
        f"""WITH found AS (SELECT start - start % {ROLLUPS[table]} AS start, venue, asset, side,
            sum(events) AS events, total(usd) AS usd FROM scanned GROUP BY 1, 2, 3, 4)
        SELECT count(*) FROM found s LEFT JOIN {table} r USING (start, venue, asset, side)
        WHERE r.events IS NULL OR r.events < s.events OR (r.events = s.events AND abs(r.usd - s.usd) > 0.005)"""
    ).fetchone()[0]
    summed, rows = (
        connection.execute(f"SELECT total(events) FROM {each}").fetchone()[0] for each in (table, "scanned")
    )
    detail = f"{wrong:,} periods differ, {summed:,.0f} events in {rows:,.0f} rows"
    return Finding("journal", "sums", table, not wrong and summed >= rows, detail)


def compare(tier: str, journal: Tallies, stored: Tallies, *, shared: bool) -> Iterator[Finding]:
    """What the journal holds against what `tier` does, by day, venue and side.

    `shared`: other journals feed it too, so that it may hold more.
    """
    for group in sorted(journal):
        have, want = stored.get(group, NOTHING), journal[group]
        more = shared and have.events > want.events and have.usd >= want.usd - 0.005
        ok = _agree(have, want) or more
        yield Finding(tier, "rows and dollars", " ".join(group), ok, _against(have, want))


def _agree(have: Tally, want: Tally) -> bool:
    # The same infinity is no difference: that it cannot be is for another rule to say.
    same = have.usd == want.usd or abs(have.usd - want.usd) < 0.005 * max(1.0, 1e-9 * want.usd)
    return have.events == want.events and same


def _against(have: Tally, want: Tally) -> str:
    return f"{have.events:,} rows of {want.events:,}, {have.usd:,.2f} USD of {want.usd:,.2f}"


async def check_store(sink: Sink, path: Path, now: int) -> list[Finding]:
    """What the store behind the journal at `path` holds of it. `now` is UTC nanoseconds."""
    try:
        found = await sink.look()
        tail = await asyncio.to_thread(JournalTail, path)
        try:
            return [Finding(sink.name, "answers", "", found.ready, found.words), *await _compared(sink, tail, now)]
        finally:
            tail.close()
    except SinkError as error:
        return [Finding(sink.name, "answers", "", False, str(error))]
    finally:
        await sink.close()


async def _compared(sink: Sink, tail: JournalTail, now: int) -> list[Finding]:
    mark = await sink.mark(tail.journal)
    seq = tail.resume(mark, sink.oldest(now))
    behind = tail.behind(seq)
    lag = 0.0 if behind.oldest is None else (now - behind.oldest) / 1e9
    detail = f"{behind.rows:,} rows to come, for {lag:,.0f} s"
    findings = [Finding(sink.name, "cursor", "", not behind.rows or lag < LATE, detail)]
    received = sink.oldest(now)
    # A minute's grace at the edge: what is just being trimmed there may be seen on one side only.
    received += 60 * 10**9 if received else 0
    stored = await sink.holds(received)
    findings.append(Finding(sink.name, "duplicates", "", not stored.doubled, f"{stored.doubled:,} keys more than once"))
    moved = await sink.mark(tail.journal) != mark
    shared = stored.journals > 1 or moved or tail.shortened()
    journal = tail.tallies(seq, received)
    return [*findings, *compare(sink.name, journal, stored.tallies, shared=shared)]
