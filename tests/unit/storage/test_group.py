from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from liquake.engine.engine import Engine
from liquake.engine.snapshot import Moment, Snapshot
from liquake.model import Liquidation
from liquake.storage.check import check_store
from liquake.storage.current import SNAPSHOT, StateWriter
from liquake.storage.group import GROUP, LEASE, Analyst, read_entry
from liquake.storage.journal import Journal
from liquake.storage.redis import FED, FED_SECONDS, STREAM, RedisSink
from liquake.storage.schema import Row
from liquake.storage.sink import Follower, ended
from liquake.storage.tail import JournalTail
from tests.unit.storage.conftest import at_start, client_of
from tests.unit.storage.events import START, every_kind, liquidation


def rows_of(path: Path, events: list[Liquidation]) -> list[Row]:
    with Journal(path) as journal:
        journal.record(events)
    with closing(JournalTail(path)) as tail:
        return tail.after(0, 10_000)


class Member:
    """An analyst with an engine of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.begin()
        self.analyst = Analyst(url, name, self.begin, self.take, self.writer(url))
        self.task = asyncio.create_task(self.analyst.run())

    def writer(self, url: str) -> StateWriter:
        return StateWriter(url, self.moment, self.snapshot)

    def begin(self) -> None:
        self.engine, self.fresh = Engine({}), 0

    def take(self, event: Liquidation, fresh: bool) -> None:
        self.engine.apply(event)
        self.fresh += fresh

    def moment(self, markets: Sequence[str]) -> Moment:
        return self.engine.moment(START + 10**10, markets)

    def snapshot(self, markets: Sequence[str] | None = None, charts: Sequence[str] = ()) -> Snapshot:
        return self.engine.snapshot(START + 10**10, markets, charts)


async def test_one_is_at_work_and_another_takes_over_with_every_event(redis: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [liquidation(number) for number in range(40)])
    sink = RedisSink(redis)
    await sink.open()
    first, second = Member(redis, "first"), Member(redis, "second")
    try:
        async with asyncio.timeout(30.0):
            await sink.write("j", rows[:20])
            while first.snapshot().events + second.snapshot().events < 20:
                await asyncio.sleep(0.02)
            async with client_of(redis) as client:
                while (await client.xinfo_groups(STREAM))[0]["lag"] or (await client.xpending(STREAM, GROUP))[
                    "pending"
                ]:
                    await asyncio.sleep(0.02)
            working, waiting = (first, second) if first.analyst.leading else (second, first)
            await ended(working.task)
            await sink.write("j", rows[20:])
            while waiting.snapshot().events < 40:
                await asyncio.sleep(0.02)
            assert waiting.fresh == 20
            assert waiting.engine.statistics().duplicates == 0
            async with client_of(redis) as client:
                while (await client.xpending(STREAM, GROUP))["pending"]:
                    await asyncio.sleep(0.02)
    finally:
        await ended(first.task, second.task)
        await sink.close()


async def test_the_lease_of_one_that_died_without_a_word_runs_out(redis: str, tmp_path: Path) -> None:
    async with client_of(redis) as client:
        await client.set(LEASE, "dead", px=700)
        member = Member(redis, "heir")
        sink = RedisSink(redis)
        await sink.open()
        try:
            async with asyncio.timeout(30.0):
                await sink.write("j", rows_of(tmp_path / "j.db", [liquidation(1)]))
                assert await client.get(LEASE) == "dead"
                while member.snapshot().events < 1:
                    await asyncio.sleep(0.02)
                assert await client.get(LEASE) == "heir"
        finally:
            await ended(member.task)
            await sink.close()


async def test_an_entry_is_read_as_the_very_event(redis: str, tmp_path: Path) -> None:
    events = [event for event in every_kind() if isinstance(event, Liquidation)]
    sink = RedisSink(redis)
    await sink.open()
    await sink.write("j", rows_of(tmp_path / "j.db", events))
    await sink.close()
    async with client_of(redis) as client:
        assert [read_entry(fields) for _, fields in await client.xrange(STREAM)] == events


async def test_no_number_is_served_of_a_stream_that_nobody_feeds(redis: str, tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db"):
        pass
    member = Member(redis, "one")
    feeding = asyncio.create_task(Follower(RedisSink(redis), tmp_path / "j.db", at_start).run())
    try:
        async with client_of(redis) as client, asyncio.timeout(30.0):
            # Nothing comes, but somebody is there to pass it on.
            while not await client.exists(SNAPSHOT):
                await asyncio.sleep(0.02)
            assert 0 < await client.pttl(FED) <= FED_SECONDS * 1000
            await ended(feeding)
            # As time would.
            await client.delete(FED)
            while await client.exists(SNAPSHOT) or "nobody feeds the stream" not in member.analyst.trouble:
                await asyncio.sleep(0.02)
            assert member.analyst.leading
            feeding = asyncio.create_task(Follower(RedisSink(redis), tmp_path / "j.db", at_start).run())
            while not await client.exists(SNAPSHOT) or member.analyst.trouble:
                await asyncio.sleep(0.02)
    finally:
        await ended(member.task, feeding)


async def test_an_entry_of_another_version_is_said_and_not_left_out(redis: str) -> None:
    async with client_of(redis) as client:
        number = str(await client.xadd(STREAM, {"another": "version"}))
        member = Member(redis, "first")
        try:
            async with asyncio.timeout(30.0):
                while number not in member.analyst.trouble:
                    await asyncio.sleep(0.02)
                assert "use the same on both sides" in member.analyst.trouble
                await client.xdel(STREAM, number)
                while not member.analyst.leading:
                    await asyncio.sleep(0.02)
        finally:
            await ended(member.task)


async def test_check_says_that_the_stream_holds_an_entry_of_another_version(redis: str, tmp_path: Path) -> None:
    rows_of(tmp_path / "j.db", [])
    async with client_of(redis) as client:
        await client.xadd(STREAM, {"another": "version"})
    [*_, found] = await check_store(RedisSink(redis), tmp_path / "j.db", START)
    assert not found.ok
    assert "not of this version of liquake" in found.detail
