"""What the journal's tables hold, and how an event becomes a row and a row the same event again.

`seq` counts through `events`, `ledger` and `prices` together in order of receipt: merged by it they are what was
recorded, and as the integer primary key of `events` it is the cursor of whoever follows the journal. It has holes
where a duplicate was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from liquake.model import DecodeError, FeedStatus, Gap, Liquidation, Price, PriceBasis, PriceKind, Side

VERSION = 3
"""Of the schema; in SQLite's `user_version`. The second brought `minutes` and `hours`, the third `alerts` and `episodes`."""
APPLICATION_ID = 0x6C71756B
"""SQLite's mark of whose file it is: "lquk"."""

ROLLUPS = {"minutes": 60 * 1_000_000_000, "hours": 3600 * 1_000_000_000}
"""Tables of sums, and the nanoseconds of event time in each of their periods."""

ROLLUP_TABLES = tuple(
    f"""CREATE TABLE {table} (
        start INTEGER NOT NULL,
        venue TEXT NOT NULL,
        asset TEXT NOT NULL,
        side TEXT NOT NULL,
        events INTEGER NOT NULL,
        amount REAL NOT NULL,
        usd REAL NOT NULL,
        unsized INTEGER NOT NULL,
        PRIMARY KEY (start, venue, asset, side)
    ) WITHOUT ROWID"""
    for table in ROLLUPS
)
"""They outlive the rows they are sums of."""

TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        venue TEXT NOT NULL,
        key TEXT NOT NULL,
        instrument TEXT NOT NULL,
        asset TEXT NOT NULL,
        side TEXT NOT NULL,
        price REAL NOT NULL,
        price_basis TEXT NOT NULL,
        amount REAL,
        usd REAL,
        ts_event INTEGER NOT NULL,
        ts_recv INTEGER NOT NULL,
        size REAL,
        id TEXT,
        tags TEXT,
        frame INTEGER,
        UNIQUE (venue, key)
    )""",
    """CREATE TABLE frames (
        id INTEGER PRIMARY KEY,
        venue TEXT NOT NULL,
        connection TEXT NOT NULL,
        ts_recv INTEGER NOT NULL,
        frame BLOB NOT NULL
    )""",
    """CREATE TABLE ledger (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        venue TEXT NOT NULL,
        connection TEXT NOT NULL,
        ts INTEGER NOT NULL,
        detail TEXT NOT NULL
    )""",
    """CREATE TABLE prices (
        seq INTEGER PRIMARY KEY,
        venue TEXT NOT NULL,
        instrument TEXT NOT NULL,
        asset TEXT NOT NULL,
        kind TEXT NOT NULL,
        price REAL NOT NULL,
        ts_event INTEGER NOT NULL,
        ts_recv INTEGER NOT NULL
    )""",
)
"""Beside `ROLLUP_TABLES`. `tags` and `detail` are JSON.

