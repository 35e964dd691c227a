"""Opening the journal's file: one connection that may write, any number that may not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from liquake import __version__
from liquake.errors import JournalError
from liquake.storage import notes
from liquake.storage.schema import APPLICATION_ID, FRESH, GATHER, ROLLUP_TABLES, ROLLUPS, TABLES, VERSION, rollup

_LOCKED_AT_MOST = 0.25
"""Seconds to wait for another program's lock before it is reported; the journal tries again by itself."""
_WAL_KEPT = 64 * 1024 * 1024
CACHE_KIBIBYTES = 32 * 1024
_CHECKPOINT_PAGES = 4000
"""Of the log, before a commit copies them into the file: with SQLite's own 1000, that is a tenth of all writing in a
burst, and on a busy machine a quarter of its time."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """The connection that writes and checkpoints `path`, made with its tables where it is new.

    SQLite before 3.51.3 can corrupt the write-ahead log when one connection writes while another checkpoints: the
    caller holds the `WriterLock`, and every other connection is of `open_to_read`. `synchronous=NORMAL`: a commit
    survives the death of the process; the death of the machine can take those since the last checkpoint.
    Raises `JournalError`.
    """
    try:
        # The thread that opens it is not the one that writes.
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_LOCKED_AT_MOST)
    except sqlite3.Error as error:
        raise JournalError(path, explain(error)) from None
    with _closed_on_failure(connection, path):
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(FRESH)
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            _update(connection, _check(connection, path))
        else:
            _create(connection)
        # Whose cursor it is that a sink keeps: another journal at the same path must not go on from it.
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('id', lower(hex(randomblob(16))))")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT}")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that can neither write nor checkpoint `path`, for one thread at a time. Raises `JournalError`."""
    _check_readable(path)
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        # Without a log left behind and in a folder that cannot be written, SQLite has no place for its shared memory.
        # Nobody else can be writing there either.
        if not path.with_name(path.name + "-wal").exists():
            connection.close()
            connection = sqlite3.connect(
                address + "&immutable=1", uri=True, isolation_level=None, check_same_thread=False
            )
    except sqlite3.DatabaseError:
        pass  # what is wrong with it is said by the check
    with _closed_on_failure(connection, path):
        _check(connection, path)
    return connection


def _check_readable(path: Path) -> None:
    # Not by opening it: closing any descriptor of a journal that this process writes drops SQLite's locks.
    try:
        there = path.is_file()
    except PermissionError:
        there = True
    if not there:
        raise JournalError(path, "there is no such file: check the path")
    if not os.access(path, os.R_OK):
        raise JournalError(path, "it may not be read by this user: ask whoever it belongs to, or give another path")


def add_up(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Add the rows of `events` from number `first` to `last` to the sums per minute and hour."""
    connection.execute("DELETE FROM fresh")
    connection.execute(GATHER, (first, last))
    for table in ROLLUPS:
        connection.execute(rollup(table))


def explain(error: sqlite3.Error) -> str:
    """SQLite's complaint as the second half of a sentence, with the mend where there is one."""
    text = str(error)
    for found, meaning in (
        ("not a database", "it is not an SQLite database: give another path"),
        ("malformed", "it is damaged: move it away, and a new one is begun"),
        ("full", "the disk is full: make room, and writing goes on"),
        ("I/O error", "the disk does not take it: see that it has room and is sound, and writing goes on"),
        ("locked", "another program holds it locked: close that, and writing goes on"),
        ("readonly", "it cannot be written: give a path in a folder of yours"),
        ("unable to open", "it cannot be opened: give a path in a folder of yours"),
    ):
        if found in text:
            return meaning
    return text


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        connection.close()
        raise JournalError(path, explain(error)) from None
    except JournalError:
        connection.close()
        raise


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The version of its schema."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise JournalError(path, "it is empty: `liquake collect` begins a journal there")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise JournalError(path, "it is a database, but not a journal of liquake: give another path")
    if version > VERSION:
        raise JournalError(
            path,
            f"a newer liquake wrote it (schema {version}, this one knows {VERSION}): update, or give another path",
        )
    return int(version)


def _update(connection: sqlite3.Connection, version: int) -> None:
    """Bring a journal of an older liquake up to date: whole or not at all."""
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if version < 2:
        for table in ROLLUP_TABLES:
            connection.execute(table)
        add_up(connection, 0, 1 << 62)
    for table in notes.TABLES:
        connection.execute(table)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (str(VERSION),))
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for table in (*TABLES, *ROLLUP_TABLES, *notes.TABLES):
        connection.execute(table)
    connection.execute(
        "INSERT INTO meta VALUES ('schema', ?), ('liquake', ?), ('created', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        (str(VERSION), __version__),
    )
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")
