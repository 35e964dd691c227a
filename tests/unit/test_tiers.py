from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from liquake.config import Settings
from liquake.engine.engine import Engine
from liquake.engine.snapshot import Moment, Snapshot
from liquake.model import FeedState, FeedStatus
from liquake.storage.archive import DAY
from liquake.storage.current import ALERTS
from liquake.storage.feeds import read_feeds
from liquake.storage.journal import Journal
from liquake.storage.redis import connect
from liquake.tiers import Tiers, examine, keys_words, tiers
from liquake.tui.listing import _stores
from liquake.tui.status import Publishing, Sending
from tests.servers import Valkey, free_port
from tests.unit.engine.events import COVERAGES, NOON
from tests.unit.storage.events import SECOND, START, liquidation
from tests.unit.storage.test_notes import ALERT


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path)
    valkey.start()
    yield valkey
    valkey.stop()


def reads(
    engine: Engine,
) -> tuple[Callable[[Sequence[str]], Moment], Callable[[Sequence[str], Sequence[str]], Snapshot], Callable[[], int]]:
    """What the stores are fed from, and the clock, both of noon."""
    return partial(engine.moment, NOON), partial(engine.snapshot, NOON), lambda: NOON


async def test_alerts_go_to_those_who_subscribed_and_it_is_said_who_writes(server: Valkey, tmp_path: Path) -> None:
    engine, settings = Engine(COVERAGES), Settings(redis=server.url)
    with Journal(tmp_path / "journal.db") as journal:
        async with (
            asyncio.timeout(30.0),
            Redis.from_url(server.url, decode_responses=True) as client,
            client.pubsub() as subscription,
            tiers(settings, journal, *reads(engine)) as stores,
            tiers(settings, journal, *reads(engine)) as others,
        ):
            await subscription.subscribe(ALERTS)
            while stores.keys()[0] != "WRITING" and others.keys()[0] != "WRITING":
                await asyncio.sleep(0.02)
            for each in (stores, others):
                each.tell([ALERT])
            while (message := await subscription.get_message(ignore_subscribe_messages=True, timeout=1.0)) is None:
                pass
            assert {stores.keys(), others.keys()} == {("WRITING", ""), ("LEFT TO ANOTHER", "")}
            publishing = {each.publishing().by: each.publishing().until for each in (stores, others)}
            assert publishing == {Sending.HERE: NOON, Sending.ANOTHER: None}
    assert json.loads(message["data"])["key"] == ALERT.key


async def test_whoever_writes_the_keys_elsewhere_is_told_how_the_feeds_stand(server: Valkey, tmp_path: Path) -> None:
    engine, settings = Engine(COVERAGES), Settings(redis=server.url, keys="off")
    engine.apply(FeedStatus("okx", "public-1", FeedState.SUBSCRIBED, NOON, "all"))
    client, _ = await connect(server.url)
    with Journal(tmp_path / "journal.db") as journal:
        async with asyncio.timeout(30.0), tiers(settings, journal, *reads(engine)):
            while not (said := await read_feeds(client)):
                await asyncio.sleep(0.02)
    await client.aclose()
    [feeds] = said
    assert {venue.venue: venue.state for venue in feeds.venues}["okx"] is FeedState.SUBSCRIBED


async def test_where_the_keys_are_left_to_others_nothing_is_said_to_go_out(server: Valkey, tmp_path: Path) -> None:
    engine, settings = Engine(COVERAGES), Settings(redis=server.url, keys="off")
    with Journal(tmp_path / "journal.db") as journal:
        async with tiers(settings, journal, *reads(engine)) as stores:
            assert stores.publishing() == Publishing(Sending.UNWANTED)


def test_without_a_store_nobody_is_told() -> None:
    nothing = Tiers()
    nothing.tell([ALERT])
    assert nothing.keys() == ("", "")
    assert nothing.publishing() == Publishing(Sending.NOBODY)


async def test_a_doctor_says_what_a_store_has_still_to_get_and_for_how_long(server: Valkey, tmp_path: Path) -> None:
    path, now = tmp_path / "journal.db", START + 90 * SECOND
    with Journal(path) as journal:
        journal.record([liquidation(number) for number in range(3)])
    settings = Settings(redis=server.url, database=f"postgresql://me:s3cret@127.0.0.1:{free_port()}/name")
    redis, database = await examine(settings, path, now)
    assert (redis["behind"], redis["more"], redis["lag"], redis["trouble"]) == (3, False, 90.0, "")
    assert (database["behind"], database["lag"]) == (None, None)
    text = "\n".join(_stores([redis, database]))
    assert "3 rows of the journal still to come, the first for 90 s" in text
    assert "does not answer" in text
    assert "s3cret" not in text
    # What the stream would not keep is not waited for.
    later, _ = await examine(settings, path, now + 2 * DAY)
    assert (later["behind"], later["lag"]) == (0, None)


def test_keys_that_are_old_are_said_to_be() -> None:
    assert keys_words("ok", 0.44) == "keys 0.4 s behind"
    assert keys_words("9 to send, 3 s behind", 1.0) == "9 to send, 3 s behind, keys 1.0 s behind"
