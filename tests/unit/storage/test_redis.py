from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import RedisCluster

from liquake.analytics.features import Component
from liquake.analytics.regime import Regime, RegimeState
from liquake.analytics.signals import Digest, Notification
from liquake.analytics.volatility import Trend
from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Moment, Risk, Snapshot
from liquake.errors import SettingError, SinkDown, SinkRefused
from liquake.model import Liquidation, Side
from liquake.model.alert import Alert, AlertRule, Level
from liquake.storage.current import (
    ALERTS,
    LARGEST,
    LEASE,
    SIGNALS,
    SNAPSHOT,
    SnapshotReader,
    StateWriter,
    cascade,
    regime,
)
from liquake.storage.journal import Journal
from liquake.storage.redis import CURSORS, KEYS, STREAM, RedisSink, check, connect, disconnect
from liquake.storage.sink import ended
from liquake.storage.tail import JournalTail
from liquake.storage.wanted import CHARTS, want
from tests.servers import Valkey, free_port, until
from tests.unit.engine.events import COVERAGES, NOON
from tests.unit.engine.events import liquidation as settled
from tests.unit.storage.conftest import client_of
from tests.unit.storage.events import every_kind, liquidation


def rows_of(path: Path, events: list[Liquidation]) -> list[tuple[object, ...]]:
    with Journal(path) as journal:
        journal.record(events)
    with closing(JournalTail(path)) as tail:
        return tail.after(0, 1000)


@asynccontextmanager
async def opened(url: str, keep: float = 86_400.0) -> AsyncIterator[RedisSink]:
    sink = RedisSink(url, keep=keep)
    await sink.open()
    try:
        yield sink
    finally:
        await sink.close()


def snapshot() -> Snapshot:
    engine = Engine(COVERAGES)
    for number in range(60):
        engine.apply(settled(number / 10.0))
    return engine.snapshot(NOON + 7_000_000_000)


def moment(told: Snapshot | None = None) -> Moment:
    """The same, of its motion and risk; or of those of `told`."""
    engine = Engine(COVERAGES)
    for number in range(60):
        engine.apply(settled(number / 10.0))
    found = engine.moment(NOON + 7_000_000_000)
    if told is None:
        return found
    return msgspec.structs.replace(found, risks=told.risks, regime=told.regime, notices=told.notices)


def moments(markets: Sequence[str]) -> Moment:
    """The same, whichever markets are asked for."""
    return moment()


def snapshots(markets: Sequence[str], charts: Sequence[str]) -> Snapshot:
    return snapshot()


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[StateWriter]:
    writer = StateWriter(url, moments, snapshots)
    task = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(20.0):
            yield writer
    finally:
        await ended(task)


async def test_an_entry_has_every_field_and_leaves_out_what_is_not_known(redis: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [event for event in every_kind() if isinstance(event, Liquidation)])
    async with opened(redis) as sink, client_of(redis) as client:
        await sink.write("j", rows)
        (_, first), (_, unsized), _ = await client.xrange(STREAM)
    event = liquidation(1)
    assert first == {
        "venue": "okx",
        "instrument": "BTC-USDT-SWAP",
        "asset": "BTC",
        "market": "BTCUSDT",
        "side": "LONG",
        "price": "4100.0",
        "price_basis": "BANKRUPTCY",
        "amount": "0.125",
        "usd": "512.5",
        "ts_event": str(event.ts_event),
        "ts_recv": str(event.ts_recv),
        "key": event.key,
        "size": "1.0",
    }
    assert "usd" not in unsized
    assert "amount" not in unsized


async def test_entries_and_the_memory_of_their_keys_are_trimmed_by_age_together(redis: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [liquidation(number) for number in range(3)])
    async with opened(redis, keep=0.3) as sink, client_of(redis) as client:
        assert await sink.write("j", rows[:2]) == 2
        assert await sink.write("j", rows[:2]) == 0
        await asyncio.sleep(0.4)
        assert await sink.write("j", rows[2:]) == 1
        assert await client.xlen(STREAM) == await client.zcard(KEYS) == 1


