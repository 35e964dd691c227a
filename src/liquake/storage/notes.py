"""What was concluded from the events, beside them in the journal: alerts, episodes, and how the numbers are being made."""

from __future__ import annotations

import sqlite3

import msgspec

from liquake.engine.snapshot import Episode
from liquake.model.alert import Alert
from liquake.storage.schema import Row

TABLES = (
    """CREATE TABLE alerts (
        key TEXT PRIMARY KEY,
        ts INTEGER NOT NULL,
        rule TEXT NOT NULL,
        level INTEGER NOT NULL,
        market TEXT NOT NULL,
        side TEXT,
        venue TEXT NOT NULL,
        sent INTEGER NOT NULL,
        detail TEXT NOT NULL
    )""",
    "CREATE INDEX alerts_ts ON alerts (ts)",
    """CREATE TABLE episodes (
        key TEXT PRIMARY KEY,
        market TEXT NOT NULL,
        side TEXT NOT NULL,
        start INTEGER NOT NULL,
        last INTEGER NOT NULL,
        "end" INTEGER,
        events INTEGER NOT NULL,
        usd REAL NOT NULL,
        detail TEXT NOT NULL
    )""",
    "CREATE INDEX episodes_last ON episodes (last)",
)
"""They outlive the rows they were concluded from. `detail` is the whole of each as JSON; `sent` whether an alert was
within the day's budget."""

_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert)
_episode = msgspec.json.Decoder(Episode)


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How the process that writes the journal makes its numbers, so that another may make the same ones."""

    recalled: int
    """The `seq` of the first row that its engine was told of: what it knew when it began."""
    first: int
    """The `seq` of the first row of its own."""
    started: int
    """UTC nanoseconds."""
    mode: str
    """LIVE or DEMO."""
    exchanges: tuple[str, ...]
    symbols: tuple[str, ...] = ()
    samples: bool = False
    models: str = ""
    """Where its own cascade models are."""


Note = Alert | Episode | Course

_course = msgspec.json.Decoder(Course)

_ALERT = "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_EPISODE = (
    "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last = excluded.last,"
    ' "end" = excluded."end", events = excluded.events, usd = excluded.usd, detail = excluded.detail'
)
_COURSE = "INSERT OR REPLACE INTO meta VALUES ('course', ?)"


def put(connection: sqlite3.Connection, note: Note) -> None:
    """Write `note`: an alert once, an episode anew, a course in place of the one before."""
    if isinstance(note, Alert):
        connection.execute(_ALERT, alert_row(note))
    elif isinstance(note, Episode):
        connection.execute(_EPISODE, episode_row(note))
    else:
        connection.execute(_COURSE, (_encode(note).decode(),))


def alert_row(alert: Alert) -> Row:
    """A row of `alerts`."""
    return (
        alert.key,
        alert.ts,
        str(alert.rule),
        int(alert.level),
        alert.market,
        None if alert.side is None else str(alert.side),
        alert.venue,
        int(alert.within_budget),
        _encode(alert).decode(),
    )


def episode_row(episode: Episode) -> Row:
    """A row of `episodes`."""
    return (
        episode.key,
        episode.market,
        str(episode.side),
        episode.start,
        episode.last,
        episode.end,
        episode.events,
        episode.usd,
        _encode(episode).decode(),
    )


def read_alert(detail: str) -> Alert:
    """The alert whose `detail` it is."""
    return _alert.decode(detail)


def read_episode(detail: str) -> Episode:
    """The episode whose `detail` it is."""
    return _episode.decode(detail)


def read_course(text: str) -> Course:
    """The course in `meta`."""
    return _course.decode(text)
