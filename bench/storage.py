"""Journal, Redis and PostgreSQL under load, each beside its bare client in the same run.

    python bench/storage.py [--events N] [--rows N] [--seconds N] [--totals N] [--keys] [--markets N ...]

Starts its own servers (from the development requirements). `--rows` are those of a journal whose totals are asked for
and that an empty database then catches up with: 3,600,000 are an hour's outage at 1,000 events a second. `--totals
10000000` asks for the totals of so many rows and does nothing else; `--keys` asks how old the keys of the moment get
under 10,000 events a second, of 7 markets and of 500, while a screen looks at one of them, and how long one turn of the
event loop is held up meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.engine import liquidations as poisson
from bench.journal import liquidations
from tests.servers import Postgres, Valkey

from liquake.app import SWITCH_EVERY
from liquake.engine.engine import Engine
from liquake.garbage import collected
from liquake.model import Liquidation, market_of
from liquake.storage.current import SNAPSHOT, StateWriter
from liquake.storage.journal import Journal
from liquake.storage.reader import JournalReader
from liquake.storage.redis import RedisSink, entry
from liquake.storage.schema import Row
from liquake.storage.sink import Follower, Sink, ended
from liquake.storage.tail import JournalTail
from liquake.storage.timescale import TimescaleSink
from liquake.storage.wanted import CHARTS, want

_MONTH = 1_757_376_000_000_000_000
_FRAME = 100
"""Events applied in one turn of the loop, however many are due: no socket brings more at once."""


@contextmanager
def servers(folder: Path) -> Iterator[tuple[str, str]]:
    """URLs of an empty Redis and an empty PostgreSQL."""
    for name in ("redis", "database"):
        (folder / name).mkdir()
    redis, database = Valkey(folder / "redis"), Postgres(folder / "database")
    redis.start()
    database.start()
    try:
        yield redis.url, database.url
    finally:
        redis.stop()
        database.stop()


def recent(events: list[Liquidation]) -> list[Liquidation]:
    """`events` moved so that the last of them is of this moment."""
    by = time.time_ns() - events[-1].ts_recv
    return [
        msgspec.structs.replace(event, ts_event=event.ts_event + by, ts_recv=event.ts_recv + by) for event in events
    ]


async def rate(count: int, work: Awaitable[object]) -> float:
    """Of `count` things a second."""
    started = time.perf_counter()
    await work
    return count / (time.perf_counter() - started)


async def fed(sink: Sink, path: Path, count: int) -> float:
    """Rows a second from the journal into `sink`, from nothing to everything."""
    follower = Follower(sink, path, time.time_ns)
    await follower.prove()
    running = asyncio.create_task(follower.run())
    try:
        rows = await rate(count, follower.drained())
        if follower.statistics().written != count:
            raise SystemExit(f"{follower.statistics()} is not {count} rows")
        return rows
    finally:
        await ended(running)


async def bare_redis(url: str, rows: list[Row]) -> float:
    """Entries a second of pipelined XADD, the fields ready made."""
    made = [dict(zip(fields[::2], fields[1::2], strict=True)) for fields in map(entry, rows)]

    async def work(client: Any) -> None:
        for start in range(0, len(made), RedisSink.batch):
            sending = client.pipeline(transaction=False)
            for fields in made[start : start + RedisSink.batch]:
                sending.xadd("bare", fields)
            await sending.execute()

    client: Any = Redis.from_url(url)
    async with client:
        return await rate(len(rows), work(client))


async def bare_postgres(url: str, rows: list[Row]) -> float:
    """Rows a second of INSERT .. SELECT unnest .. ON CONFLICT DO NOTHING into a table without partitions."""
    connection = await asyncpg.connect(url)
    columns = (
        "venue",
        "key",
        "instrument",
        "asset",
        "side",
        "price",
        "basis",
        "amount",
        "usd",
        "at",
        "recv",
        "size",
        "id",
    )
    types = ("text",) * 5 + ("float8", "text", "float8", "float8", "bigint", "bigint", "float8", "text")
    declared = ", ".join(f"{name} {kind}" for name, kind in zip(columns, types, strict=True))
    await connection.execute(f"CREATE TABLE bare ({declared}, UNIQUE (at, venue, key))")
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
    statement = f"INSERT INTO bare SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"
    size = TimescaleSink.batch
    batches = [list(zip(*rows[at : at + size], strict=True))[1:14] for at in range(0, len(rows), size)]

    async def work() -> None:
        for batch in batches:
            await connection.execute(statement, *batch)

    try:
        return await rate(len(rows), work())
    finally:
        await connection.close()


# Ages by the server's own clock at the moment of reading: how long the reader takes to hear of them is no age.
_AGES = """
local time, now, oldest = redis.call('TIME'), 0, 0
now = time[1] + time[2] / 1e6
for place = 2, #KEYS do
    local written = redis.call('HGET', KEYS[place], 'written')
    if not written then return false end
    oldest = math.max(oldest, now - written / 1e9)
