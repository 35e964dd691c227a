"""The journal: every liquidation, the frames that carried them, the feeds' history and the prices, in one file."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import platformdirs

from liquake.engine.snapshot import Episode
from liquake.errors import JournalError
from liquake.model import DecodeError, Event, FeedStatus, Gap, Liquidation, Price, PriceKind
from liquake.model.alert import Alert
from liquake.storage.database import explain
from liquake.storage.notes import Course
from liquake.storage.writer import UNSTORABLE, Carrier, Entry, Writer

COMMIT_EVERY = 0.05
"""Seconds between two commits while there is something to write."""
COMMIT_LARGEST = 4096
"""Events in one commit at most: a burst is safe piece by piece, not once it is over."""
RETRY_EVERY = 1.0
"""Seconds between two attempts while writing fails."""
PRICE_EVERY = 1_000_000_000
"""Nanoseconds between two prices kept of one stream."""
CAPACITY = 200_000
"""Events held in memory at most while they cannot be written."""
FRAME_BYTES = 32 * 1024 * 1024
"""Bytes of frames held in memory at most."""


def default_path() -> Path:
    """The journal in the user's data folder."""
    return platformdirs.user_data_path("liquake", appauthor=False) / "journal.db"


class JournalStatistics(msgspec.Struct, frozen=True):
    """What became of what was recorded since the journal was opened."""

    rows: int
    """Liquidations written."""
    duplicates: int
    """Liquidations that were there already."""
    pending: int
    """Events of every kind, not yet committed."""
    committed: int
    """Events of every kind that are safe from the death of this process, duplicates included."""
    dropped: int
    """Events given up because too many were pending."""
    dropped_frames: int
    """Frames given up for the same reason; the events in them were kept."""
    refused: int
    """Events that no table can hold: a price that is not a number, a time beyond 64 bits."""
    commit_age: float | None
    """Seconds since the last commit; `None` before the first."""
    commit_latency: float
    """Seconds the last commit took."""
    bytes: int
    """Size on disk, the write-ahead log included."""
    trouble: str
    """Why nothing can be written at present, with the mend; empty while all is well."""