async def test_a_cluster_takes_everything_that_is_written(cluster: str, tmp_path: Path) -> None:
    rows = rows_of(tmp_path / "j.db", [liquidation(number) for number in range(3)])
    async with opened(cluster) as sink:
        assert await sink.write("j", rows) == 3
        assert await sink.mark("j") is not None
    async with writing(cluster) as writer, RedisCluster.from_url(cluster) as client:
        while not await client.exists(SNAPSHOT):
            await asyncio.sleep(0.02)
        assert writer.trouble == ""
        assert await client.hget("velocity:BTCUSDT:current", "60s_events") is not None
        assert await client.xlen(STREAM) == 3
        assert await client.hlen(CURSORS) == 1
        assert writer.writing


async def test_a_cluster_passes_messages_on(cluster: str) -> None:
    async with client_of(cluster) as client, client.pubsub() as subscription, writing(cluster) as writer:
        await subscription.subscribe(ALERTS)
        writer.tell(ALERT)
        assert (await next_message(subscription))["key"] == ALERT.key


async def test_the_state_of_a_market_can_be_read_and_is_gone_with_its_writer(redis: str) -> None:
    now = snapshot()
    async with client_of(redis) as client:
        async with writing(redis):
            while not await client.exists(SNAPSHOT):
                await asyncio.sleep(0.02)
            held = await client.hgetall("velocity:BTCUSDT:current")
            assert await client.exists("velocity:ALL:current")
        row = now.kinematics["BTCUSDT"][2]
        assert row.events > 0
        assert held["2s_events"] == str(row.events)
        assert float(held["2s_velocity"]) == pytest.approx(row.counts.velocity.value)
        assert float(held["2s_usd_jerk_error"]) == pytest.approx(row.dollars.jerk.error)
        assert int(held["time"]) == now.as_of
        for key in ("velocity:BTCUSDT:current", "velocity:ALL:current", SNAPSHOT):
            assert 0 < await client.pttl(key) <= 3000


async def test_an_attached_screen_gets_the_very_snapshot(redis: str) -> None:
    client, _ = await connect(redis)
    reader = SnapshotReader()
    try:
        assert await reader.read(client) is None
        async with writing(redis):
            while (held := await reader.read(client)) is None:
                await asyncio.sleep(0.02)
            assert await reader.read(client) is held
        later = msgspec.structs.replace(held, now=held.now + 1)
        await client.set(SNAPSHOT, msgspec.json.encode(later), px=60_000)
        assert await reader.read(client) == later
        await client.eval("return redis.call('DEL', KEYS[1])", 1, SNAPSHOT)
        assert await reader.read(client) is None
    finally:
        await disconnect(client)
    assert held == snapshot()


ALERT = Alert(
    key="k1",
    rule=AlertRule.CASCADE,
    level=Level.WARNING,
    ts=NOON,
    market="BTCUSDT",
    side=Side.LONG,
    text="BTCUSDT long liquidations: 20 %",
    inputs={"probability": 0.2},
    coverage="bybit",
)


async def next_message(subscription: Any) -> Any:
    """The next message, decoded; `None` after half a second without one."""
    for _ in range(2):
        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=0.5)
        if message is not None:
            return json.loads(message["data"])
    return None


async def test_an_alert_reaches_who_subscribed_with_every_field_it_has(redis: str) -> None:
    async with client_of(redis) as client, client.pubsub() as subscription, writing(redis) as writer:
        await subscription.subscribe(ALERTS)
        writer.tell(ALERT)
        while (message := await next_message(subscription)) is None:
            pass
    assert msgspec.convert(message, Alert) == ALERT
    assert (message["rule"], message["level"], message["side"]) == ("CASCADE", 2, "LONG")


def said_by(name: str, markets: Sequence[str], charts: Sequence[str]) -> Snapshot:
    """The snapshot of an engine that can be told from another's."""
    return msgspec.structs.replace(snapshot(), markets=(name,))


async def who_writes(client: Any) -> str:
    held = await client.get(SNAPSHOT)
    return "" if held is None else msgspec.json.decode(held, type=Snapshot).markets[0]