end
local whole = string.match(redis.call('GETRANGE', KEYS[1], 0, 99), '"now":(%d+)')
if not whole then return false end
return {tostring(oldest), tostring(now - whole / 1e9)}
"""


async def ages(url: str, path: Path, events: list[Liquidation], per_second: int, seconds: float) -> None:
    """Print how old the keys of the moment were whenever they were looked at under `per_second` events."""
    engine = Engine({})
    follower = Follower(RedisSink(url), path, time.time_ns)
    writer = StateWriter(
        url,
        lambda markets: engine.moment(time.time_ns(), markets),
        lambda markets, charts: engine.snapshot(time.time_ns(), markets, charts),
    )
    seen: list[tuple[float, float]] = []
    turns: list[float] = []
    client: Any = Redis.from_url(url)
    markets = sorted({market_of(event.asset) for event in events})
    with Journal(path) as journal:
        running = [asyncio.create_task(work) for work in (follower.run(), writer.run(), collected())]
        tasks = _look(client, markets, seen), _turn(turns), _attach(client, markets[-1])
        looking = [asyncio.create_task(task) for task in tasks]
        started, used, sent = time.perf_counter(), time.process_time(), 0
        while (elapsed := time.perf_counter() - started) < seconds:
            due = int(elapsed * per_second)
            now = time.time_ns()
            batch = [
                msgspec.structs.replace(each, ts_event=now, ts_recv=now)
                for each in events[sent : min(due, sent + _FRAME)]
            ]
            for event in batch:
                engine.apply(event)
            journal.record(batch)
            sent += len(batch)
            await asyncio.sleep(0.0 if sent < due else 0.01)
        lag = follower.statistics().lag
        share = (time.process_time() - used) / elapsed
        await ended(*looking, *running)
        await client.aclose()
    print(f"keys of {len(markets)} markets, {sent / seconds:,.0f} events/s applied, {share:.2f} of a core")
    if not seen:
        raise SystemExit(f"no key was seen {writer.trouble}")
    for name, each in zip(("oldest hash", "snapshot"), zip(*seen, strict=True), strict=False):
        print(f"  age of the {name:<12} {_spread(each)}")
    print(f"  a turn of the loop      {_spread(turns)}")
    print(f"  seen {len(seen)} times, stream {lag or 0.0:.2f} s behind")
    if writer.trouble:
        raise SystemExit(writer.trouble)


def _spread(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and largest, in milliseconds."""
    ordered = sorted(seconds)
    rarely = ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    return f"median {statistics.median(ordered) * 1e3:>4.0f} ms, p99 {rarely * 1e3:>4.0f} ms, most {ordered[-1] * 1e3:>4.0f} ms"


async def _look(client: Any, markets: list[str], seen: list[tuple[float, float]]) -> None:
    """The oldest of all hashes, and the snapshot, once every market has its own."""
    keys = [SNAPSHOT, "regime:current", *(f"velocity:{market}:current" for market in ("ALL", *markets))]
    script = client.register_script(_AGES)
    while True:
        await asyncio.sleep(0.02)
        if (found := await script(keys=keys)) is not None:
            oldest, whole = map(float, found)
            seen.append((oldest, whole))


async def _attach(client: Any, market: str) -> None:
    """As a screen that looks at the charts of a market which need not be among the largest."""
    while True:
        await want(client, [market, f"{CHARTS}{market}"])
        await asyncio.sleep(1.0)


