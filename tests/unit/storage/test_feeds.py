"""How the feeds stand, told beside the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ALL, Moment, Snapshot
from liquake.errors import SinkRefused
from liquake.model import (
    Coverage,
    CoverageKind,
    Event,
    FeedState,
    FeedStatus,
    Gap,
    Liquidation,
    PriceBasis,
    Side,
    Throttle,
)
from liquake.storage import feeds
from liquake.storage.feeds import FEEDS, Feeds, FeedWriter, fallen_silent, read_feeds, told_of
from liquake.storage.redis import connect
from liquake.storage.sink import ended
from tests.unit.storage.conftest import client_of
from tests.unit.storage.events import SECOND, START

NOW = START + 7200 * SECOND
COVERAGES = {
    "okx": Coverage(CoverageKind.THROTTLED, "some", throttle=Throttle.LARGEST, interval=1.0),
    "bybit": Coverage(CoverageKind.COMPLETE, "all"),
}


def up(venue: str, at: float = 0.0) -> FeedStatus:
    return FeedStatus(venue, "public-1", FeedState.SUBSCRIBED, START + round(at * SECOND), "all")


def sold(venue: str, at: float) -> Liquidation:
    moment = START + round(at * SECOND)
    return Liquidation(venue, "BTC-USDT", "BTC", Side.LONG, 100.0, PriceBasis.FILL, 1.0, 100.0, moment, moment)


def picture(*events: Event) -> Snapshot:
    engine = Engine(COVERAGES)
    for event in events:
        engine.apply(event)
    return engine.snapshot(NOW)


def said(snapshot: Snapshot) -> Feeds:
    return Feeds(snapshot.venues, snapshot.coverage)


@asynccontextmanager
async def saying(url: str, journal: str, snapshot: Snapshot) -> AsyncIterator[None]:
    told = Moment(snapshot.now, snapshot.as_of, snapshot.markets, {}, snapshot.venues, snapshot.coverage)

    def moments(markets: Sequence[str]) -> Moment:
        return told

    writing = asyncio.create_task(FeedWriter(url, journal, moments).run())
    try:
        async with asyncio.timeout(30.0):
            yield
    finally:
        await ended(writing)


async def test_what_a_collector_knows_of_its_feeds_is_known_at_the_other_end_until_it_is_gone(
    redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = Gap("okx", "public-1", START + 5400 * SECOND, START + 6300 * SECOND, "closed")
    collector = picture(up("okx"), up("bybit"), sold("okx", 10.0), sold("bybit", 20.0), gap)
    alone = picture(sold("okx", 10.0), sold("bybit", 20.0))
    client, _ = await connect(redis)
    async with saying(redis, "a", collector):
        while not (heard := await read_feeds(client)):
            await asyncio.sleep(0.02)
    told = told_of(alone, heard)
    assert [venue.state for venue in told.venues] == [FeedState.SUBSCRIBED, FeedState.SUBSCRIBED]
    assert told.venues[0].outages == collector.venues[0].outages != ()
    assert told.coverage == collector.coverage
    assert told.coverage[ALL][ALL].covered["1h"] == pytest.approx(0.75)
    assert told.cells == alone.cells
    monkeypatch.setattr(feeds, "EXPIRE_AFTER", 0.0)
    await asyncio.sleep(0.01)
    assert await read_feeds(client) == []
    await client.aclose()


async def test_what_a_liquake_of_another_version_says_is_refused(redis: str) -> None:
    async with client_of(redis) as client:
        await client.hset(FEEDS, "j", "99999999999999 {}")
    client, _ = await connect(redis)
    with pytest.raises(SinkRefused, match="another version"):
        await read_feeds(client)
    await client.aclose()


def test_a_venue_stands_as_it_does_for_the_collector_that_heard_most_of_it() -> None:
    deaf = picture(up("okx"), sold("okx", 10.0), Gap("okx", "public-1", START, NOW, "closed"))
    well = picture(up("okx"), sold("okx", 10.0))
    alone = picture(sold("okx", 10.0))
    for order in ([said(deaf), said(well)], [said(well), said(deaf)]):
        told = told_of(alone, order)
        assert told.venues[0].outages == ()
        assert told.coverage == well.coverage


def test_the_keys_of_a_moment_stand_on_the_same_feeds_as_its_snapshot() -> None:
    heard = said(picture(up("okx"), sold("okx", 10.0), Gap("okx", "public-1", NOW - 60 * SECOND, NOW, "closed")))
    alone = picture(sold("okx", 10.0))
    moment = Moment(alone.now, alone.as_of, (), {}, alone.venues, alone.coverage)
    told, whole = told_of(moment, [heard]), told_of(alone, [heard])
    assert (told.venues, told.coverage) == (whole.venues, whole.coverage)
    assert told != moment


def test_collectors_of_different_venues_add_up_to_no_more_than_is_certain() -> None:
    gap = Gap("okx", "public-1", NOW - 900 * SECOND, NOW, "closed")
    other = Gap("bybit", "public-1", NOW - 1800 * SECOND, NOW - 900 * SECOND, "closed")
    of_okx, of_bybit = picture(up("okx"), sold("okx", 10.0), gap), picture(up("bybit"), sold("bybit", 10.0), other)
    told = told_of(picture(sold("okx", 10.0), sold("bybit", 10.0)), [said(of_okx), said(of_bybit)])
    whole = told.coverage[ALL][ALL]
    assert (whole.kind, whole.lower_bound) == (CoverageKind.THROTTLED, True)
    assert whole.covered["1h"] == pytest.approx(0.5)
    assert whole.lost["1h"] == pytest.approx(1800.0)
    assert set(told.coverage[ALL]) == {ALL, "okx", "bybit"}


def test_where_a_venue_brings_something_that_nobody_vouches_for_nothing_is_said_of_all() -> None:
    of_okx = picture(up("okx"), sold("okx", 10.0))
    alone = picture(sold("okx", 10.0), sold("bybit", 10.0))
    parts = Feeds(of_okx.venues[:1], {ALL: {"okx": of_okx.coverage[ALL]["okx"]}})
    told = told_of(alone, [parts])
    assert set(told.coverage[ALL]) == {"okx"}
    assert told_of(alone, []) == alone


def test_feeds_whose_collector_is_gone_are_down() -> None:
    gone = fallen_silent(said(picture(up("okx"), sold("okx", 10.0))), NOW)
    told = told_of(picture(sold("okx", 10.0)), [gone])
    assert told.venues[0].state is FeedState.DISCONNECTED
    assert "says nothing any more" in told.venues[0].connections[0].reason
    assert msgspec.json.decode(msgspec.json.encode(gone), type=Feeds) == gone
