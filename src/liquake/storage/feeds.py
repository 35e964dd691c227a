"""How the feeds stand, beside the stream: collectors say it in Redis for those who analyse what they send.

The stream carries liquidations alone. Without this nobody could tell at its other end a dead feed from a quiet one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from liquake.engine.snapshot import (
    ALL,
    COVERED_MARKETS,
    ConnectionState,
    MarketCoverage,
    Moment,
    Snapshot,
    VenueState,
    little,
)
from liquake.errors import SinkError, SinkRefused
from liquake.model import FeedState
from liquake.storage.address import without_password
from liquake.storage.redis import ANOTHER_VERSION, STREAM, Client, connect, disconnect, explained

Told = TypeVar("Told", Moment, Snapshot)

FEEDS = f"{{{STREAM}}}:feeds"
"""Hash: by journal, how its collector's feeds stand, behind the moment at which that was said."""
WRITE_EVERY = 1.0
RETRY_EVERY = 1.0
EXPIRE_AFTER = 5.0
"""Seconds after which what a collector said is not held to be so any more."""

# The moments are the server's own: the clocks of collectors and analysts may differ.
_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
_SAY = (
    _NOW
    + """
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
)
_HEAR = (
    _NOW
    + """
local said = {}
for _, each in ipairs(redis.call('HVALS', KEYS[1])) do
    local blank = string.find(each, ' ', 1, true)
    if now - tonumber(string.sub(each, 1, blank)) <= tonumber(ARGV[1]) then
        table.insert(said, string.sub(each, blank + 1))
    end
end
return said
"""
)


class Feeds(msgspec.Struct, frozen=True):
    """The part of a collector's snapshot that is about its feeds."""

    venues: tuple[VenueState, ...]
    coverage: Mapping[str, Mapping[str, MarketCoverage]]


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Feeds)


class FeedWriter:
    """Says each second at `url` how the feeds in a `moment` stand, which fill `journal`; until cancelled."""

    def __init__(self, url: str, journal: str, moment: Callable[[Sequence[str]], Moment]) -> None:
        self._url, self._journal, self._moment = url, journal, moment

    async def run(self) -> None:
        """Through every failure: that the store is down is told by whoever feeds the stream."""
        while True:
            client = None
            with suppress(SinkError):
                try:
                    client, _ = await connect(self._url)
                    while True:
                        await self._say(client)
                        await asyncio.sleep(WRITE_EVERY)
                finally:
                    if client is not None:
                        await disconnect(client)
            await asyncio.sleep(RETRY_EVERY)

    async def _say(self, client: Client) -> None:
        held = self._moment(self._moment(()).markets[:COVERED_MARKETS])
        with explained(without_password(self._url)):
            said = _encode(Feeds(held.venues, held.coverage))
            await client.eval(_SAY, 1, FEEDS, self._journal, said, round(EXPIRE_AFTER * 1000))


async def read_feeds(client: Client) -> list[Feeds]:
    """What each collector that is at work says. Raises `SinkError`, `SinkRefused` where one is of another version."""
    with explained("redis"):
        said = await client.eval(_HEAR, 1, FEEDS, round(EXPIRE_AFTER * 1000))
    try:
        return [_decoder.decode(each) for each in said]
    except ValueError:
        raise SinkRefused("redis", ANOTHER_VERSION) from None


def fallen_silent(feeds: Feeds, now: int) -> Feeds:
    """What is to be held of `feeds` once their collector says nothing any more: nobody listens."""
    gone = (ConnectionState("collector", FeedState.DISCONNECTED, now, "its collector says nothing any more"),)
    return Feeds(tuple(msgspec.structs.replace(venue, connections=gone) for venue in feeds.venues), feeds.coverage)


def told_of(snapshot: Told, said: Sequence[Feeds]) -> Told:
    """`snapshot`, or moment, of an engine without feeds of its own, with those of the collectors that fed it, where they say.

    Several may listen to a venue: it stands as it does for the one that heard most of it.
    """
    best = _best(said)
    venues = tuple(
        venue if (held := best.get(venue.venue)) is None else _with(venue, held[0]) for venue in snapshot.venues
    )
    chosen = {venue.venue: best[venue.venue][1] for venue in venues if venue.venue in best}
    if not chosen:
        return snapshot
    # Where a venue brings something of which nobody says how it is heard, that is not known of all of them either.
    whole = all(venue.venue in chosen for venue in venues if venue.last_recv is not None)
    markets = dict.fromkeys(market for feeds in chosen.values() for market in feeds.coverage)
    coverage = {market: dict(_rows(market, chosen, whole)) for market in markets}
    return msgspec.structs.replace(snapshot, venues=venues, coverage={**snapshot.coverage, **coverage})


def _best(said: Sequence[Feeds]) -> dict[str, tuple[VenueState, Feeds]]:
    best: dict[str, tuple[VenueState, Feeds]] = {}
    for feeds in said:
        # One that it never tried it knows nothing of.
        for venue in (each for each in feeds.venues if each.connections):
            held = best.get(venue.venue)
            if held is None or _heard(venue) > _heard(held[0]):
                best[venue.venue] = venue, feeds
    return best


def _heard(venue: VenueState) -> tuple[float, int]:
    return venue.covered.get("1h", 0.0), venue.last_recv or 0


def _with(venue: VenueState, held: VenueState) -> VenueState:
    """What was counted at this end of the stream, and everything of the feed at the other."""
    return msgspec.structs.replace(
        held, events=venue.events, sampled=venue.sampled, last_liquidation=venue.last_liquidation, latency=venue.latency
    )


def _rows(market: str, chosen: Mapping[str, Feeds], whole: bool) -> Iterator[tuple[str, MarketCoverage]]:
    for venue, feeds in chosen.items():
        row = feeds.coverage.get(market, {}).get(venue)
        if row is not None:
            yield venue, row
    together = [row for feeds in _once(chosen.values()) if (row := feeds.coverage.get(market, {}).get(ALL)) is not None]
    if together and whole:
        yield ALL, _together(together)


def _once(feeds: Iterable[Feeds]) -> list[Feeds]:
    return list({id(each): each for each in feeds}.values())


def _together(rows: Sequence[MarketCoverage]) -> MarketCoverage:
    """Of several collectors at least so much: when each was deaf is not known, so never at the same time."""
    least = max(rows, key=lambda row: little(row.kind))
    return msgspec.structs.replace(
        least,
        covered={name: max(0.0, 1.0 - sum(1.0 - row.covered.get(name, 0.0) for row in rows)) for name in least.covered},
        lost={name: sum(row.lost.get(name, 0.0) for row in rows) for name in least.lost},
        lower_bound=any(row.lower_bound for row in rows),
        refused=any(row.refused for row in rows),
    )