@pytest.mark.parametrize("ending", ["cancelled", "killed"])
async def test_of_two_writers_one_writes_and_the_other_takes_over_before_the_keys_are_gone(
    redis: str, ending: str
) -> None:
    first, second = (StateWriter(redis, moments, partial(said_by, name)) for name in ("first", "second"))
    async with client_of(redis) as client, client.pubsub() as subscription, asyncio.timeout(30.0):
        await subscription.subscribe(ALERTS)
        writing = asyncio.create_task(first.run())
        while not first.writing:
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(second.run())
        try:
            for writer in (first, second):
                writer.tell(ALERT)
            assert (await next_message(subscription))["key"] == ALERT.key
            seen = set()
            for _ in range(30):
                seen.add(await who_writes(client))
                await asyncio.sleep(0.02)
            assert seen == {"first"}
            assert (second.writing, second.trouble) == (False, "")
            if ending == "killed":
                # What a process that is gone leaves behind: a lease that nobody renews.
                await ended(writing)
                await client.set(LEASE, "a dead one", px=1500)
            else:
                await ended(writing)
            second.tell(msgspec.structs.replace(ALERT, key="k2"))
            while not second.writing:
                assert await who_writes(client)
                await asyncio.sleep(0.02)
            while await who_writes(client) != "second":
                await asyncio.sleep(0.02)
            # What the first had told of is not told again, what came after it is.
            assert (await next_message(subscription))["key"] == "k2"
            assert await next_message(subscription) is None
        finally:
            await ended(writing, waiting)


