from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import liquake
from liquake.engine.engine import Engine
from liquake.errors import TooSlow, UnknownMarket, UnknownVenue
from liquake.model import Event, FeedState, FeedStatus, Liquidation, Price, Side
from liquake.simulate.simulation import Simulation
from liquake.storage.journal import Journal
from tests.unit.storage.events import START, every_kind, liquidation


async def test_a_stream_gives_liquidations_and_what_happens_to_the_feeds() -> None:
    simulation = Simulation(seed=3, venues=["okx", "bybit"], rate=200.0)
    got: list[Event] = []
    async with (
        simulation.serve() as addresses,
        asyncio.timeout(30.0),
        aclosing(liquake.stream(["okx", "bybit"], ["BTCUSDT"], addresses=addresses)) as events,
    ):
        async for event in events:
            got.append(event)
            if sum(isinstance(event, Liquidation) for event in got) == 20:
                break
    assert {event.asset for event in got if isinstance(event, Liquidation)} == {"BTC"}
    assert any(isinstance(event, FeedStatus) and event.state is FeedState.SUBSCRIBED for event in got)
    assert not any(isinstance(event, Price) for event in got)


async def test_a_reader_that_does_not_keep_pace_is_told_and_nothing_is_lost_in_silence() -> None:
    simulation = Simulation(seed=3, venues=["okx"], rate=200.0)

    async def read_slowly(addresses: dict[str, str]) -> None:
        async with aclosing(liquake.stream(["okx"], addresses=addresses, prices=True, capacity=5)) as events:
            async for _ in events:
                await asyncio.sleep(0.3)

    async with simulation.serve() as addresses, asyncio.timeout(30.0):
        with pytest.raises(TooSlow, match="5 events wait"):
            await read_slowly(addresses)


async def test_names_that_do_not_exist_are_said() -> None:
    with pytest.raises(UnknownVenue):
        await anext(liquake.stream(["mtgox"]))
    with pytest.raises(UnknownMarket):
        liquake.history("journal.db", markets=["?"])


def test_history_is_what_was_recorded_and_can_be_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.record(every_kind())
    everything = [event for event in every_kind() if isinstance(event, Liquidation)]
    assert list(liquake.history(path)) == everything
    assert list(liquake.history(path, side=Side.SHORT)) == everything[2:]
    assert list(liquake.history(path, venues=["okx"], usd=1.0)) == everything[:1]
    second = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=liquidation(4).ts_event // 1000)
    assert list(liquake.history(path, start=second)) == everything[1:]
    assert list(liquake.history(path, end=second.replace(tzinfo=None))) == everything[:1]


def test_the_engine_is_the_programs_own() -> None:
    assert liquake.Engine is Engine
    engine = liquake.Engine({})
    assert engine.apply(liquidation(1)) is True
    assert engine.snapshot(START + 10**9).events == 1


def test_what_is_public_is_there() -> None:
    for name in liquake.__all__:
        assert getattr(liquake, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = liquake.nothing
