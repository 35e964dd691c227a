"""What a connection brings is what the venue acknowledged of what was asked for."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from liquake.clock import WallClock
from liquake.ingest.session import Session
from liquake.ingest.subscribed import Subscribed
from liquake.model import ContractKind, Instrument, Instruments, Scope
from liquake.venues import VENUES, Connection, Subscription
from tests.unit.ingest.toy import HURRIED, PATIENT, Heard, ToyVenue, connection_to, toy_server

LISTED = Instruments(
    [
        Instrument("1000PEPEUSDT", "PEPE", ContractKind.LINEAR, 1.0, 1000.0),
        Instrument("XBTUSD", "BTC", ContractKind.INVERSE, 1.0),
    ]
)
PRICES = Subscription("prices", ("prices",), ())
SEVERAL = Subscription("several", ("part",), ("XBTUSD", "1000PEPEUSDT"))
EACH = Subscription("each", ("first", "second"), ("XBTUSD", "1000PEPEUSDT"))
EVERYTHING = Subscription("all", ("all",))


def subscribed(*subscriptions: Subscription) -> Subscribed:
    return Subscribed(ToyVenue(PATIENT), Connection("main", "ws://", subscriptions), LISTED)


def value(held: Subscribed) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    scope = held.news(7)
    assert scope is not None
    assert (scope.venue, scope.connection, scope.ts) == ("toy", "main", 7)
    return scope.assets, scope.refused


def test_what_is_subscribed_by_its_address_brings_everything() -> None:
    assert value(subscribed()) == (None, ())


def test_prices_bring_no_liquidations() -> None:
    held = subscribed(PRICES)
    held.taken("prices")
    assert value(held) == ((), ())


def test_an_acknowledgement_brings_all_contracts_of_its_request_or_its_own() -> None:
    held = subscribed(PRICES, SEVERAL)
    held.taken("part")
    assert value(held) == (("BTC", "PEPE"), ())
    held = subscribed(EACH)
    held.taken("second")
    assert value(held) == (("PEPE",), ())
    held = subscribed(EVERYTHING, EACH)
    held.taken("all")
    assert value(held) == (None, ())


def test_what_is_refused_and_asked_for_again_in_part_lacks_the_rest() -> None:
    held = subscribed(SEVERAL)
    held.refused("part", [Subscription("again", ("part.1",), ("XBTUSD",))])
    held.taken("part.1")
    assert value(held) == (("BTC",), ("PEPE",))


def test_what_is_refused_and_asked_for_again_whole_lacks_nothing() -> None:
    held = subscribed(EVERYTHING)
    held.refused("all", [Subscription("again", ("all.1",))])
    held.taken("all.1")
    assert value(held) == (None, ())


def test_refusals_of_prices_lack_nothing_and_of_everything_may_lack_anything() -> None:
    held = subscribed(PRICES, EVERYTHING)
    held.refused("prices", ())
    assert value(held) == ((), ())
    held.refused("all", ())
    assert value(held) == ((), None)


def test_what_is_granted_after_all_is_lacking_no_more() -> None:
    held = subscribed(EACH)
    held.refused("first", ())
    assert value(held) == ((), ("BTC",))
    held.taken("first")
    assert value(held) == (("BTC",), ())


def test_a_contract_that_is_not_listed_goes_by_its_name_and_answers_nobody_waits_for_by_nothing() -> None:
    held = subscribed(Subscription("new", ("new",), ("SOL-USD-SWAP",)))
    held.taken("new")
    held.taken("another")
    held.refused("another", ())
    assert value(held) == (("SOL",), ())


def test_the_same_is_not_told_twice() -> None:
    held = subscribed(SEVERAL)
    assert value(held) == ((), ())
    assert held.news(8) is None


async def test_a_session_tells_what_came_of_its_subscriptions() -> None:
    heard = Heard()
    async with toy_server() as server:
        connection = connection_to(server.url, "a", "a+bad")
        session = Session(ToyVenue(PATIENT), connection, LISTED, WallClock(), heard, tempo=HURRIED)
        async with aiohttp.ClientSession() as client:
            running = asyncio.create_task(session.run(client))
            try:
                await heard.until(lambda: any(isinstance(event, Scope) for event in heard.events))
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
    [scope] = [event for event in heard.events if isinstance(event, Scope)]
    assert (scope.venue, scope.connection, scope.assets, scope.refused) == ("toy", "only", None, ())


@pytest.mark.parametrize("name", [name for name, venue in VENUES.items() if venue.poll is None])
def test_every_venue_says_what_its_subscriptions_bring_also_before_it_has_told_its_list(name: str) -> None:
    venue, brought = VENUES[name], set[str]()
    for connection in venue.connections(Instruments(), None):
        held = Subscribed(venue, connection, Instruments())
        for subscription in connection.subscriptions:
            for ack in subscription.acks:
                held.taken(ack)
        scope = held.news(7)
        assert scope is not None
        assert scope.refused == ()
        brought |= {"BTC", "ETH"} if scope.assets is None else set(scope.assets)
    assert brought >= {"BTC", "ETH"}