async def test_a_wrong_password_is_refused_in_one_sentence_without_it(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--requirepass", "right")
    server.start()
    try:
        for url in (f"redis://:wr0ng@127.0.0.1:{server.port}", f"redis://127.0.0.1:{server.port}"):
            with pytest.raises(SinkRefused, match="correct the URL") as raised:
                await RedisSink(url).open()
            assert "wr0ng" not in str(raised.value)
            assert "\n" not in str(raised.value)
    finally:
        server.stop()


async def test_a_server_that_cannot_write_to_its_disk_is_down_with_the_mend(tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    server = Valkey(tmp_path, "--appendonly", "no", "--save", "3600 1000000", "--dir", str(place))
    server.start()
    sink = RedisSink(server.url)
    try:
        shutil.rmtree(place)
        server.ask("BGSAVE")
        until(lambda: "rdb_last_bgsave_status:err" in server.ask("INFO", "persistence"))
        with pytest.raises(
            SinkDown, match=r"it cannot write to its disk \(.*\): make room there, and writing goes on$"
        ):
            await sink.open()
    finally:
        await sink.close()
        server.kill()


async def test_a_server_that_is_not_there_is_down() -> None:
    with pytest.raises(SinkDown, match=r"^redis://127\.0\.0\.1:\d+: "):
        await RedisSink(f"redis://:s3cret@127.0.0.1:{free_port()}").open()


def test_an_address_with_an_option_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(SettingError, match="redis://user:password@host:6379") as raised:
        check("redis://:s3cret@host?socket_timeout=soon")
    assert "s3cret" not in str(raised.value)


def watched() -> Snapshot:
    """A snapshot with everything that a trader may be told of a market."""
    notice = Notification("k", "BTCUSDT", Side.LONG, Level.WARNING, NOON, 0.4, 0.3, "burst", within_budget=True)
    digest = Digest("k", "BTCUSDT", Side.LONG, NOON, NOON + 9, Level.WARNING, 0.5, right=True)
    risks = tuple(
        Risk(
            *("BTCUSDT", side, horizon, NOON, Level.WATCH, NOON, 1e6, ""),
            probability=probability,
            base_rate=0.01,
            contributions={Component.BURST: 0.7, Component.SELF_EXCITATION: -0.1},
        )
        for side, horizon, probability in (
            (Side.LONG, 60.0, 0.2),
            (Side.SHORT, 60.0, 0.1),
            (Side.LONG, 300.0, 0.6),
            (Side.SHORT, 300.0, None),
        )
    )
    state = RegimeState(
        *(Regime.VOLATILE, NOON, 0.9, "volatility", {}, 2.5, 4, 0.8, None, Trend.DOWN, 1.0, 0.0, 60, 7200.0),
    )
    return msgspec.structs.replace(snapshot(), risks=risks, regime=state, notices=(notice, digest))


def test_the_whole_snapshot_comes_back_from_its_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(watched()), type=Snapshot) == watched()


def test_the_likelier_side_of_the_shortest_horizon_is_the_probability_of_a_market() -> None:
    (held,) = cascade(moment(watched()))
    fields = held.fields
    assert held.key == "cascade:probability:BTCUSDT"
    assert (fields["side"], fields["horizon"], fields["probability"], fields["level"]) == ("LONG", 60.0, 0.2, 1)
    assert (fields["short_60s_probability"], fields["long_300s_probability"]) == (0.1, 0.6)
    assert (fields["burst"], fields["long_60s_self-excitation"]) == (0.7, -0.1)
    assert "short_300s_probability" not in fields


def test_what_the_regime_does_not_know_is_not_there() -> None:
    (told,) = regime(moment(watched()))
    fields = told.fields
    assert told.key == "regime:current"
    assert (fields["level"], fields["name"], fields["multiplier"], fields["trend"]) == (3, "VOLATILE", 2.5, "DOWN")
    assert "liquidity" not in fields
    held = watched().regime
    assert held is not None
    young = msgspec.structs.replace(held, level=None, since=None, multiplier=None)
    (of_young,) = regime(msgspec.structs.replace(moment(watched()), regime=young))
    fresh = of_young.fields
    assert fresh["name"] == "WARMING UP"
    assert {"level", "since", "multiplier"}.isdisjoint(fresh)
    assert list(regime(msgspec.structs.replace(moment(), regime=None))) == []


async def test_a_new_signal_is_published_once(redis: str) -> None:
    now = [snapshot()]
    writer = StateWriter(redis, lambda markets: moment(now[0]), lambda markets, charts: now[0])
    async with client_of(redis) as client, client.pubsub() as subscription, asyncio.timeout(20.0):
        await subscription.subscribe(SIGNALS)
        task = asyncio.create_task(writer.run())
        try:
            while not await client.exists(SNAPSHOT):
                await asyncio.sleep(0.02)
            now[0] = watched()
            said: list[str] = []
            while len(said) < 2:
                message = await subscription.get_message(ignore_subscribe_messages=True, timeout=1.0)
                said += [] if message is None else [json.loads(message["data"])["type"]]
            again = await subscription.get_message(ignore_subscribe_messages=True, timeout=0.5)
        finally:
            await ended(task)
    assert said == ["notification", "digest"]
    assert again is None


async def test_a_writer_whose_snapshots_take_long_ends_when_it_is_told_to(redis: str) -> None:
    def slow(markets: Sequence[str]) -> Moment:
        # Longer than `ended` waits before it cancels once more, so that each time the answer is there too.
        time.sleep(0.3)
        return moment()

    writer = StateWriter(redis, slow, snapshots)
    task = asyncio.create_task(writer.run())
    async with asyncio.timeout(20.0):
        while not writer.writing:
            await asyncio.sleep(0.01)
        await ended(task)
    assert task.done()


async def test_a_snapshot_that_takes_long_is_left_out_of_some_writings(redis: str) -> None:
    made: list[str] = []

    def quick(markets: Sequence[str]) -> Moment:
        # Of the two of each writing, one to know what there is.
        if markets:
            made.append("moment")
        return moment()

    def long(markets: Sequence[str], charts: Sequence[str]) -> Snapshot:
        made.append("snapshot")
        time.sleep(0.1)
        return snapshot()

    writer = StateWriter(redis, quick, long)
    task = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(30.0), client_of(redis) as client:
            while "moment moment snapshot" not in " ".join(made):
                await asyncio.sleep(0.02)
            assert await client.exists(SNAPSHOT)
    finally:
        await ended(task)


def at_work(writer: StateWriter) -> bool:
    """Whether it writes, and all is well."""
    return writer.writing and not writer.trouble


async def test_a_writer_says_of_a_server_that_stands_still_that_it_does_not_answer(
    redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liquake.storage.current.PATIENCE", 0.3)
    async with writing(redis) as writer, client_of(redis) as client:
        while not at_work(writer):
            await asyncio.sleep(0.01)
        await client.client_pause(1500)
        while "does not answer" not in writer.trouble:
            await asyncio.sleep(0.01)
        while not at_work(writer):
            await asyncio.sleep(0.01)


def said(writer: StateWriter) -> str:
    """How old its keys become, in a word."""
    if writer.age is None:
        return "unknown"
    return "in time" if writer.behind is None else "late" if writer.behind == writer.age > 0.3 else "wrong"


async def test_every_market_has_its_hash_and_the_snapshot_those_that_are_large_or_wanted(redis: str) -> None:
    engine, now = Engine(COVERAGES), NOON + 7_000_000_000
    for number in range(230):
        engine.apply(settled(number / 100.0, asset=f"C{number}", usd=1e6 - number))
    whole = engine.snapshot(now)
    smallest = whole.markets[-1]
    writer = StateWriter(redis, partial(engine.moment, now), partial(engine.snapshot, now))
    task = asyncio.create_task(writer.run())
    asking, _ = await connect(redis)
    try:
        async with asyncio.timeout(30.0), client_of(redis) as client:
            while not await client.exists(SNAPSHOT):
                await asyncio.sleep(0.02)
            for market in (ALL, *whole.markets):
                held = await client.hget(f"velocity:{market}:current", "2s_velocity")
                assert float(held) == whole.kinematics[market][2].counts.velocity.value
            told = msgspec.json.decode(await client.get(SNAPSHOT), type=Snapshot)
            assert set(told.kinematics) == {ALL, *whole.markets[:LARGEST]}
            assert told.activity == whole.activity
            assert told.markets == whole.markets
            await want(asking, [smallest, "NONEUSDT", ALL, f"{CHARTS}{smallest}", f"{CHARTS}NONEUSDT"])
            while not (told := msgspec.json.decode(await client.get(SNAPSHOT), type=Snapshot)).charts:
                await asyncio.sleep(0.02)
    finally:
        await ended(task)
        await disconnect(asking)
    assert set(told.kinematics) == {ALL, *whole.markets[:LARGEST], smallest}
    assert told.kinematics[smallest] == whole.kinematics[smallest]
    assert set(told.charts) == {smallest}


async def test_markets_that_come_later_are_written_too_and_nothing_is_late_for_it(redis: str) -> None:
    engine, now = Engine(COVERAGES), NOON + 7_000_000_000
    writer = StateWriter(redis, partial(engine.moment, now), partial(engine.snapshot, now))
    task = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(30.0), client_of(redis) as client:
            for number in range(300):
                engine.apply(settled(number / 100.0, asset=f"C{number}"))
                if number % 100 == 99:
                    while not await client.exists(f"velocity:C{number}USDT:current"):
                        await asyncio.sleep(0.02)
            while writer.age is None:
                await asyncio.sleep(0.02)
            # Ages of parts that there are no more would stay.
            pause = writer.age
            while writer.age == pause:
                await asyncio.sleep(0.02)
    finally:
        await ended(task)


async def test_a_snapshot_that_becomes_old_is_behind_as_a_hash_is(redis: str) -> None:
    def long(markets: Sequence[str], charts: Sequence[str]) -> Snapshot:
        time.sleep(0.2)
        return snapshot()

    writer = StateWriter(redis, moments, long)
    task = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(30.0):
            # It has its share of the time, and no more.
            while writer.behind is None or writer.behind < 0.5:
                await asyncio.sleep(0.02)
    finally:
        await ended(task)


async def test_a_writer_says_how_old_its_keys_become(redis: str) -> None:
    pause = [0.0]

    def paused(markets: Sequence[str]) -> Moment:
        time.sleep(pause[0])
        return moment()

    writer = StateWriter(redis, paused, snapshots)
    task = asyncio.create_task(writer.run())
    try:
        async with asyncio.timeout(30.0):
            while said(writer) != "in time":
                await asyncio.sleep(0.02)
            pause[0] = 0.3
            while said(writer) != "late":
                await asyncio.sleep(0.02)
    finally:
        await ended(task)
    assert writer.age is None


async def test_a_writer_that_has_no_snapshot_to_write_says_so_and_goes_on_when_there_is_one(redis: str) -> None:
    broken = [True]

    def sometimes(markets: Sequence[str]) -> Moment:
        if broken[0]:
            raise ArithmeticError("of an estimator")
        return moment()

    writer = StateWriter(redis, sometimes, snapshots)
    task = asyncio.create_task(writer.run())
    async with asyncio.timeout(20.0):
        while "of an estimator" not in writer.trouble:
            await asyncio.sleep(0.01)
        broken[0] = False
        while not writer.writing or writer.trouble:
            await asyncio.sleep(0.01)
        await ended(task)
