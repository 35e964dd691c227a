"""`liquake collect` as a service manager sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from liquake.model import Liquidation
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader
from liquake.storage.redis import STREAM
from tests.processes import collect, endpoints
from tests.servers import Postgres, Valkey, free_port
from tests.unit.storage.events import liquidation


async def log_until(process: asyncio.subprocess.Process, event: str, **fields: str) -> list[dict[str, Any]]:
    """The lines of its log up to one of `event` with `fields`."""
    assert process.stderr is not None
    lines: list[dict[str, Any]] = []
    while not (lines and lines[-1]["event"] == event and fields.items() <= lines[-1].items()):
        line = await process.stderr.readline()
        assert line, lines
        lines.append(json.loads(line))
    return lines


def rows(journal: Path) -> int:
    with JournalReader(journal) as reader:
        return reader.counts()["events"]


async def test_a_collector_drains_at_sigterm_and_exits_well(tmp_path: Path) -> None:
    journal, server = tmp_path / "journal.db", Valkey(tmp_path)
    server.start()
    simulation = Simulation(seed=3, venues=["okx", "bybit"], rate=100.0)
    try:
        async with simulation.serve() as addresses:
            told = {"LIQUAKE_ENDPOINTS": endpoints(addresses), "LIQUAKE_REDIS": server.url}
            async with collect("--exchanges", "okx", "bybit", "--journal", str(journal), **told) as process:
                await log_until(process, "feed", venue="okx", state="SUBSCRIBED")
                while len([event for event in simulation.published if event.subscribed]) < 100:
                    await asyncio.sleep(0.05)
                process.send_signal(signal.SIGTERM)
                last = (await log_until(process, "stopped"))[-1]
                assert await process.wait() == 0
    finally:
        server.stop()
    kept = rows(journal)
    assert kept > 0
    assert last["journal"]["rows"] == kept
    assert [(store["written"], store["behind"], store["trouble"]) for store in last["stores"]] == [(kept, 0, "")]


async def test_a_store_that_is_not_there_is_no_reason_not_to_collect(tmp_path: Path) -> None:
    simulation = Simulation(seed=3, venues=["okx"], rate=100.0)
    async with simulation.serve() as addresses:
        told = {"LIQUAKE_ENDPOINTS": endpoints(addresses), "LIQUAKE_REDIS": f"redis://:s3cret@127.0.0.1:{free_port()}"}
        journal = tmp_path / "journal.db"
        async with collect("--exchanges", "okx", "--journal", str(journal), **told) as process:
            lines = await log_until(process, "store", store="redis", state="DOWN")
            while not rows(journal):
                await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            lines += await log_until(process, "stopped with rows still to send")
            assert await process.wait() == 0
    assert "s3cret" not in json.dumps(lines)


async def test_a_password_that_is_wrong_ends_it_with_one_sentence(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--requirepass", "right")
    server.start()
    url = f"redis://:s3cret@127.0.0.1:{server.port}"
    try:
        async with collect(
            "--exchanges", "okx", "--journal", str(tmp_path / "journal.db"), LIQUAKE_REDIS=url
        ) as process:
            out, err = await process.communicate()
    finally:
        server.stop()
    assert process.returncode == 1
    assert out == b""
    assert err.decode().splitlines() == [err.decode().strip()]
    assert "correct the URL" in err.decode()
    assert "s3cret" not in err.decode()


async def test_an_address_that_cannot_be_is_a_usage_error(tmp_path: Path) -> None:
    arguments = ("--journal", str(tmp_path / "journal.db"), "--database", "mysql://me:s3cret@host/name")
    async with collect(*arguments) as process:
        _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode().startswith("liquake: database 'mysql://me@host/name': give an address like postgresql://")
    assert "s3cret" not in err.decode()


async def test_days_that_cannot_be_archived_stay_and_the_log_says_why(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    journal, archive = tmp_path / "journal.db", tmp_path / "archive"
    with Journal(journal) as old:
        old.record([liquidation(1)])
    archive.write_text("a file where a folder should be")
    arguments = ("--exchanges", "okx", "--journal", str(journal), "--keep", "1d")
    async with collect(*arguments, LIQUAKE_ENDPOINTS="okx=http://127.0.0.1:9") as process:
        last = (await log_until(process, "store", store="window", state="FAILED"))[-1]
        process.send_signal(signal.SIGTERM)
        await log_until(process, "stopped")
    assert last["trouble"].startswith(f"cannot export {archive}/venue=okx/day=2025-10-09/")
    assert rows(journal) == 1


async def test_of_two_collectors_of_which_one_is_killed_each_event_is_in_the_stores_once(tmp_path: Path) -> None:
    for name in ("redis", "database"):
        (tmp_path / name).mkdir()
    redis, database = Valkey(tmp_path / "redis"), Postgres(tmp_path / "database")
    redis.start()
    database.start()
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    simulation = Simulation(seed=3, venues=["okx", "bybit"], rate=100.0)
    try:
        async with simulation.serve() as addresses:
            told = {
                "LIQUAKE_ENDPOINTS": endpoints(addresses),
                "LIQUAKE_REDIS": redis.url,
                "LIQUAKE_DATABASE": database.url,
            }
            venues = ("--exchanges", "okx", "bybit", "--journal")
            async with collect(*venues, str(one), **told) as first, collect(*venues, str(two), **told) as second:
                for process in (first, second):
                    await log_until(process, "feed", venue="okx", state="SUBSCRIBED")
                await rows_in(one, two)
                first.kill()
                await first.wait()
                # What it had not passed on yet is sent by the next that writes its journal.
                async with collect(*venues, str(one), **told) as third:
                    await log_until(third, "feed", venue="okx", state="SUBSCRIBED")
                    await rows_in(two, more=100)
                    for process in (second, third):
                        process.send_signal(signal.SIGTERM)
                        await log_until(process, "stopped")
                        assert await process.wait() == 0
            journals = [keys_of(path) for path in (one, two)]
            stream, table = await stored(redis.url, database.url)
    finally:
        redis.stop()
        database.stop()
    assert journals[0] & journals[1]
    assert stream == table == Counter(journals[0] | journals[1])


async def rows_in(*journals: Path, more: int = 50) -> None:
    """Return when each of `journals` has `more` rows than it has now."""
    counts = [rows(journal) for journal in journals]
    while any(rows(journal) < count + more for journal, count in zip(journals, counts, strict=True)):
        await asyncio.sleep(0.1)


def keys_of(journal: Path) -> set[str]:
    with JournalReader(journal) as reader:
        return {f"{event.venue}|{event.key}" for event in reader.events() if isinstance(event, Liquidation)}


async def stored(redis: str, database: str) -> tuple[Counter[str], Counter[str]]:
    """Venue and key of what is in the stream and in the table, with how often it is there."""
    client: Any = Redis.from_url(redis, decode_responses=True)
    async with client:
        stream = Counter(f"{fields['venue']}|{fields['key']}" for _, fields in await client.xrange(STREAM))
    connection = await asyncpg.connect(database)
    try:
        held = await connection.fetch("SELECT venue, key FROM liquake.liquidations")
    finally:
        await connection.close()
    return stream, Counter(f"{row['venue']}|{row['key']}" for row in held)


async def test_a_second_analyst_takes_over_from_one_that_is_killed(tmp_path: Path) -> None:
    server = Valkey(tmp_path)
    server.start()
    started = {"command": "analyze", "LIQUAKE_REDIS": server.url}
    try:
        async with collect(**started) as first:
            await log_until(first, "at work")
            async with collect(**started) as second:
                await log_until(second, "waiting")
                first.kill()
                await log_until(second, "at work")
                second.send_signal(signal.SIGTERM)
                assert await second.wait() == 0
    finally:
        server.stop()


FITTING = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from liquake.app import _stand_back

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_stand_back)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


async def test_a_run_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "fitting.py"
    script.write_text(FITTING)
    run = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    assert run.stdout is not None
    assert int(await run.stdout.readline()) != run.pid
    run.kill()
    # Whoever holds the pipe open is still there.
    async with asyncio.timeout(30.0):
        await run.communicate()