class Journal:
    """The one writer of the journal at `path`; made with its folder where it is new.

    `record` costs the event loop an append; a thread of its own writes, a commit every 50 ms. It never blocks: what
    cannot be written is held until `capacity` events or `frame_bytes` bytes of frames are pending. Beyond that, frames
    go first and events after them, the newest, each counted. A failing disk stops nothing: `statistics().trouble` says
    so, and writing is tried again each second.

    Raises `JournalError` when it cannot be opened. `record`, `flush` and `close` are called from one thread.
    """

    def __init__(self, path: Path, *, capacity: int = CAPACITY, frame_bytes: int = FRAME_BYTES) -> None:
        self.path = path
        self._capacity, self._frame_bytes = capacity, frame_bytes
        self._writer = Writer(path)

        # Each of these numbers has one writer: first those of the recording thread, then those of the writing one.
        self._offered = self._offered_bytes = self._dropped = self._dropped_frames = 0
        self._settled = self._settled_bytes = self._attempts = 0
        self._rows = self._duplicates = self._refused = 0
        self._trouble = ""
        self._forget = 0
        self._committed_at: float | None = None
        self._commit_latency = 0.0

        self._noted: dict[str, Episode] = {}
        self._priced: dict[tuple[str, str, PriceKind], int] = {}
        self._pending: deque[Entry] = deque()
        self._closing = False
        self._work, self._hurry = threading.Event(), threading.Event()
        self._attempted = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, events: Sequence[Event], frame: bytes | str | None = None, connection: str = "") -> None:
        """Take `events` in; `frame` is what carried them on `connection`, kept if a liquidation was in it.

        Of each price stream one price a second is kept, of quotes and trades none.
        """
        carrier: Carrier | None = None
        for event in events:
            if isinstance(event, Liquidation):
                weight = 0
                if frame is not None and self._has_place():
                    carrier = self._carrier(Carrier(event.venue, connection, event.ts_recv, frame))
                    weight, frame = len(frame) if carrier else 0, None
                self._offer(Entry(event, carrier, weight))
            elif isinstance(event, Price):
                if self._due(event):
                    self._offer(Entry(event))
            elif isinstance(event, FeedStatus | Gap):
                self._offer(Entry(event))
            elif isinstance(event, DecodeError):
                self._offer(self._error(event))

    def note(self, alerts: Iterable[Alert], episodes: Iterable[Episode]) -> None:
        """Keep `alerts`, and of `episodes` (all that are known) those that are not what they were the last time."""
        for alert in alerts:
            self._offer(Entry(alert))
        known = {episode.key: episode for episode in episodes}
        for key, episode in known.items():
            if self._noted.get(key) != episode:
                self._offer(Entry(episode))
        self._noted = known

    def begin(self, course: Course) -> None:
        """Say how the numbers are made from here on: read by screens of other processes."""
        self._offer(Entry(course))

    @property
    def newest(self) -> int:
        """The `seq` of the last row when the journal was opened, for before anything is recorded."""
        return self._writer.newest

    def statistics(self) -> JournalStatistics:
        """What became of what was recorded."""
        age = None if self._committed_at is None else time.monotonic() - self._committed_at
        return JournalStatistics(
            rows=self._rows,
            duplicates=self._duplicates,
            pending=self._offered - self._settled,
            committed=self._settled - self._refused,
            dropped=self._dropped,
            dropped_frames=self._dropped_frames,
            refused=self._refused,
            commit_age=age,
            commit_latency=self._commit_latency,
            bytes=sum(_size(self.path.with_name(self.path.name + suffix)) for suffix in ("", "-wal")),
            trouble=self._trouble,
        )

    def flush(self) -> None:
        """Return when everything recorded before is committed. Raises `JournalError` when it cannot be."""
        target, before = self._offered, self._attempts
        with self._attempted:
            self._hurry.set()
            self._work.set()
            while self._settled < target:
                if self._trouble and self._attempts > before:
                    raise JournalError(self.path, self._trouble)
                if not self._thread.is_alive():
                    raise JournalError(self.path, "its writer has stopped: start liquake again")
                self._attempted.wait(1.0)

    def forget(self, seq: int) -> None:
        """Have the rows before `seq` deleted, a little after each commit. Their sums stay."""
        self._forget = max(self._forget, seq)
        self._work.set()

    async def flushed(self) -> None:
        """`flush` without holding up the event loop."""
        await asyncio.to_thread(self.flush)

    def close(self) -> None:
        """Commit what is pending and let the file go. Raises `JournalError` when not all could be committed."""
        if self._closing:
            return
        self._closing = True
        self._hurry.set()
        self._work.set()
        self._thread.join()
        lost = self._offered - self._settled
        self._writer.close()
        if lost:
            raise JournalError(self.path, f"{lost} events were lost at the end: {self._trouble}")

    # The recording thread.

    def _has_place(self) -> bool:
        return self._offered - self._settled < self._capacity and not self._closing

    def _offer(self, entry: Entry) -> None:
        if not self._has_place():
            self._dropped += 1
            return
        self._offered += 1
        self._offered_bytes += entry.weight
        self._pending.append(entry)
        if not self._work.is_set():
            self._work.set()

    def _carrier(self, carrier: Carrier) -> Carrier | None:
        return carrier if self._has_room(len(carrier.frame)) else None

    def _error(self, error: DecodeError) -> Entry:
        if self._has_room(len(error.frame)):
            return Entry(error, None, len(error.frame))
        return Entry(msgspec.structs.replace(error, frame=b""))

    def _has_room(self, size: int) -> bool:
        """Whether a frame of `size` bytes may be kept; one that may not is counted."""
        room = self._offered_bytes - self._settled_bytes + size <= self._frame_bytes
        self._dropped_frames += not room
        return room

    def _due(self, price: Price) -> bool:
        stream = price.venue, price.instrument, price.kind
        kept = self._priced.get(stream)
        # Absolute: a clock that was set back must not silence the stream until it has caught up.
        if kept is not None and abs(price.ts_recv - kept) < PRICE_EVERY:
            return False
        self._priced[stream] = price.ts_recv
        return True

    # The writing thread.

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:
            self._attempt(f"its writer has stopped ({error!r}): start liquake again")
            raise

    def _write(self) -> None:
        held: list[Entry] = []
        while True:
            self._work.wait()
            self._hurry.wait(RETRY_EVERY if held else COMMIT_EVERY)
            closing = self._closing
            self._work.clear()
            self._hurry.clear()
            held.extend(self._pending.popleft() for _ in range(len(self._pending)))
            held = self._store(held)
            if closing:
                return
            if held or self._forgotten():
                self._work.set()

    def _forgotten(self) -> bool:
        """Delete a few of the rows that are to go; whether there are more."""
        seq = self._forget
        if not seq:
            return False
        try:
            if self._writer.forget(seq):
                return True
        except sqlite3.Error as error:
            self._attempt(explain(error))
            return True
        if seq == self._forget:
            self._forget = 0
        return False

    def _store(self, entries: list[Entry]) -> list[Entry]:
        """Commit `entries`, and hand back what cannot be written at present."""
        size = COMMIT_LARGEST
        while entries:
            part = entries[:size]
            try:
                self._commit(part)
            except UNSTORABLE:
                if len(part) > 1:
                    size = len(part) // 2
                    continue
                self._refused += 1
            except sqlite3.Error as error:
                self._attempt(explain(error))
                break
            entries = entries[len(part) :]
            size = COMMIT_LARGEST
            self._settle(part)
        return entries

    def _commit(self, entries: list[Entry]) -> None:
        started = time.perf_counter()
        written = self._writer.commit(entries)
        self._commit_latency = time.perf_counter() - started
        self._committed_at = time.monotonic()
        self._rows += written.rows
        self._duplicates += written.duplicates

    def _settle(self, entries: list[Entry]) -> None:
        self._settled_bytes += sum(entry.weight for entry in entries)
        self._settled += len(entries)
        self._attempt("")

    def _attempt(self, trouble: str) -> None:
        with self._attempted:
            self._trouble = trouble
            self._attempts += 1
            self._attempted.notify_all()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
