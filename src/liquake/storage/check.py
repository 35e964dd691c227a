"""Whether what is stored can be true: each rule gives a finding per place it looked at."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from math import isfinite, log10
from pathlib import Path

import msgspec

from liquake.errors import ExportError, JournalError, SinkError
from liquake.model import DecodeError, Event, FeedStatus, Gap, Liquidation, Price, PriceBasis
from liquake.storage.archive import Archive
from liquake.storage.database import explain, open_to_read
from liquake.storage.reader import JournalReader
from liquake.storage.schema import ROLLUPS, VERSION
from liquake.storage.sink import Sink
from liquake.storage.tail import Books, JournalTail
from liquake.storage.tally import NOTHING, Tallies, Tally

SILENCE = 120.0
"""Seconds without anything from a venue that the ledger has to explain: its prices come every second."""
PRICE_AGE = 120.0
"""Seconds a price is of use to judge a liquidation by."""
PRICE_FACTOR = 2.0
"""How many times the market's price a liquidation's may be, or a fraction of it. A crash of 1,000 % is a unit."""
LARGEST = 2e9
"""Dollars above which a single liquidation is a unit gone wrong; the largest ever known was a tenth of that."""
LATE = 60.0
"""Seconds a store may be behind the journal."""
_BUNDLED = re.compile(r"10{3,8}|1M|^k")
_TOLERATED = 0.02
"""Decades: dollars may have been reckoned at another of the order's prices."""
_EARLIEST = 1_262_304_000_000_000_000
_CLOCKS = 3600 * 10**9
"""Nanoseconds a venue's clock may be ahead of ours."""


class Finding(msgspec.Struct, frozen=True):
    """What one rule found in one place."""

    tier: str
    """journal, redis or database."""
    rule: str
    place: str
    """Venue, day or table; empty for the whole tier."""
    ok: bool
    detail: str
    """What was counted, or what is wrong."""


def check_journal(path: Path, archive: Path | None = None) -> list[Finding]:
    """What the journal at `path` and what it left in `archive` (beside it by default) say of themselves.

    Raises `JournalError` where it cannot be opened.
    """
    findings = list(_check_file(path))
    try:
        findings += _check_days(path, path.parent / "archive" if archive is None else archive)
        with JournalReader(path) as reader:
            witness = Witness()
            for event in reader.events():
                witness.see(event)
            findings += witness.findings()
    except JournalError as error:
        # What can be read of a damaged file has been said; the rest cannot be.
        findings.append(Finding("journal", "reading", "", False, error.why))
    return findings


def _check_days(path: Path, archive: Path) -> Iterator[Finding]:
    """Rows and dollars by day, as they are kept, against the sums that were made when they came."""
    with JournalReader(path) as reader:
        journal, old = reader.journal, reader.schema < 2
    if old:
        return
    with closing(JournalTail(path)) as tail:
        books = tail.books()
    # Looked into afterwards: what has left the journal by then is in it.
    with Archive(archive, journal) as archived:
        try:
            left, doubled = archived.tallies(books.first), archived.doubled()
        except ExportError as error:
            yield Finding("archive", "files", "", False, error.why)
            return
    if archived.first < books.first:
        yield Finding("archive", "duplicates", "", not doubled, f"{doubled:,} rows more than once")
    yield from _weigh(books, left)


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


def _check_file(path: Path) -> Iterator[Finding]:
    connection = open_to_read(path)
    try:
        # All of one moment: it may be written while it is read.
        connection.execute("BEGIN")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        yield Finding("journal", "schema", "", version == VERSION, _version(version))
        damage = [row[0] for row in connection.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
        yield Finding("journal", "file", "", not damage, "; ".join(damage) or "sound")
        doubled = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM events NOT INDEXED GROUP BY venue, key HAVING count(*) > 1)"
        ).fetchone()[0]
        yield Finding("journal", "duplicates", "", not doubled, f"{doubled:,} keys more than once")
        if version >= 2:
            for table in ROLLUPS:
                yield _check_rollup(connection, table)
    except sqlite3.Error as error:
        yield Finding("journal", "file", "", False, explain(error))
    finally:
        connection.close()


def _version(held: int) -> str:
    mend = "" if held == VERSION else ": `liquake collect` brings it up to date"
    return f"version {held} of {VERSION}{mend}"


