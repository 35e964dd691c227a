"""What a venue is asked about the past."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest

from liquake.clock import SECOND, ManualClock
from liquake.ingest.backfill import HISTORY, MARGIN, REACH, Backfill, overlapping
from liquake.model import DecodeError, FeedState, Gap, Instruments, Scope
from liquake.venues.venue import Poll
from tests.unit.ingest.toy import HURRIED, PATIENT, Heard, ToyServer, ToyVenue, ToyWithPast, toy_server

NOW = 1_790_000_000 * SECOND


def gap(start: float, end: float, connection: str = "only") -> Gap:
    """From and to so many seconds before now."""
    return Gap("toy", connection, NOW - round(start * SECOND), NOW - round(end * SECOND), "code 1006")


def ago(*seconds: int) -> list[int]:
    return [NOW - second * SECOND for second in seconds]


def asked(start: int, end: int) -> tuple[int, int]:
    """What a gap from and to so many seconds before now makes a request for."""
    return NOW - start * SECOND - MARGIN, NOW - end * SECOND + MARGIN


@asynccontextmanager
async def asking(
    server: ToyServer, poll: Poll | None = None, again: float = 300.0
) -> AsyncIterator[tuple[Backfill, Heard, ManualClock]]:
    heard, clock = Heard(), ManualClock(NOW)
    venue = ToyWithPast(PATIENT, server.url)
    venue.poll = poll  # type: ignore[misc]
    tempo = msgspec.structs.replace(HURRIED, history_again=again)
    backfill = Backfill(venue, Instruments(), clock, heard, tempo=tempo)
    async with running(backfill):
        yield backfill, heard, clock


@asynccontextmanager
async def running(backfill: Backfill) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as client:
        task = asyncio.create_task(backfill.run(client))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_gap_is_refilled_over_all_pages_and_then_told_as_recovered() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past = ago(59, 50, 40, 30, 21, 100, 5)
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.gaps)
        assert heard.liquidations == ago(59, 50, 40, 30, 21)
        assert heard.gaps == [msgspec.structs.replace(gap(60, 20), recovered=True)]
        assert heard.events[-1] == heard.gaps[0]
        assert len(server.asked) == 3


async def test_what_was_published_just_after_the_break_though_it_happened_before_is_asked_for_too() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past = [NOW - 61 * SECOND, NOW - 19 * SECOND]
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.gaps)
        assert heard.liquidations == server.past


async def test_what_a_venue_tells_without_being_asked_is_left_out() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past_answer = f"{NOW - 86_400 * SECOND} {NOW - 40 * SECOND}"
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.gaps)
        assert heard.liquidations == ago(40)


async def test_sockets_that_broke_together_are_asked_for_once_and_each_is_recovered() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past = ago(50)
        for each in (gap(60, 30, "one"), gap(55, 20, "two"), gap(10, 5, "one")):
            backfill.missed(each)
        await heard.until(lambda: len(heard.gaps) == 3)
        assert server.asked == [asked(60, 20), asked(10, 5)]
        assert {each.connection for each in heard.gaps} == {"one", "two"}
        assert all(each.recovered for each in heard.gaps)


def test_gaps_share_a_group_while_they_share_time() -> None:
    first, inner, second, last = gap(100, 50), gap(90, 80), gap(60, 40), gap(30, 20)
    assert overlapping([last, second, inner, first]) == [[first, inner, second], [last]]


async def test_an_answer_that_cannot_be_read_is_told_and_leaves_the_gap() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past_answer = "what?"
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.events)
        [error] = heard.events
        assert isinstance(error, DecodeError)
        assert (error.connection, error.reason) == (HISTORY, "The history of toy cannot be read: it asks back.")
        server.past_answer, server.past = None, ago(10)
        backfill.missed(gap(12, 8))
        await heard.until(lambda: len(heard.gaps) == 2)
        # With the next gap the one that is open still is asked for again.
        assert [(each.end, each.recovered) for each in heard.gaps] == [(end, True) for end in ago(8, 20)]


async def test_a_venue_that_does_not_answer_is_asked_a_few_times_and_told_of() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past_status = 503
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.events)
        [error] = heard.events
        assert isinstance(error, DecodeError)
        assert "HTTP 503" in error.reason
        assert len(server.asked) == 4


async def test_what_was_not_answered_is_asked_for_again_later_until_it_is() -> None:
    async with toy_server() as server, asking(server, again=0.05) as (backfill, heard, _):
        server.past_status, server.past = 503, ago(30)
        backfill.missed(gap(60, 20))
        await heard.until(lambda: len(heard.events) == 2)
        assert set(server.asked) == {asked(60, 20)}
        server.past_status = 200
        await heard.until(lambda: heard.gaps)
        assert heard.liquidations == ago(30)
        assert [(each.end, each.recovered) for each in heard.gaps] == [(ago(20)[0], True)]
        count = len(server.asked)
        backfill.missed(gap(12, 8))
        await heard.until(lambda: len(heard.gaps) == 2)
        assert server.asked[count:] == [asked(12, 8)]


async def test_what_was_not_answered_until_it_lay_beyond_what_is_remembered_is_asked_for_no_more() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, clock):
        server.past_status = 503
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.events)
        clock.advance(REACH / SECOND)
        server.past_status = 200
        reach = REACH // SECOND
        backfill.missed(gap(30 - reach, 20 - reach))
        await heard.until(lambda: heard.gaps)
        assert server.asked[4:] == [asked(30 - reach, 20 - reach)]


async def test_pages_without_an_end_are_given_up() -> None:
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past_answer = f"{NOW} more"
        backfill.missed(gap(60, 20))
        await heard.until(lambda: any(isinstance(event, DecodeError) for event in heard.events))
        assert len(server.asked) == 100
        assert heard.gaps == []


async def test_a_venue_without_a_history_claims_nothing() -> None:
    async with toy_server() as server:
        heard = Heard()
        backfill = Backfill(ToyVenue(PATIENT), Instruments(), ManualClock(NOW), heard, tempo=HURRIED)
        async with running(backfill):
            backfill.missed(gap(60, 20))
            await asyncio.sleep(0.05)
        assert heard.events == []
        assert server.asked == []


async def test_what_lies_beyond_what_is_remembered_is_not_asked_for_and_stays_a_gap() -> None:
    """It might have been received, and would be counted twice."""
    reach = REACH // SECOND
    async with toy_server() as server, asking(server) as (backfill, heard, _):
        server.past = ago(reach - 100)
        backfill.missed(gap(reach + 2_000, reach + 1_000))
        backfill.missed(gap(reach + 500, reach - 500))
        backfill.missed(gap(60, 20))
        await heard.until(lambda: heard.gaps)
        assert server.asked == [(NOW - REACH, asked(0, reach - 500)[1]), asked(60, 20)]
        assert [each.end for each in heard.gaps] == ago(20)


async def test_requests_keep_to_what_the_venue_allows() -> None:
    async with toy_server() as server, asking(server) as (backfill, _, _):
        backfill._turnstile = type(backfill._turnstile)(2)
        server.past = ago(59, 50, 40, 30, 21)
        backfill.missed(gap(60, 20))
        async with asyncio.timeout(5.0):
            while len(server.asked) < 2:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert len(server.asked) == 2


SOON = Poll(every=0.05, behind=3_600.0, span=600.0)


async def test_a_venue_that_tells_no_liquidations_on_sockets_is_asked_again_and_again() -> None:
    async with toy_server() as server, asking(server, SOON) as (_, heard, clock):
        server.past = ago(3_900, 3_500)
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        assert heard.liquidations[:1] == ago(3_900)
        assert server.asked[0] == tuple(ago(4_200, 3_600))
        clock.advance(200.0)
        await heard.until(lambda: NOW - 3_500 * SECOND in heard.liquidations)
        assert heard.states.count(FeedState.SUBSCRIBED) == 1
        assert heard.gaps == []


async def test_missed_turns_are_made_up_for_and_told() -> None:
    async with toy_server() as server, asking(server, SOON) as (_, heard, clock):
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        server.past_status = 503
        await heard.until(lambda: FeedState.DISCONNECTED in heard.states)
        clock.advance(5_000.0)
        server.past_status, server.past = 200, ago(3_000)
        await heard.until(lambda: heard.liquidations)
        assert heard.liquidations[0] == NOW - 3_000 * SECOND
        await heard.until(lambda: heard.states[-1] is FeedState.SUBSCRIBED)
        assert heard.gaps == []


async def test_what_was_missed_for_too_long_stays_a_gap() -> None:
    async with toy_server() as server, asking(server, SOON) as (_, heard, clock):
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        clock.advance(10 * 3_600.0)
        await heard.until(lambda: heard.gaps)
        assert (heard.gaps[0].start, heard.gaps[0].recovered) == (NOW - 3_600 * SECOND, False)
        assert heard.gaps[0].end == clock.now() - REACH


@pytest.mark.parametrize("connection", ["only", "prices"])
async def test_a_broken_socket_of_a_polled_venue_missed_no_liquidation(connection: str) -> None:
    slowly = Poll(every=3_600.0, behind=3_600.0, span=7_200.0)
    async with toy_server() as server, asking(server, slowly) as (backfill, heard, _):
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        backfill.missed(gap(60, 20, connection))
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].recovered
        assert len(server.asked) == 1


async def test_polling_brings_whatever_the_venue_has() -> None:
    async with toy_server() as server, asking(server, SOON) as (_, heard, _):
        await heard.until(lambda: any(isinstance(event, Scope) for event in heard.events))
        [scope] = [event for event in heard.events if isinstance(event, Scope)]
        assert (scope.connection, scope.assets, scope.refused) == (HISTORY, None, ())


async def test_of_a_polled_venue_too_the_time_in_which_nobody_listened_is_asked_for() -> None:
    slowly = Poll(every=3_600.0, behind=3_600.0, span=900.0)
    async with toy_server() as server, asking(server, slowly) as (backfill, heard, _):
        await heard.until(lambda: FeedState.SUBSCRIBED in heard.states)
        # Whoever went away 7,000 s ago had asked for what happened until an hour before that.
        server.past = ago(7_000 + 3_600 - 1)
        backfill.missed(gap(7_000, 10, ""))
        await heard.until(lambda: heard.gaps)
        assert heard.gaps[0].recovered
        assert heard.liquidations == server.past
        assert asked(7_000 + 3_600, 10 + 3_600) in server.asked
