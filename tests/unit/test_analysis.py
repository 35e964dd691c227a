"""An engine on the stream of another machine's collector."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from liquake.analysis import Analysis
from liquake.app import engine_of, models_of
from liquake.clock import SECOND, Clock, ManualClock, WallClock
from liquake.config import Settings
from liquake.log import Log
from liquake.model import FeedState, FeedStatus, Gap, Liquidation, Side
from liquake.storage.feeds import FeedWriter
from liquake.storage.sink import ended
from liquake.tui.status import Mode
from liquake.venues import find_venues
from tests.stream import Told, liquidation, listening, send
from tests.unit.storage.conftest import client_of
from tests.waiting import until

_DEADLINE = 30.0


@asynccontextmanager
async def analysing(
    url: str, told: Told, clock: Clock | None = None, **settings: tuple[str, ...]
) -> AsyncIterator[Analysis]:
    chosen = Settings(redis=url, **settings)  # type: ignore[arg-type]
    venues, models = find_venues(chosen.exchanges), models_of(chosen, Mode.LIVE)
    analysis = Analysis(
        chosen,
        Log(told.log),
        clock or WallClock(),
        lambda: engine_of(venues, chosen, models),
        venues={venue.name for venue in venues},
        assets=None if not chosen.symbols else set(chosen.symbols),
    )
    running = asyncio.create_task(analysis.run())
    try:
        yield analysis
    finally:
        await ended(running)


async def test_it_forecasts_with_the_models_of_a_collector_in_the_markets_asked_for(redis: str, tmp_path: Path) -> None:
    await send(redis, tmp_path, [liquidation(number, asset="ETH", ago=120.0 - number) for number in range(20)])
    async with (
        listening(redis) as told,
        analysing(redis, told, symbols=("ETH",)) as analysis,
        client_of(redis) as client,
    ):
        await until(lambda: analysis.snapshot().events == 20)
        await send(redis, tmp_path, [liquidation(99, asset="BTC"), liquidation(100, asset="ETH")])
        await until(lambda: analysis.snapshot().events == 21)
        assert analysis.snapshot().markets == ("ETHUSDT",)
        async with asyncio.timeout(_DEADLINE):
            while not (held := await client.hgetall("cascade:probability:ETHUSDT")).get("probability"):
                await asyncio.sleep(0.05)
        assert held["model"]
        assert not await client.exists("cascade:probability:BTCUSDT")


async def test_what_a_collector_would_alert_of_is_told_to_who_subscribed(redis: str, tmp_path: Path) -> None:
    async with listening(redis) as told, analysing(redis, told) as analysis:
        await send(redis, tmp_path, [liquidation(1)])
        await until(lambda: analysis.snapshot().events == 1)
        await send(redis, tmp_path, [liquidation(2, usd=3e6)])
        await until(lambda: told.alerts)
    [alert] = told.alerts
    assert (alert.market, alert.side, alert.venue, alert.inputs["usd"]) == ("BTCUSDT", Side.LONG, "okx", 3e6)


async def test_the_next_one_repeats_nothing_and_tells_what_came_in_between(redis: str, tmp_path: Path) -> None:
    # What came in between is told if it is fresh when the next one takes over, which may be long after on a busy machine.
    clock = ManualClock(time.time_ns())

    async def happen(event: Liquidation) -> None:
        clock.set(event.ts_recv)
        await send(redis, tmp_path, [event])

    async with listening(redis) as told:
        async with analysing(redis, told, clock) as analysis:
            await send(redis, tmp_path, [liquidation(1, ago=60.0)])
            await until(lambda: analysis.snapshot().events == 1)
            await happen(liquidation(2, usd=3e6))
            await until(lambda: told.alerts)
        await happen(liquidation(3, asset="ETH", usd=4e6))
        async with analysing(redis, told, clock) as analysis:
            await until(lambda: len(told.large()) == 2)
            await happen(liquidation(4, asset="SOL", usd=5e6))
            await until(lambda: len(told.large()) == 3)
    assert told.large() == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert len({alert.key for alert in told.alerts}) == len(told.alerts)


async def test_what_the_stream_held_up_for_long_is_counted_and_not_taken_for_a_burst(
    redis: str, tmp_path: Path
) -> None:
    async with listening(redis) as told, analysing(redis, told) as analysis:
        await send(redis, tmp_path, [liquidation(1)])
        await until(lambda: analysis.snapshot().events == 1)
        await send(redis, tmp_path, [liquidation(number, usd=3e6, ago=90.0) for number in range(2, 60)])
        await send(redis, tmp_path, [liquidation(99, asset="SOL", usd=3e6)])
        await until(lambda: told.alerts)
        assert analysis.snapshot().events == 60
        assert analysis.snapshot().bursts["BTCUSDT"].z < 2.0
    assert told.large() == ["SOLUSDT"]
    assert "BTCUSDT" not in {alert.market for alert in told.alerts}


async def test_an_exchange_that_was_not_asked_for_is_left_out_and_named(redis: str, tmp_path: Path) -> None:
    async with listening(redis) as told, analysing(redis, told, exchanges=("okx",)) as analysis:
        await send(redis, tmp_path, [liquidation(1, venue="bybit"), liquidation(2, venue="bybit"), liquidation(3)])
        await until(lambda: analysis.snapshot().events == 1)
    assert [(line["event"], line["venue"]) for line in told.lines()] == [("left out", "bybit")]


def known(analysis: Analysis, state: FeedState) -> bool:
    return [venue.state for venue in analysis.snapshot().venues if venue.venue == "okx"] == [state]


async def test_keys_say_what_the_collectors_feeds_cover_and_that_they_are_gone_with_it(
    redis: str, tmp_path: Path
) -> None:
    now = time.time_ns()
    collector = engine_of(find_venues(("okx",)), Settings(), [])
    for event in (
        FeedStatus("okx", "public-1", FeedState.SUBSCRIBED, now - 7200 * SECOND, "all"),
        Gap("okx", "public-1", now - 1800 * SECOND, now - 900 * SECOND, "closed"),
        liquidation(1, ago=60.0),
    ):
        collector.apply(event)
    telling = asyncio.create_task(
        FeedWriter(redis, "j", lambda markets: collector.moment(time.time_ns(), markets)).run()
    )
    async with (
        listening(redis) as told,
        analysing(redis, told, exchanges=("okx",)) as analysis,
        client_of(redis) as client,
    ):
        await send(redis, tmp_path, [liquidation(1, ago=60.0)])
        await until(lambda: known(analysis, FeedState.SUBSCRIBED))
        async with asyncio.timeout(_DEADLINE):
            while float(await client.hget("velocity:ALL:current", "1h_heard") or 0.0) == 0.0:
                await asyncio.sleep(0.02)
        assert float(await client.hget("velocity:ALL:current", "1h_heard")) == pytest.approx(0.75, abs=0.01)
        assert await client.hget("velocity:ALL:current", "at_least") == "1"
        collector.apply(Gap("okx", "public-1", time.time_ns() - SECOND, time.time_ns(), "closed again"))
        await until(lambda: [venue.gaps for venue in analysis.engine.snapshot(time.time_ns()).venues] == [1])
        await ended(telling)
        await until(lambda: known(analysis, FeedState.DISCONNECTED))
