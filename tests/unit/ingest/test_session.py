"""A session keeps one connection open, whatever happens to its sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from liquake.clock import SECOND, WallClock
from liquake.ingest.session import Session
from liquake.model import DecodeError, FeedState, Gap, Instruments, Price
from liquake.venues import Connection, Heartbeat
from tests.unit.ingest.toy import HURRIED, PATIENT, Heard, ToyVenue, connection_to, toy_server
from tests.waiting import until

CLOCK = WallClock()


@asynccontextmanager
async def listening(
    connection: Connection,
    heartbeat: Heartbeat = PATIENT,
    lifetime: float | None = None,
    missed: Callable[[Gap], object] | None = None,
) -> AsyncIterator[tuple[Session, Heard]]:
    heard = Heard()
    session = Session(
        ToyVenue(heartbeat), connection, Instruments(), CLOCK, heard, tempo=HURRIED, lifetime=lifetime, missed=missed
    )
    async with aiohttp.ClientSession() as client:
        running = asyncio.create_task(session.run(client))
        try:
            yield session, heard
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def prices(heard: Heard) -> int:
    return sum(isinstance(event, Price) for event in heard.events)


def unpriced(url: str) -> Connection:
    return msgspec.structs.replace(connection_to(url), priced=False)


async def test_a_session_tells_each_step_until_it_is_subscribed() -> None:
    async with toy_server() as server, listening(connection_to(server.url, "a", "b")) as (_, heard):
        await heard.until(lambda: heard.states.count(FeedState.SUBSCRIBED) == 2)
        assert heard.states[:2] == [FeedState.CONNECTING, FeedState.CONNECTED]
        assert {status.topic for status in heard.statuses[2:]} == {"a", "b"}


async def test_a_dropped_connection_comes_back_and_says_what_may_be_missing() -> None:
    async with toy_server() as server, listening(connection_to(server.url)) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        await server.drop()
        await heard.until(lambda: heard.gaps)
        assert server.opened == 2
        assert FeedState.DISCONNECTED in heard.states
        gap = heard.gaps[0]
        assert gap.start < gap.end
        assert "1012" in gap.cause
        assert heard.states[-1] is FeedState.RESUMED or FeedState.RESUMED in heard.states


async def test_pings_that_are_answered_make_a_connection_good_where_nothing_else_comes() -> None:
    async with toy_server() as server, listening(unpriced(server.url)) as (_, heard):
        server.pricing = False
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        await server.drop()
        await heard.until(lambda: server.opened == 2 and heard.states[-1] is FeedState.SUBSCRIBED)
        assert heard.gaps == []
        await server.sockets[-1].send_str("hello")
        await heard.until(lambda: heard.gaps)
        assert heard.states[-1] is FeedState.RESUMED


async def test_a_gap_begins_with_the_last_word_of_the_feed_and_not_with_the_last_answer_to_a_ping() -> None:
    async with toy_server() as server, listening(connection_to(server.url)) as (session, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        silent = CLOCK.now()
        link = session.link
        assert link is not None
        await until(lambda: link.last_recv > silent + SECOND // 5)
        await server.drop()
        server.pricing = True
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].start < silent + SECOND // 10


async def test_a_frame_that_cannot_be_read_is_no_word_of_the_feed() -> None:
    async with toy_server() as server, listening(connection_to(server.url)) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        silent = CLOCK.now()
        await asyncio.sleep(0.2)
        await server.sockets[0].send_str("{")
        await heard.until(lambda: any(isinstance(event, DecodeError) for event in heard.events))
        await server.drop()
        server.pricing = True
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].start < silent + SECOND // 10


async def test_where_no_prices_are_due_an_answer_to_a_ping_is_the_last_word() -> None:
    async with toy_server() as server, listening(unpriced(server.url)) as (session, heard):
        server.pricing = False
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        subscribed, link = CLOCK.now(), session.link
        assert link is not None
        await until(lambda: link.last_recv > subscribed + SECOND // 5)
        await server.drop()
        server.pricing = True
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].start > subscribed + SECOND // 5


async def test_prices_that_stop_and_come_again_leave_a_gap_from_the_last_to_the_first() -> None:
    watchful = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=0.3)
    missed: list[Gap] = []
    async with (
        toy_server() as server,
        listening(connection_to(server.url), watchful, missed=missed.append) as (_, heard),
    ):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        silent = CLOCK.now()
        await heard.until(lambda: FeedState.STALE in heard.states)
        server.pricing = True
        again = CLOCK.now()
        await heard.until(lambda: heard.states[-1] is FeedState.RESUMED)
        (gap,) = heard.gaps
        assert missed == [gap]
        assert gap.start < silent + SECOND // 10
        assert again <= gap.end
        assert gap.cause == "no price for 0.3 s although the socket lives"


async def test_a_connection_that_acknowledges_and_says_nothing_closes_no_gap() -> None:
    watchful = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=0.2)
    async with toy_server() as server, listening(connection_to(server.url), watchful) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        silent = CLOCK.now()
        await server.drop()
        await heard.until(lambda: server.opened >= 3 and heard.states[-1] is FeedState.SUBSCRIBED)
        assert heard.gaps == []
        server.pricing = True
        again = CLOCK.now()
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].start < silent + SECOND // 10
        assert heard.gaps[0].end >= again


async def test_a_price_that_answers_the_subscription_does_not_close_a_gap_but_the_next_does() -> None:
    async with toy_server() as server, listening(connection_to(server.url)) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        server.greeting = lambda nth: "100.5"
        known = prices(heard)
        await server.drop()
        await heard.until(lambda: prices(heard) > known and heard.states[-1] is FeedState.SUBSCRIBED)
        assert heard.gaps == []
        again = CLOCK.now()
        server.pricing = True
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].end >= again


async def test_a_successor_ends_the_silence_of_the_link_it_replaces() -> None:
    watchful = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=0.4)
    async with toy_server() as server, listening(connection_to(server.url), watchful) as (session, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.mute(server.sockets[0])
        silent = CLOCK.now()
        await heard.until(lambda: FeedState.STALE in heard.states)
        session.change(connection_to(server.url, "a", "new"))
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].start < silent + SECOND // 10
        assert FeedState.DISCONNECTED not in heard.states


async def test_rotation_opens_the_new_socket_before_it_closes_the_old() -> None:
    async with toy_server() as server, listening(connection_to(server.url), lifetime=0.1) as (_, heard):
        await heard.until(lambda: server.opened >= 3)
        assert heard.gaps == []
        assert FeedState.DISCONNECTED not in heard.states


async def test_an_announced_close_is_answered_by_rotation() -> None:
    async with toy_server() as server, listening(connection_to(server.url)) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        await server.sockets[0].send_str("closing")
        await heard.until(lambda: server.opened == 2 and len(server.sockets) == 1)
        assert heard.gaps == []


async def test_changed_subscriptions_replace_the_socket_without_a_gap() -> None:
    async with toy_server() as server, listening(connection_to(server.url, "a")) as (session, heard):
        await heard.until(lambda: prices(heard) >= 3)
        session.change(connection_to(server.url, "a", "new"))
        await heard.until(lambda: any(status.topic == "new" for status in heard.statuses))
        assert heard.gaps == []


async def test_a_new_address_that_refuses_is_tried_again_while_the_old_one_is_read() -> None:
    async with toy_server() as old, listening(connection_to(old.url)) as (session, heard):
        await heard.until(lambda: prices(heard) >= 3)
        session.change(connection_to("ws://127.0.0.1:1/"))
        await heard.until(lambda: heard.states.count(FeedState.CLOSING) >= 2)
        kept = heard.statuses[-1].reason
        assert kept.startswith(f"still at {old.url}, for ws://127.0.0.1:1/ is not good yet: cannot connect")
        await old.drop()
        await heard.until(lambda: heard.gaps)
        assert old.opened == 2
        async with toy_server() as new:
            session.change(connection_to(new.url))
            await heard.until(lambda: new.opened == 1 and not old.sockets)
            await heard.until(lambda: heard.states[-1] is FeedState.SUBSCRIBED)
        assert len(heard.gaps) == 1


async def test_a_new_address_that_refuses_what_the_old_one_brings_does_not_replace_it() -> None:
    async with (
        toy_server() as old,
        toy_server() as new,
        listening(connection_to(old.url, "a", "b")) as (session, heard),
    ):
        new.refuse = {"b"}
        await heard.until(lambda: prices(heard) >= 3)
        session.change(connection_to(new.url, "a", "b"))
        await heard.until(lambda: FeedState.CLOSING in heard.states)
        assert heard.statuses[-1].reason.endswith("is not good yet: it refuses b: ")
        assert FeedState.REJECTED not in heard.states
        assert len(old.sockets) == 1
        new.refuse = set()
        await heard.until(lambda: not old.sockets)
        assert heard.gaps == []


async def test_of_a_link_that_is_stale_its_successor_s_failure_takes_nothing_back() -> None:
    watchful = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=0.3)
    async with toy_server() as server, listening(connection_to(server.url), watchful) as (session, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        await heard.until(lambda: FeedState.STALE in heard.states)
        session.change(connection_to("ws://127.0.0.1:1/"))
        await heard.until(lambda: FeedState.DISCONNECTED in heard.states)
        assert FeedState.CLOSING not in heard.states


async def test_a_link_that_ends_while_its_successor_says_nothing_is_replaced_at_once_and_leaves_a_gap() -> None:
    async with toy_server() as old, toy_server() as new, listening(connection_to(old.url)) as (session, heard):
        new.answering = False
        await heard.until(lambda: prices(heard) >= 3)
        session.change(connection_to(new.url))
        await until(lambda: len(new.sockets) == 1)
        await old.drop()
        await heard.until(lambda: heard.gaps)
        assert "1012" in heard.gaps[0].cause
        assert len(old.sockets) == 1


async def test_a_link_that_ends_when_its_successor_is_subscribed_leaves_no_gap() -> None:
    async with toy_server() as old, toy_server() as new, listening(connection_to(old.url)) as (session, heard):
        new.pricing = False
        await heard.until(lambda: prices(heard) >= 3)
        session.change(connection_to(new.url))
        await until(lambda: len(new.sockets) == 1 and new.received != [])
        for _ in range(2):
            await new.sockets[0].send_str("100.5")
        successor = session.link
        assert successor is not None
        await until(lambda: successor.ready_at > 0)
        await old.drop()
        await heard.until(lambda: heard.states[-1] is FeedState.SUBSCRIBED)
        assert heard.gaps == []
        assert FeedState.DISCONNECTED not in heard.states
        assert old.opened == 1


async def test_a_half_open_socket_is_given_up() -> None:
    impatient = Heartbeat(every=0.05, frame="ping", dead_after=0.3, stale_after=30.0)
    async with toy_server() as server, listening(connection_to(server.url), impatient) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.answering = False
        await heard.until(lambda: FeedState.DISCONNECTED in heard.states)
        server.answering = True
        await heard.until(lambda: heard.gaps)
        assert "nothing arrived" in heard.gaps[0].cause


async def test_a_socket_without_prices_is_stale_though_it_answers_pings() -> None:
    watchful = Heartbeat(every=0.05, frame="ping", dead_after=30.0, stale_after=0.2)
    async with toy_server() as server, listening(connection_to(server.url), watchful) as (_, heard):
        await heard.until(lambda: prices(heard) >= 3)
        server.pricing = False
        await heard.until(lambda: FeedState.STALE in heard.states)
        server.pricing = True
        await heard.until(lambda: FeedState.RESUMED in heard.states)
        server.pricing = False
        await heard.until(lambda: FeedState.DISCONNECTED in heard.states)
        assert "no price" in heard.statuses[-1].reason or "no price" in heard.statuses[-2].reason


async def test_a_refused_subscription_is_named_and_its_good_part_retried() -> None:
    async with toy_server() as server:
        server.refuse = {"a+bad"}
        async with listening(connection_to(server.url, "a+bad")) as (_, heard):
            await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        refused = next(status for status in heard.statuses if status.state is FeedState.REJECTED)
        accepted = next(status for status in heard.statuses if status.state is FeedState.SUBSCRIBED)
        assert (refused.topic, accepted.topic) == ("a+bad", "a")


async def test_a_subscription_that_is_never_acknowledged_is_reported_by_name() -> None:
    async with toy_server() as server:
        server.ignore = {"b"}
        async with listening(connection_to(server.url, "a", "b")) as (_, heard):
            await heard.until(lambda: FeedState.REJECTED in heard.states)
        refused = next(status for status in heard.statuses if status.state is FeedState.REJECTED)
        assert refused.topic == "b"
        assert "not acknowledged" in refused.reason


async def test_a_frame_that_breaks_the_decoder_costs_that_frame_and_not_the_feed() -> None:
    async with toy_server() as server:
        server.greeting = lambda nth: b"\xff\xfe not text"
        async with listening(connection_to(server.url)) as (_, heard):
            await heard.until(lambda: prices(heard) >= 3)
        faults = [event for event in heard.events if isinstance(event, DecodeError)]
        assert [fault.frame for fault in faults] == [b"\xff\xfe not text"]
        assert server.opened == 1


async def test_an_oversized_frame_is_a_feed_error_and_the_session_reconnects() -> None:
    async with toy_server() as server:
        server.greeting = lambda nth: "9" * (17 * 1024 * 1024) if nth == 1 else None
        async with listening(connection_to(server.url)) as (_, heard):
            await heard.until(lambda: prices(heard) >= 3)
        assert any(isinstance(event, DecodeError) for event in heard.events)
        assert server.opened == 2


async def test_a_venue_that_accepts_and_drops_is_not_hammered() -> None:
    async with toy_server() as server:
        server.pricing = False
        async with listening(connection_to(server.url)) as (session, heard):
            for drops in range(1, 5):
                await heard.until(lambda drops=drops: heard.states.count(FeedState.SUBSCRIBED) == drops)  # type: ignore[misc]
                await server.drop()
            await heard.until(lambda: heard.states.count(FeedState.DISCONNECTED) == 4)
            assert session._backoff.attempts >= 4


async def test_a_venue_that_is_not_there_is_tried_again_and_again() -> None:
    connection = msgspec.structs.replace(connection_to("ws://127.0.0.1:9/"))
    async with listening(connection) as (_, heard):
        await heard.until(lambda: heard.states.count(FeedState.DISCONNECTED) >= 3)
        assert all("cannot connect" in s.reason for s in heard.statuses if s.state is FeedState.DISCONNECTED)
        assert heard.gaps == []