Frames are kept as received: deflated one by one they would be a fifth to a third smaller, for more time than writing
them takes, and no longer readable with any SQLite shell."""

COLUMNS = (
    "seq",
    "venue",
    "key",
    "instrument",
    "asset",
    "side",
    "price",
    "price_basis",
    "amount",
    "usd",
    "ts_event",
    "ts_recv",
    "size",
    "id",
    "tags",
)
"""Of `events`, as whoever follows or exports the journal gets them. `size`, `id` and `tags` may be `None`."""

WIDTHS = {"events": 16, "frames": 5, "ledger": 6, "prices": 8}

FeedRecord = FeedStatus | Gap | DecodeError
Row = tuple[Any, ...]

_tags = msgspec.json.Decoder(tuple[str, ...])
_detail = msgspec.json.Decoder(FeedRecord)
_SIDES = {side.value: side for side in Side}
_BASES = {basis.value: basis for basis in PriceBasis}
_KINDS = {kind.value: kind for kind in PriceKind}


@cache
def insertion(table: str, rows: int) -> str:
    """The statement that puts `rows` rows into `table`."""
    one = f"({','.join('?' * WIDTHS[table])})"
    # Not OR IGNORE, which would swallow a row with a missing price as if it were a duplicate.
    conflict = " ON CONFLICT (venue, key) DO NOTHING" if table == "events" else ""
    return f"INSERT INTO {table} VALUES {','.join([one] * rows)}{conflict}"


FRESH = """CREATE TEMP TABLE fresh (
    start INTEGER, venue TEXT, asset TEXT, side TEXT, events INTEGER, amount REAL, usd REAL, unsized INTEGER
)"""
"""Sums per minute of the rows of one transaction: reading those rows once does for both tables of sums."""

_MINUTE = ROLLUPS["minutes"]

GATHER = f"""INSERT INTO fresh
    SELECT ts_event - ts_event % {_MINUTE}, venue, asset, side, count(*), total(amount), total(usd), count(*) - count(usd)
    FROM events WHERE seq BETWEEN ? AND ? GROUP BY 1, 2, 3, 4"""
"""Adds up the rows of `events` between two numbers, both included, into `fresh`."""


@cache
def rollup(table: str) -> str:
    """The statement that adds what is in `fresh` to the sums in `table`."""
    return f"""INSERT INTO {table}
        SELECT start - start % {ROLLUPS[table]} AS period, venue, asset, side, sum(events), sum(amount), sum(usd),
            sum(unsized)
        FROM fresh WHERE true GROUP BY period, venue, asset, side
        ON CONFLICT DO UPDATE SET events = events + excluded.events, amount = amount + excluded.amount,
            usd = usd + excluded.usd, unsized = unsized + excluded.unsized"""


def chunks(rows: list[Row], largest: int) -> Iterator[list[Row]]:
    """`rows` in pieces of `largest`, then of the powers of two below: few statement texts, so all stay prepared."""
    start, size = 0, largest
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


def event_row(seq: int, event: Liquidation, frame: int | None) -> Row:
    """A row of `events`."""
    return (
        seq,
        event.venue,
        event.key,
        event.instrument,
        event.asset,
        event.side.value,
        event.price,
        event.price_basis.value,
        event.amount,
        event.usd,
        event.ts_event,
        event.ts_recv,
        event.size,
        event.id,
        _json(event.tags) if event.tags else None,
        frame,
    )


def ledger_row(seq: int, record: FeedRecord) -> Row:
    """A row of `ledger`. A gap stands under the time at which it ended."""
    ts = record.end if isinstance(record, Gap) else record.ts
    kind = str(type(record).__struct_config__.tag)
    return seq, kind, record.venue, record.connection, ts, _json(record)


def price_row(seq: int, price: Price) -> Row:
    """A row of `prices`."""
    return (
        seq,
        price.venue,
        price.instrument,
        price.asset,
        str(price.kind),
        price.price,
        price.ts_event,
        price.ts_recv,
    )


def read_events(rows: Iterable[Row]) -> Iterator[tuple[int, Liquidation]]:
    """The liquidations in rows of `events`, each with its `seq`."""
    for (
        seq,
        venue,
        _,
        instrument,
        asset,
        side,
        price,
        basis,
        amount,
        usd,
        ts_event,
        ts_recv,
        size,
        told,
        tags,
        _,
    ) in rows:
        yield (
            seq,
            Liquidation(
                venue,
                instrument,
                asset,
                _SIDES[side],
                price,
                _BASES[basis],
                amount,
                usd,
                ts_event,
                ts_recv,
                size,
                told,
                _tags.decode(tags) if tags else (),
            ),
        )


def read_ledger(rows: Iterable[Row]) -> Iterator[tuple[int, FeedRecord]]:
    """The feed's states, gaps and errors in rows of `ledger`, each with its `seq`."""
    for seq, *_, detail in rows:
        yield seq, _detail.decode(detail)


def read_prices(rows: Iterable[Row]) -> Iterator[tuple[int, Price]]:
    """The prices in rows of `prices`, each with its `seq`."""
    for seq, venue, instrument, asset, kind, price, ts_event, ts_recv in rows:
        yield seq, Price(venue, instrument, asset, _KINDS[kind], price, ts_event, ts_recv)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
