"""What stands behind the journal, and what keeps it fed.

A sink keeps its own cursor, moved with the rows in one step, and drops rows it holds already. Whatever dies at whatever
moment, going on from that cursor leaves each row in it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NamedTuple, ParamSpec, Protocol, TypeVar

import msgspec

from liquake.errors import JournalError, RowRefused, SinkError, SinkRefused
from liquake.storage.schema import Row
from liquake.storage.tail import JournalTail, Mark
from liquake.storage.tally import Holding

P = ParamSpec("P")
T = TypeVar("T")

POLL = 0.1
"""Seconds between two looks into a journal that had nothing new."""
MEASURE_EVERY = 1.0
"""Seconds between two counts of what is still to come."""
PROVE_EVERY = 5.0
"""Seconds after which a sink that had nothing to take is asked whether it is still there."""
RETRY_FIRST, RETRY_MOST = 0.25, 15.0
"""Seconds before the first attempt after a failure, and between two later ones."""

_CANCEL_AGAIN = 0.25
"""Seconds after which a task that was cancelled is cancelled again."""


class Look(NamedTuple):
    """What is there without anything having been made or changed."""

    words: str
    """As of `Sink.open`, and what `open` would do first."""
    ready: bool
    """Whether it would do nothing first."""


class Sink(Protocol):
    """One store behind the journal. Each call raises `SinkDown` or `SinkRefused` where it cannot be done."""

    name: str
    address: str
    """Where it is, without its password."""
    batch: int
    """Rows it takes best at once."""

    async def open(self) -> str:
        """Connect, and make or check what it stores into; what was found, in words. Leaves nothing open if it raises."""
        ...

    async def look(self) -> Look:
        """Connect to what is there already, and change nothing."""
        ...

    async def close(self) -> None:
        """Let the connection go; never raises."""
        ...

    async def mark(self, journal: str) -> Mark | None:
        """How far it has come in `journal`; `None` before its first row."""
        ...

    async def prove(self, journal: str) -> None:
        """See that it is still there, and let it know that somebody feeds it though nothing comes."""
        ...

    async def write(self, journal: str, rows: Sequence[Row]) -> int:
        """Store `rows` (as of `schema.COLUMNS`) and move the cursor of `journal` to the last of them, both or neither.

        How many were new. Raises `RowRefused` where one of them can never be stored.
        """
        ...

    async def holds(self, received: int) -> Holding:
        """What is in it of rows received at `received` (UTC nanoseconds) or later."""
        ...

    def oldest(self, now: int) -> int:
        """Rows received before this moment, UTC nanoseconds, are of no use to it; 0 where all are."""
        ...


class SinkState(StrEnum):
    """How a sink is doing."""

    CONNECTING = "CONNECTING"
    FOLLOWING = "FOLLOWING"
    """It holds everything but the last moments."""
    CATCHING_UP = "CATCHING UP"
    DOWN = "DOWN"


class SinkStatistics(msgspec.Struct, frozen=True):
    """How far a sink has come since this process began to feed it."""

    name: str
    address: str
    state: SinkState
    found: str
    """What kind of server answered; empty before the first answer."""
    cursor: int | None
    """The journal's `seq` of the last row it holds; `None` before the first answer."""
    written: int
    """Rows that were new to it."""
    duplicates: int
    """Rows it held already."""
    refused: int
    """Rows it can never hold."""
    behind: int | None
    """Rows still to come, counted up to 100,000; `None` before the first answer."""
    lag: float | None
    """Seconds since the first of them was received; `None` where none is to come."""
    failures: int
    """Attempts that failed, all told."""
    trouble: str
    """Why nothing goes in at present; empty while all is well."""