def _check_rollup(connection: sqlite3.Connection, table: str) -> Finding:
    """Sums against the rows of the days of which none has been deleted."""
    period = ROLLUPS[table]
    wrong = connection.execute(
        f"""WITH kept AS (SELECT min(seq) AS first FROM events),
        scanned AS (SELECT ts_event - ts_event % {period} AS start, venue, asset, side, count(*) AS events,
            total(usd) AS usd, min(seq) AS seq FROM events GROUP BY 1, 2, 3, 4)
        SELECT count(*) FROM scanned s LEFT JOIN {table} r USING (start, venue, asset, side)
        WHERE r.events IS NULL OR r.events < s.events OR (r.events = s.events AND abs(r.usd - s.usd) > 0.005)"""
    ).fetchone()[0]
    summed, rows = (connection.execute(f"SELECT total(events) FROM {table}").fetchone()[0], _count(connection))
    whole = summed >= rows
    return Finding(
        "journal",
        "sums",
        table,
        not wrong and whole,
        f"{wrong:,} periods differ, {summed:,.0f} events in {rows:,} rows",
    )


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


class Witness:
    """Sees every event in order of receipt, and remembers what cannot be."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._wrong: dict[str, Counter[str]] = {rule: Counter() for rule in ("values", "times", "units", "prices")}
        self._example: dict[tuple[str, str], str] = {}
        self._prices: dict[tuple[str, str], Price] = {}
        self._heard: dict[str, int] = {}
        self._silences: Counter[str] = Counter()
        self._recorded: Counter[str] = Counter()

    def see(self, event: Event) -> None:
        """Take `event` in."""
        if isinstance(event, Gap):
            self._recorded[event.venue] += 1
            self._heard[event.venue] = max(self._heard.get(event.venue, 0), event.end)
        elif isinstance(event, FeedStatus | DecodeError):
            # Whatever the ledger says at the end of a silence accounts for it: a reconnect, a restart, a stale feed.
            self._heard[event.venue] = max(self._heard.get(event.venue, 0), event.ts)
        else:
            self._hear(event.venue, event.ts_recv)
            if isinstance(event, Price):
                self._prices[event.venue, event.instrument] = event
            elif isinstance(event, Liquidation):
                self._judge(event)

    def _hear(self, venue: str, moment: int) -> None:
        before = self._heard.get(venue, moment)
        if moment - before > SILENCE * 1e9:
            self._silences[venue] += 1
            self._example.setdefault(("silence", venue), f"{(moment - before) / 1e9:,.0f} s until {moment}")
        self._heard[venue] = max(before, moment)

    def _judge(self, event: Liquidation) -> None:
        self._events[event.venue] += 1
        for rule, sound in (
            ("values", _values(event)),
            ("times", _EARLIEST <= event.ts_event <= event.ts_recv + _CLOCKS),
            ("units", _units(event)),
            ("prices", self._near_market(event)),
        ):
            if not sound:
                self._wrong[rule][event.venue] += 1
                self._example.setdefault((rule, event.venue), event.key)

    def _near_market(self, event: Liquidation) -> bool:
        price = self._prices.get((event.venue, event.instrument))
        # The entry of a position says nothing of the market at the time.
        if price is None or event.price_basis is PriceBasis.ENTRY or event.price <= 0.0 or price.price <= 0.0:
            return True
        if abs(event.ts_recv - price.ts_recv) > PRICE_AGE * 1e9:
            return True
        return 1.0 / PRICE_FACTOR <= event.price / price.price <= PRICE_FACTOR

    def findings(self) -> Iterator[Finding]:
        """What came of it, by rule and venue."""
        for rule, wrong in self._wrong.items():
            for venue, events in sorted(self._events.items()):
                example = f", the first is {self._example[rule, venue]}" if wrong[venue] else ""
                detail = f"{wrong[venue]:,} of {events:,} cannot be{example}"
                yield Finding("journal", rule, venue, not wrong[venue], detail)
        for venue in sorted(self._heard):
            silences, gaps = self._silences[venue], self._recorded[venue]
            example = f", the first {self._example['silence', venue]}" if silences else ""
            detail = f"{silences:,} silences that the ledger does not explain{example}; {gaps:,} gaps recorded"
            yield Finding("journal", "gaps", venue, not silences, detail)


def _values(event: Liquidation) -> bool:
    sizes = [event.price, *(size for size in (event.amount, event.usd) if size is not None)]
    return all(isfinite(size) and size > 0.0 for size in sizes) and (event.usd or 0.0) <= LARGEST


def _units(event: Liquidation) -> bool:
    """Whether dollars are coins times price: for each coin, or for each 1000 and more where the symbol says so."""
    if event.amount is None or event.usd is None or not _values(event):
        return True
    bundle = log10(event.amount * event.price / event.usd)
    named = _BUNDLED.search(event.instrument) is not None
    return abs(bundle) < _TOLERATED or (named and 2.9 < bundle < 8.1 and abs(bundle - round(bundle)) < _TOLERATED)


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
    seq = tail.resume(mark, 0)
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
