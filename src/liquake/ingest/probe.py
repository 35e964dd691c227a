"""Whether a venue does what its module expects of it, found out by listening for a while."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum

import msgspec

from liquake.clock import SECOND, Clock
from liquake.errors import InstrumentsError, Unreachable
from liquake.ingest.link import HANDSHAKE_REFUSED, Tempo
from liquake.ingest.moving import MovingPrices
from liquake.ingest.supervisor import Feed, supervise
from liquake.model import DecodeError, Event, FeedState, FeedStatus, Instruments, Liquidation, Price
from liquake.venues import Venue
from liquake.venues.endpoint import address

_ASSETS = frozenset(("BTC",))
"""Every venue lists it, and its prices never rest."""
_ATTEMPTS = 3
"""Connections to see fail before saying so."""
_LOOK_EVERY = 0.05


class Verdict(StrEnum):
    """What became of a venue that was listened to. The earlier goes before the later where several hold."""

    CHANGED = "changed"
    """It sends what its module cannot read, or its address is past its announced end."""
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """It answers, and says no: to the handshake, to a subscription, to the list of instruments."""
    SILENT = "silent"
    """An acknowledgement, a price or the answer to a ping did not come."""
    WORKS = "works"


class Finding(msgspec.Struct, frozen=True):
    """What one venue did."""

    venue: str
    verdict: Verdict
    words: str
    """Why it is not WORKS."""
    seconds: float
    """Until that was known."""
    instruments: int
    asked: int
    """Subscriptions, over all connections."""
    acknowledged: int
    prices: int
    """Connections on which one came."""
    heartbeats: int
    """Connections on which a ping was answered, or the venue sent its own."""
    connections: int
    liquidations: int
    """That came by the way: none proves nothing."""
    unreadable: int


async def probe(venue: Venue, clock: Clock, seconds: float, address: str | None = None) -> Finding:
    """Listen to `venue` as a run would, until it has done all that it should, or for `seconds`."""
    hearing = _Hearing(venue)
    tempo = Tempo(acknowledgement=2.0 * seconds, first_ping=0.2)
    feed = hearing.feed = Feed(venue, clock, hearing.receive, assets=_ASSETS, address=address, tempo=tempo)
    start = clock.now()
    listening = asyncio.create_task(supervise([feed]))
    try:
        while (clock.now() - start) / SECOND < seconds and not (listening.done() or hearing.over()):
            # Heartbeats are no events: they have to be looked for.
            await asyncio.wait((listening,), timeout=_LOOK_EVERY)
    finally:
        finding = hearing.finding(clock.now(), (clock.now() - start) / SECOND)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    return finding


class _Hearing:
    """What has been heard of one venue."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.feed: Feed
        self._acknowledged: dict[str, set[str]] = {}
        self._refused: list[FeedStatus] = []
        self._unreadable: list[DecodeError] = []
        self._priced: set[str] = set()
        self._moving = defaultdict[str, MovingPrices](MovingPrices)
        self._states: Counter[FeedState] = Counter()
        self._liquidations = 0
        self._end = ""

    def receive(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Take what a session tells."""
        del frame, ts_recv
        self._moving[connection].take(events)
        for event in events:
            if isinstance(event, FeedStatus):
                self._heed(event)
            elif isinstance(event, DecodeError):
                self._unreadable.append(event)
            elif isinstance(event, Price):
                self._priced.add(connection)
            elif isinstance(event, Liquidation):
                self._liquidations += 1

    def _heed(self, status: FeedStatus) -> None:
        self._states[status.state] += 1
        if status.state is FeedState.SUBSCRIBED:
            self._acknowledged.setdefault(status.connection, set()).add(status.topic)
        elif status.state is FeedState.REJECTED and status.topic != "instruments":
            self._refused.append(status)
        elif status.state is FeedState.DISCONNECTED:
            self._end = status.reason

    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        failed = self._states[FeedState.DISCONNECTED] >= _ATTEMPTS
        return failed or bool(self._unreadable or self._refused) or (self._opened and not self._lacking())

    @property
    def _opened(self) -> bool:
        return self._states[FeedState.CONNECTED] > 0

    def _asked(self) -> dict[str, set[str]]:
        """The acknowledgements awaited of each connection: of one that is subscribed by its address, its name."""
        return {
            name: {ack for each in session.connection.subscriptions for ack in each.acks} or {name}
            for name, session in self.feed.sessions.items()
        }

    def _due(self) -> set[str]:
        """The connections on which prices must come."""
        if not math.isfinite(self.venue.heartbeat.stale_after):
            return set()
        return {name for name, session in self.feed.sessions.items() if session.connection.priced}

    def _beating(self) -> set[str]:
        return {name for name, session in self.feed.sessions.items() if session.link and session.link.beats}

    def _lacking(self) -> list[str]:
        """What should have come and has not, in words."""
        asked, beating = self._asked(), self._beating()
        lacking = [
            f"no acknowledgement of {topic}"
            for name, topics in asked.items()
            for topic in sorted(topics - self._acknowledged.get(name, set()))
        ]
        due = self._due()
        lacking += [f"no price on {name}" for name in asked if name in due - self._priced]
        still = {name for name in due & self._priced if not self._moving[name].found}
        lacking += [f"no price but what stood when it was asked, on {name}" for name in asked if name in still]
        if not due and not self._priced:
            lacking.append("no price on any connection")
        return lacking + [f"no answer to a ping on {name}" for name in asked if name not in beating]

    def finding(self, now: int, seconds: float) -> Finding:
        """What it comes to."""
        verdict, words = next(self._verdicts(datetime.fromtimestamp(now / SECOND, UTC).date()))
        asked = self._asked()
        return Finding(
            venue=self.venue.name,
            verdict=verdict,
            words=words,
            seconds=round(seconds, 3),
            instruments=len(self.feed.instruments),
            asked=sum(map(len, asked.values())),
            acknowledged=sum(len(topics & self._acknowledged.get(name, set())) for name, topics in asked.items()),
            prices=len(self._priced),
            heartbeats=len(self._beating()),
            connections=len(asked),
            liquidations=self._liquidations,
            unreadable=len(self._unreadable),
        )

    def _verdicts(self, today: date) -> Iterator[tuple[Verdict, str]]:
        refusal = self.feed.refusal
        if self._unreadable:
            yield Verdict.CHANGED, f"unreadable on {self._unreadable[0].connection}: {self._unreadable[0].reason}"
        if isinstance(refusal, InstrumentsError):
            yield Verdict.CHANGED, str(refusal)
        for url, end in _ended(self.venue, today):
            yield Verdict.CHANGED, f"{url} was announced to end on {end}"
        if not self._opened:
            refused = self._end.startswith(HANDSHAKE_REFUSED) or _answered(refusal)
            words = self._end or (str(refusal) if refusal else "no connection was opened in time")
            yield Verdict.REFUSED if refused else Verdict.UNREACHABLE, words
        if self._refused:
            yield Verdict.REFUSED, f"{self._refused[0].topic}: {self._refused[0].reason}"
        if refusal is not None:
            yield Verdict.REFUSED if _answered(refusal) else Verdict.UNREACHABLE, str(refusal)
        if lacking := self._lacking():
            yield Verdict.SILENT, "; ".join(lacking)
        yield Verdict.WORKS, ""


def _answered(refusal: Exception | None) -> bool:
    return isinstance(refusal, Unreachable) and refusal.answered


def _ended(venue: Venue, today: date) -> Iterator[tuple[str, date]]:
    """The addresses that `venue` would use and that are past their announced end."""
    now = round(datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp()) * SECOND
    urls = [address(venue.endpoints, each.url, now) for each in venue.connections(Instruments(), _ASSETS)]
    used = {url.partition("?")[0] for url in urls}
    for endpoint in venue.endpoints:
        if endpoint.valid_until is not None and endpoint.valid_until < today and endpoint.url in used:
            yield endpoint.url, endpoint.valid_until