class Follower:
    """Feeds `sink` from the journal at `path`. `run` goes on through every failure of the sink until it is cancelled.

    Holds one batch in memory, however far the sink is behind. `now` tells the time, UTC nanoseconds.
    """

    def __init__(self, sink: Sink, path: Path, now: Callable[[], int], random: Random | None = None) -> None:
        self.sink, self._path, self._now = sink, path, now
        self._random = random or Random()
        self._state, self._found, self._trouble = SinkState.CONNECTING, "", ""
        self._cursor: int | None = None
        self._written = self._duplicates = self._refused = self._failures = 0
        self._behind: int | None = None
        self._oldest: int | None = None
        self._attempts = 0
        self._moved = asyncio.Event()
        # Of its own: a connection to the journal closed while another thread is still reading through it would crash.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{sink.name} reads")

    def statistics(self) -> SinkStatistics:
        """How far it has come."""
        return SinkStatistics(
            name=self.sink.name,
            address=self.sink.address,
            state=self._state,
            found=self._found,
            cursor=self._cursor,
            written=self._written,
            duplicates=self._duplicates,
            refused=self._refused,
            behind=self._behind,
            lag=None if self._oldest is None else max(0.0, (self._now() - self._oldest) / 1e9),
            failures=self._failures,
            trouble=self._trouble,
        )

    async def prove(self) -> None:
        """Open the sink once and close it again. Raises `SinkRefused` where only somebody's hand can help.

        One that is merely down is no reason not to begin.
        """
        try:
            self._found = await self.sink.open()
        except SinkRefused:
            raise
        except SinkError as error:
            self._trouble = str(error)
        finally:
            await self.sink.close()

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        measuring = asyncio.create_task(self._measure())
        try:
            while True:
                try:
                    await self._follow()
                except (SinkError, JournalError) as error:
                    self._fail(str(error))
                except Exception as error:  # whatever a client library may come up with: it must not end the feeding
                    self._fail(f"{self.sink.address}: {error!r}")
                finally:
                    await self.sink.close()
                await asyncio.sleep(self._delay())
        finally:
            measuring.cancel()
            with suppress(asyncio.CancelledError):
                await measuring
            self._thread.shutdown(wait=False)

    async def drained(self) -> None:
        """Return once everything committed to the journal before is in the sink."""
        newest = await self._read(_newest, self._path)
        while self._cursor is None or self._cursor < newest:
            self._moved.clear()
            await self._moved.wait()

    async def _read(self, call: Callable[P, T], *arguments: P.args, **_: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _fail(self, trouble: str) -> None:
        self._state, self._trouble = SinkState.DOWN, trouble
        self._failures += 1

    def _delay(self) -> float:
        # Half of it at random: all collectors of a desk see the same server come back.
        ceiling = min(RETRY_MOST, RETRY_FIRST * 2.0 ** min(self._attempts, 20))
        self._attempts += 1
        return ceiling * (0.5 + 0.5 * self._random.random())

    async def _follow(self) -> None:
        tail = await self._read(JournalTail, self._path)
        try:
            self._found = await self.sink.open()
            mark = await self.sink.mark(tail.journal)
            self._move(await self._read(tail.resume, mark, self.sink.oldest(self._now())))
            await self.sink.prove(tail.journal)
            self._trouble = ""
            await self._feed(tail)
        finally:
            await self._read(tail.close)

    async def _feed(self, tail: JournalTail) -> None:
        assert self._cursor is not None
        proved, rows = self._now(), await self._page(tail, self._cursor)
        while True:
            if rows:
                rows = await self._pass_on(tail, rows)
            else:
                self._state, self._behind, self._oldest = SinkState.FOLLOWING, 0, None
                if abs(self._now() - proved) < PROVE_EVERY * 1e9:
                    await asyncio.sleep(POLL)
                    rows = await self._page(tail, self._cursor)
                    continue
                await self.sink.prove(tail.journal)
            # Not before the server has done something: one that takes the connection and drops it is down all the same.
            self._attempts, proved = 0, self._now()

    async def _pass_on(self, tail: JournalTail, rows: Sequence[Row]) -> Sequence[Row]:
        """Store `rows`, and read those behind them meanwhile."""
        full = len(rows) == self.sink.batch
        self._state = SinkState.CATCHING_UP if full else SinkState.FOLLOWING
        cursor = rows[-1][0]
        ahead = asyncio.ensure_future(self._page(tail, cursor))
        try:
            await self._write(tail.journal, rows)
        except BaseException:
            await asyncio.gather(ahead, return_exceptions=True)
            raise
        self._move(cursor)
        return await ahead

    async def _page(self, tail: JournalTail, cursor: int) -> Sequence[Row]:
        return await self._read(tail.after, cursor, self.sink.batch)

    def _move(self, cursor: int) -> None:
        self._cursor = cursor
        self._moved.set()

    async def _write(self, journal: str, rows: Sequence[Row]) -> None:
        """Store `rows`. One that can never be stored is found by halving, counted and left out."""
        try:
            new = await self.sink.write(journal, rows)
        except RowRefused:
            if len(rows) == 1:
                self._refused += 1
                return
            middle = len(rows) // 2
            await self._write(journal, rows[:middle])
            await self._write(journal, rows[middle:])
            return
        self._written += new
        self._duplicates += len(rows) - new

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            cursor = self._cursor
            if cursor is None:
                continue
            with suppress(JournalError):
                behind = await self._read(_behind, self._path, cursor)
                if cursor == self._cursor:
                    self._behind, self._oldest = behind


def _newest(path: Path) -> int:
    tail = JournalTail(path)
    try:
        return tail.newest()
    finally:
        tail.close()


def _behind(path: Path, cursor: int) -> tuple[int, int | None]:
    tail = JournalTail(path)
    try:
        return tail.behind(cursor)
    finally:
        tail.close()


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel `tasks` and wait for their end, whatever they end with.

    More than once where it takes that: until Python 3.12 `asyncio.wait_for`, on which redis-py stands, loses a
    cancellation that comes at the moment an answer does (https://github.com/python/cpython/issues/86296).
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        done, waiting = await asyncio.wait(waiting, timeout=_CANCEL_AGAIN)
        for task in done:
            if not task.cancelled():
                task.exception()
