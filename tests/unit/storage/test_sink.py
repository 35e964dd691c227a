from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

from liquake.errors import RowRefused, SinkDown
from liquake.model import Liquidation
from liquake.storage.archive import DAY
from liquake.storage.journal import Journal
from liquake.storage.schema import Row
from liquake.storage.sink import Follower, Look, Sink, SinkState
from liquake.storage.tail import JournalTail, Mark
from liquake.storage.tally import Holding
from tests.unit.storage.conftest import Store
from tests.unit.storage.events import START, every_kind, liquidation

Following = Callable[[Sink, Path], AbstractAsyncContextManager[Follower]]


def journal_of(path: Path, events: Sequence[Liquidation]) -> Path:
    """The journal at `path`, made or gone on with."""
    with Journal(path) as journal:
        journal.record(events)
    return path


def names(events: Sequence[Liquidation]) -> list[str]:
    return [f"{event.venue}|{event.key}" for event in events]


async def test_what_is_in_the_journal_is_in_the_sink_once_and_in_order(
    store: Store, following: Following, tmp_path: Path
) -> None:
    events = [liquidation(number) for number in range(1203)]
    path = journal_of(tmp_path / "journal.db", events)
    async with following(store.make(), path) as follower:
        await follower.drained()
        done = follower.statistics()
    assert await store.keys() == names(events)
    assert (done.written, done.duplicates, done.refused, done.trouble) == (1203, 0, 0, "")


async def test_events_without_a_size_and_other_kinds_do_no_harm(
    store: Store, following: Following, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record(every_kind())
    async with following(store.make(), path) as follower:
        await follower.drained()
    assert await store.keys() == names([event for event in every_kind() if isinstance(event, Liquidation)])


async def test_it_goes_on_from_where_it_was_and_follows_what_comes(
    store: Store, following: Following, tmp_path: Path
) -> None:
    first, later = [liquidation(n) for n in range(10)], [liquidation(n) for n in range(10, 30)]
    path = journal_of(tmp_path / "journal.db", first)
    async with following(store.make(), path) as follower:
        await follower.drained()
    with Journal(path) as journal:
        async with following(store.make(), path) as follower:
            await follower.drained()
            assert follower.statistics().written == 0
            journal.record(later)
            await journal.flushed()
            await follower.drained()
            done = follower.statistics()
    assert (done.written, done.duplicates) == (20, 0)
    assert await store.keys() == names(first + later)


async def test_the_same_events_in_two_journals_leave_one_copy(
    store: Store, following: Following, tmp_path: Path
) -> None:
    events = [liquidation(number) for number in range(40)]
    one = journal_of(tmp_path / "one.db", events[:30])
    two = journal_of(tmp_path / "two.db", events[10:])
    async with following(store.make(), one) as first, following(store.make(), two) as second:
        await first.drained()
        await second.drained()
        assert first.statistics().written + second.statistics().written == 40
    assert sorted(await store.keys()) == sorted(names(events))


async def test_rows_sent_again_are_dropped_and_the_cursor_moves_all_the_same(store: Store, tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(number) for number in range(5)])
    tail, sink = JournalTail(path), store.make()
    with closing(tail):
        rows = tail.after(0, 100)
    await sink.open()
    try:
        assert await sink.write("a", rows[:3]) == 3
        assert await sink.write("b", rows) == 2
        assert await sink.mark("a") == Mark(3, f"okx|{liquidation(2).key}")
        assert await sink.mark("b") == Mark(5, f"okx|{liquidation(4).key}")
        assert await sink.mark("c") is None
    finally:
        await sink.close()


async def test_a_journal_that_lost_its_last_commits_and_went_on_is_read_again(
    store: Store, following: Following, tmp_path: Path
) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(number) for number in range(10)])
    async with following(store.make(), path) as follower:
        await follower.drained()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM events WHERE seq > 6")
        connection.commit()
    journal_of(path, [liquidation(number) for number in range(20, 30)])
    async with following(store.make(), path) as follower:
        await follower.drained()
    assert await store.keys() == names([liquidation(n) for n in (*range(10), *range(20, 30))])


class Stubborn:
    """A sink that is down for the first two attempts, and can never hold some rows."""

    name, address, batch = "stubborn", "stub://here", 8

    def __init__(self, refused: set[int]) -> None:
        self.refused, self.held, self.attempts = refused, list[int](), 0

    async def open(self) -> str:
        self.attempts += 1
        if self.attempts <= 2:
            raise SinkDown(self.address, "it does not answer")
        return "stub"

    async def look(self) -> Look:
        return Look("stub", ready=True)

    async def close(self) -> None:
        pass

    def oldest(self, now: int) -> int:
        return 0

    async def holds(self, received: int) -> Holding:
        return Holding({}, 0, 1)

    async def mark(self, journal: str) -> Mark | None:
        return None

    async def prove(self, journal: str) -> None:
        pass

    async def write(self, journal: str, rows: Sequence[Row]) -> int:
        if any(row[0] in self.refused for row in rows):
            raise RowRefused(self.address, "no")
        self.held += [row[0] for row in rows]
        return len(rows)


async def test_a_row_that_can_never_be_stored_is_counted_and_does_not_hold_up_the_others(
    following: Following, tmp_path: Path
) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(number) for number in range(30)])
    sink = Stubborn({1, 13, 14, 30})
    async with following(sink, path) as follower:
        await follower.drained()
        done = follower.statistics()
    assert sink.held == [seq for seq in range(1, 31) if seq not in sink.refused]
    assert (done.written, done.refused) == (26, 4)


async def test_a_sink_that_is_down_says_why_and_is_caught_up_later(following: Following, tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(1)])
    sink = Stubborn(set())
    async with following(sink, path) as follower:
        while not follower.statistics().failures:
            await asyncio.sleep(0.01)
        down = follower.statistics()
        await follower.drained()
        while follower.statistics().state is not SinkState.FOLLOWING:
            await asyncio.sleep(0.01)
        well = follower.statistics()
    assert (down.state, down.trouble, down.cursor) == (SinkState.DOWN, "stub://here: it does not answer", None)
    assert (well.trouble, well.failures, well.cursor, well.found) == ("", 2, 1, "stub")


async def test_what_is_still_to_come_is_counted_while_a_sink_is_down(following: Following, tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(number) for number in range(7)])
    with closing(JournalTail(path)) as tail:
        behind = tail.behind(2)
        assert (behind.rows, behind.oldest) == (5, liquidation(2).ts_recv)
        assert tail.behind(7) == (0, None)


def test_after_a_long_absence_what_a_store_would_drop_at_once_is_not_sent(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", [liquidation(number) for number in range(10)])
    mark = Mark(2, f"okx|{liquidation(1).key}")
    with closing(JournalTail(path)) as tail:
        for oldest, seq in ((0, 2), (liquidation(1).ts_recv, 2), (liquidation(6).ts_recv, 6), (START + DAY, 10)):
            assert tail.resume(mark, oldest) == seq
        assert tail.resume(None, liquidation(6).ts_recv) == 6
        assert tail.resume(None, 0) == 0