async def _turn(turns: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        await asyncio.sleep(0)
        turns.append(loop.time() - begun)
        await asyncio.sleep(0.002)


def write_month(path: Path, rows: int) -> None:
    """A journal of `rows` over thirty days."""
    step = 30 * 86_400 * 1_000_000_000 // rows
    # Dollars that no binary fraction is: sums of others are exact in whatever order.
    patterns = [
        msgspec.structs.replace(event, amount=0.137, price=event.price * 84.127, usd=event.price * 84.127 * 0.137)
        for event in liquidations(100_000)
    ]
    with Journal(path, capacity=1_000_000) as journal:
        for start in range(0, rows, len(patterns)):
            now = _MONTH + start * step
            journal.record(
                [
                    msgspec.structs.replace(event, id=str(start + n), ts_event=now + n * step, ts_recv=now + n * step)
                    for n, event in enumerate(patterns[: rows - start])
                ]
            )
            journal.flush()


def print_totals(path: Path, rows: int) -> None:
    """Totals by venue, side and coin, from the sums and from the rows themselves."""
    with JournalReader(path) as reader:
        (asked, totals), (scanned, rows_themselves) = timed(reader.totals), timed(reader.scanned)
    worst = max(abs(total.usd - rows_themselves[group].usd) for group, total in totals.items())
    print(f"totals of {rows:,} rows: {asked:.3f} s from the sums, {scanned:.2f} s from the rows, {worst:.6f} USD apart")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


async def measure_keys(url: str, folder: Path, seconds: float, markets: Sequence[int]) -> None:
    """Print the ages of the keys of few markets, and of as many as in each of `markets`."""
    count = int(10_000 * (seconds + 1))
    sys.setswitchinterval(SWITCH_EVERY)
    await ages(url, folder / "busy.db", liquidations(count), 10_000, seconds)
    for number in markets:
        await ages(url, folder / f"wide-{number}.db", list(poisson(count, number, 10_000.0)), 10_000, seconds)


async def only_keys(folder: Path, seconds: float, markets: Sequence[int]) -> None:
    """`measure_keys` on a server of its own."""
    with servers(folder) as (redis, _):
        await measure_keys(redis, folder, seconds, markets)


async def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Print every figure."""
    events = recent(liquidations(arguments.events))
    path = folder / "journal.db"
    with Journal(path, capacity=len(events)) as journal:
        started = time.perf_counter()
        journal.record(events)
        journal.flush()
        print(f"journal                     {len(events) / (time.perf_counter() - started):>10,.0f} events/s")
    with closing(JournalTail(path)) as tail:
        rows = tail.after(0, len(events))
    with servers(folder) as (redis, database):
        for name, sink, bare in (
            ("Redis stream", RedisSink(redis), await bare_redis(redis, rows)),
            ("PostgreSQL", TimescaleSink(database), await bare_postgres(database, rows)),
        ):
            got = await fed(sink, path, len(events))
            print(f"{name:<28}{got:>10,.0f} rows/s   {got / bare:.2f} of the bare client's {bare:,.0f}")
        await measure_keys(redis, folder, arguments.seconds, arguments.markets)
        large = folder / "large.db"
        write_month(large, arguments.rows)
        print_totals(large, arguments.rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        got = await fed(TimescaleSink(database), large, arguments.rows)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"caught up with {arguments.rows:,} rows at {got:,.0f} rows/s, {grown:.0f} MB more memory")


def main() -> None:
    """Measure with the arguments given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--totals", type=int, default=0)
    parser.add_argument("--keys", action="store_true")
    parser.add_argument("--markets", type=int, nargs="+", default=(500,), help="of the keys, beside 7")
    arguments = parser.parse_args()
    if arguments.keys:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(only_keys(Path(folder), arguments.seconds, arguments.markets))
        return
    if arguments.totals:
        with tempfile.TemporaryDirectory() as folder:
            write_month(Path(folder) / "journal.db", arguments.totals)
            print_totals(Path(folder) / "journal.db", arguments.totals)
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), arguments))


if __name__ == "__main__":
    main()
