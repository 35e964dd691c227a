"""Whether a venue's sockets bring what its own history has: a silence is asked about.

Where liquidations are rare a silence proves nothing for hours, however it is weighed against other venues. But several
venues tell of the past under the keys that their sockets would have given. A liquidation that stands there, and that no
socket has brought although all were up, proves that they are mute, with no chance in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

import aiohttp

from liquake.clock import SECOND
from liquake.errors import HistoryError, Unreachable
from liquake.ingest.backfill import REACH, Backfill
from liquake.ingest.backoff import Backoff
from liquake.ingest.link import Tempo
from liquake.ingest.listening import Listening
from liquake.ingest.turnstile import MINUTE
from liquake.model import Event, FeedState, FeedStatus, Gap, Instrument, Instruments, Liquidation, Price, Scope
from liquake.model.feed import LIQUIDATIONS
from liquake.venues import Request, Venue

REREAD = 300 * SECOND
"""Nanoseconds before the last question that are asked for again: a history may be so late itself."""
REQUESTS = 16
"""To a history that is asked market by market, in one question."""
_SHARE = 0.5
"""Of the requests that a venue allows, what questions may take: gaps are to be refilled too."""
_GROWTH = 1.0 / 20.0
_STANDSTILL = 5.0
"""Seconds that a wait may take longer than it should."""
_DAY = 86_400 * SECOND
_PIECE = 3600 * SECOND
"""Nanoseconds of a silence after which all of it is refilled so far: of a longer one the beginning may lie beyond `REACH`."""
PROOF = 5
"""Liquidations that no socket brought, of which so many are asked for at most."""
_DATED = re.compile(r"\d{6}")
_MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "ADA", "AVAX", "LINK", "LTC", "SUI")
_REFUSED_MOST = 3600.0
"""Seconds between two attempts at a history that does not answer, at most."""


def following(silence: float, tempo: Tempo, pace: float = 0.0) -> float:
    """At which length of a silence to ask, where it was last asked at length `silence`, 0 for not yet. All in seconds.

    Every `asked_first` seconds, and the longer it lasts the less often, down to every `asked_most`; nowhere faster than
    every `pace`.
    """
    return silence + max(min(max(silence * _GROWTH, tempo.asked_first), tempo.asked_most), pace)


def pace(venue: Venue, requests: int) -> float:
    """Seconds between two questions of so many `requests` at least, by what `venue` allows."""
    return requests * MINUTE / (venue.limits.requests_per_minute * _SHARE)


def questions(
    venue: Venue,
    instruments: Instruments,
    assets: Collection[str] | None,
    liquidated: Mapping[str, int],
    start: int,
    end: int,
) -> tuple[Request, ...]:
    """The requests for what happened from `start` to `end`, UTC nanoseconds: of `assets`, of all where `None`, if they are few.

    Else of the contracts of which most were `liquidated`, then of the perpetual ones of the coins that are everywhere.
    """
    most = min(REQUESTS, max(1, int(venue.limits.requests_per_minute * _SHARE)))
    every = venue.history(instruments, assets, start, end)
    if len(every) <= most or not instruments:
        return every[:most]

    def rank(each: Instrument) -> tuple[int, bool, int]:
        major = _MAJORS.index(each.asset) if each.asset in _MAJORS else len(_MAJORS)
        return -liquidated.get(each.symbol, 0), _DATED.search(each.symbol) is not None, major

    wanted = (each for each in instruments.values() if assets is None or each.asset in assets)
    return venue.history(Instruments(sorted(wanted, key=rank)[:most]), assets, start, end)[:most]


class _Mute:
    """That the sockets bring nothing, as the history has shown."""

    def __init__(self, since: int, found: int, reason: str) -> None:
        self.since, self.found, self.reason = since, found, reason
        self.refilled = since
        """Up to when the history has been, or is being, asked for all markets."""
        self.told: dict[str, int] = {}
        """When what was passed on of the history happened, by key."""
        self.renewed = 0
        """When the sockets were last replaced; 0 while they were not."""
        self.pause = 0.0
        """Seconds after which they are again."""


class Reconciliation:
    """Stands between the sessions of one venue and the receiver of `backfill`, and asks that about every silence.

    What the history has and no socket brought for twice a grace is told as DARK. While that lasts the history is asked
    on and passed on, late, and `renew` is called to have the sockets replaced. The next liquidation that happens and that
    a socket brings ends it, and leaves a gap to be refilled: where a history goes market by market it was not asked for all.
    """

    def __init__(self, backfill: Backfill, renew: Callable[[], object]) -> None:
        self.venue, self._backfill, self._renew = backfill.venue, backfill, renew
        self._instruments, self._assets, self._tempo = backfill.instruments, backfill.assets, backfill.tempo
        self._clock, self._receiver = backfill.clock, backfill.receiver
        self._grace = round(self._tempo.grace * SECOND)
        self._listening = Listening(backfill.assets)
        self._mute: _Mute | None = None
        self._asked_of: int | None = None
        """Since when the sockets had been silent when it was last asked."""
        self._asked = 0.0
        """How long they had."""
        self._until = 0
        """Up to when it was asked."""
        self._pace = 0.0
        self._doubted: list[Liquidation] = []
        """What no socket has brought yet, and is no proof either."""
        self._ended: list[int] = []
        """When the sockets were heard again of late."""
        self._refused = Backoff(self._tempo.history_again, _REFUSED_MOST, backfill.random)

    @staticmethod
    def serves(venue: Venue) -> bool:
        """Whether there is a history of what the sockets should bring."""
        return venue.poll is None and type(venue).history is not Venue.history

    def __call__(self, events: Sequence[Event], frame: bytes, connection: str, ts_recv: int) -> None:
        """Pass on what a session tells, as a `Receiver`."""
        self._receiver(events, frame, connection, ts_recv)
        for event in events:
            if event.__class__ is Price:
                continue
            if isinstance(event, Liquidation):
                self._listening.liquidation(event)
                # What a venue replays to a new socket shows nothing of what it will tell.
                if self._mute is not None and event.ts_event > max(self._mute.found, self._mute.renewed):
                    self._resume(self._mute)
            elif isinstance(event, FeedStatus | Scope | Gap):
                self._listening.state(event)

    async def run(self, client: aiohttp.ClientSession) -> None:
        """Ask whenever a silence has become long enough, for ever."""
        while True:
            if not await self._slept(self._patience()) or not self._due():
                continue
            try:
                await self._question(client)
            except (Unreachable, HistoryError) as error:
                if not self._refused.attempts:
                    self._backfill.failed(error)
                await asyncio.sleep(self._refused.next())
            else:
                self._refused.reset()

    async def _slept(self, seconds: float) -> bool:
        """Wait so long; whether no more time went by. What sockets brought while a machine stood still comes only after that,
        and that they are gone shows then: so in that case, wait on."""
        before = self._clock.now()
        await asyncio.sleep(seconds)
        steady = (self._clock.now() - before) / SECOND < seconds + _STANDSTILL
        if not steady:
            await asyncio.sleep(self._tempo.asked_first)
        return steady

    def _patience(self) -> float:
        """Seconds to the next look: never so many that a silence that begins meanwhile would be asked about late."""
        most = self._tempo.asked_first
        return min(max(self._left(), most / 60.0), most)

    def _left(self) -> float:
        """Seconds until the next question."""
        brought = self._listening.brought
        if brought is None:
            return self._tempo.asked_first
        asked = self._asked if self._asked_of == brought else 0.0
        return following(asked, self._tempo, self._pace) - (self._clock.now() - brought) / SECOND

    def _due(self) -> bool:
        return self._left() <= 0.0 and self._listening.whole

    async def _question(self, client: aiohttp.ClientSession) -> None:
        """Ask for what has happened in the silence, and hold the sockets mute where they should have brought some of it."""
        now, brought = self._clock.now(), self._listening.brought
        assert brought is not None
        self._asked_of, self._asked = brought, (now - brought) / SECOND
        start, end = max(self._since(), self._until - REREAD, now - REACH), now - self._grace
        asked = questions(self.venue, self._instruments, self._assets, self._listening.liquidated, start, end)
        self._pace = pace(self.venue, len(asked))
        found = [event async for page in self._backfill.pages(client, asked, start, end) for event in page]
        self._until = end
        missed = self._missed((*self._doubted, *found))
        if self._mute is None and (certain := self._certain(missed)):
            patience = max((certain - self._clock.now()) / SECOND, self._tempo.grace / 3.0)
            steady = await self._slept(patience)
            missed = self._missed(missed)
            if steady and self._listening.whole and 0 < self._certain(missed) <= self._clock.now():
                self._find(missed)
        if self._mute is None:
            self._doubted = missed
        else:
            self._doubted = []
            self._tend(self._mute, missed)

    def _since(self) -> int:
        """When what is held to be missing begins."""
        return self._listening.brought or 0 if self._mute is None else self._mute.since

    def _missed(self, found: Sequence[Liquidation]) -> list[Liquidation]:
        since = self._since()
        owed = {event.key: event for event in found if self._listening.owes(event, since)}
        return list(owed.values())

    def _certain(self, missed: Sequence[Liquidation]) -> int:
        """From when on the sockets would have brought as many of `missed` as make a proof, even if late; 0 if they do not.

        One does; but a history may have what its stream never tells. So each time in a day that the sockets were heard
        again asks for one more.
        """
        now = self._clock.now()
        self._ended = [moment for moment in self._ended if now - moment < _DAY]
        needed = min(len(self._ended), PROOF - 1)
        happened = sorted(event.ts_event for event in missed)
        return happened[needed] + 2 * self._grace if needed < len(happened) else 0

    def _find(self, missed: Sequence[Liquidation]) -> None:
        since, now = self._since(), self._clock.now()
        count = len(missed)
        reason = (
            f"its history has {count} liquidation{'s' * (count > 1)} since {_time(since)} that its sockets did not "
            f"bring, found after {(now - since) / SECOND:.0f} s"
        )
        self._mute = _Mute(since, now, reason)
        # Before the events: they are no sign of life.
        self._tell(FeedStatus(self.venue.name, LIQUIDATIONS, FeedState.DARK, since, "", reason))

    def _tend(self, mute: _Mute, missed: Sequence[Liquidation]) -> None:
        """Pass on what was missed, and have the sockets replaced when that is due."""
        fresh = [event for event in missed if event.key not in mute.told]
        self._backfill.deliver(fresh)
        mute.told.update((event.key, event.ts_event) for event in fresh)
        asked_again = self._until - REREAD
        mute.told = {key: ts for key, ts in mute.told.items() if ts >= asked_again}
        now = self._clock.now()
        if now - mute.refilled >= _PIECE:
            self._lose(mute, now)
        if not mute.renewed or now - mute.renewed >= mute.pause * SECOND:
            mute.pause = 2.0 * mute.pause if mute.renewed else self._tempo.renewed_first
            mute.renewed = now
            self._renew()

    def _resume(self, mute: _Mute) -> None:
        """The sockets are heard again."""
        self._mute = None
        now = self._clock.now()
        self._ended.append(now)
        self._lose(mute, now)
        self._tell(
            FeedStatus(self.venue.name, LIQUIDATIONS, FeedState.RESUMED, now, "", "a socket brings liquidations")
        )

    def _lose(self, mute: _Mute, now: int) -> None:
        """Tell what may be missing up to now, and have it refilled."""
        gap = Gap(self.venue.name, LIQUIDATIONS, mute.refilled, now, f"dark: {mute.reason}")
        mute.refilled = now
        self._tell(gap)
        self._backfill.missed(gap)

    def _tell(self, event: FeedStatus | Gap) -> None:
        self._receiver((event,), b"", LIQUIDATIONS, self._clock.now())


def _time(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / SECOND, UTC):%H:%M:%S} UTC"
