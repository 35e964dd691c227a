"""Where liquidations are shown by account alone, the accounts are asked for with the instruments."""

from __future__ import annotations

from liquake.ingest.link import Receiver
from liquake.ingest.supervisor import Feed
from liquake.model import Event, FeedState, FeedStatus, Listing
from liquake.simulate.hyperliquid import VAULTS
from liquake.venues.hyperliquid import Hyperliquid
from liquake.venues.venue import Request
from tests.unit.simulate.stage import stage


class Stranger(Hyperliquid):
    """Asks for the vaults below one that is not there."""

    def account_requests(self) -> tuple[Request, ...]:
        body = '{"type":"vaultDetails","vaultAddress":"0x0"}'
        return (Request("https://api.hyperliquid.xyz/info", body),)


def into(told: list[Event]) -> Receiver:
    return lambda events, frame, connection, ts_recv: told.extend(events)


async def test_the_vaults_that_the_venue_lists_are_watched() -> None:
    told: list[Event] = []
    venue = Hyperliquid()
    async with stage("hyperliquid") as at:
        feed = Feed(venue, at.clock, into(told), address=at.address)
        assert await feed.refresh(at.session)
    sample, _ = venue.connections(feed.instruments, None)
    watched = [name for each in sample.subscriptions for name in each.acks]
    assert feed.instruments.accounts == VAULTS
    assert watched[1 : 1 + len(VAULTS)] == [f"userFills:{vault}" for vault in VAULTS]
    assert [event for event in told if not isinstance(event, Listing)] == []


async def test_an_answer_about_accounts_that_does_not_come_is_told_and_costs_neither_markets_nor_vaults() -> None:
    told: list[Event] = []
    async with stage("hyperliquid") as at:
        feed = Feed(Stranger(), at.clock, into(told), address=at.address)
        feed.instruments.accounts = VAULTS[:1]
        assert not await feed.refresh(at.session)
    (status,) = told
    assert isinstance(status, FeedStatus)
    assert (status.state, "422" in status.reason) == (FeedState.REJECTED, True)
    assert "BTC" in feed.instruments
    assert feed.instruments.accounts == VAULTS[:1]


async def test_accounts_of_the_users_own_are_watched_before_any_other_and_within_what_one_may_watch() -> None:
    makers = ("0x" + "AB" * 20, "0x" + "cd" * 20, "0x" + "ef" * 20)
    told: list[Event] = []
    venue = Hyperliquid()
    async with stage("hyperliquid") as at:
        feed = Feed(venue, at.clock, into(told), address=at.address, accounts=makers)
        assert await feed.refresh(at.session)
    sample, _ = venue.connections(feed.instruments, None)
    watched = [ack for each in sample.subscriptions[1:] for ack in each.acks]
    assert watched[: 3 + len(VAULTS)] == [f"userFills:{user.lower()}" for user in (*makers, *VAULTS)]
    assert len(watched) == len(set(watched)) == 10
