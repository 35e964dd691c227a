"""What a journal's ledger says of a time: how much of each venue and market was heard in it, and what was not.

Part of the composition root: the ledger is kept in storage, and it is the engine that knows how to read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from liquake.engine.books import VenueBooks
from liquake.engine.coverage import Span, interruptions, unheard
from liquake.engine.ledger import Feed
from liquake.engine.snapshot import ALL, Outage, little
from liquake.model import Coverage, CoverageKind, FeedEvent, FeedState, FeedStatus, Gap, Listing, Scope, market_of
from liquake.storage.reader import JournalReader
from liquake.storage.witness import SILENCE
from liquake.venues import VENUES

_EVERY_GAP = 1 << 62
_UNKNOWN = Coverage(CoverageKind.THROTTLED, "Nothing is known of what this feed leaves out.")


class Covered(msgspec.Struct, frozen=True):
    """How far sums over what was kept of a venue and market can be relied on. Times are UTC nanoseconds."""

    venue: str
    """`ALL` for all of them together."""
    market: str
    """`ALL` for everything that the venue lists."""
    coverage: CoverageKind
    """What the venue's feed promises. Of all venues that of the one which shows least."""
    throttle: str
    """Which order survives where only one per symbol and `interval` seconds is shown; "none" without such a rule."""
    interval: float
    rule_since: str | None
    """The first day of the rule, where known."""
    start: int
    """From here on something is known: not before the ledger begins."""
    end: int
    heard_share: float
    """Of the time from `start` to `end` in which it was heard, 0 to 1; of all venues, in which each of them was."""
    at_least: bool
    """Whether a sum over it is only a lower bound."""
    refused: bool
    """Whether the venue refused contracts of it."""
    gaps: tuple[Outage, ...] = ()
    """Of one venue: what lies in that time and cost it something, those that were refilled too."""


def coverage(
    journal: Path,
    *,
    start: int | None = None,
    end: int | None = None,
    venues: Collection[str] = (),
    assets: Collection[str] = (),
) -> list[Covered]:
    """Of all venues together and of each, then the same of each market, what the ledger of `journal` says.

    From `start` and before `end`, UTC nanoseconds. Of `venues` and `assets`, of all there are where they are empty. Raises
    `JournalError`.
    """
    with JournalReader(journal) as reader:
        span = reader.span()
        if span is None:
            return []
        period = max(span[0], start or 0), min(span[1], span[1] if end is None else end)
        known = [(venue, asset) for venue, _, asset in reader.totals()]
        books = _books(reader.ledger(), span[0], period[1])
        for venue, held in books.items():
            last = reader.last_heard(venue)
            if span[1] - last > SILENCE * 1e9:
                held.feed.gap(Gap(venue, "", last, span[1], "nothing was kept of it any more"))
    for venue in {venue for venue, _ in known}.difference(books):
        # Of a recording without a ledger all that is known is that it was made.
        books[venue] = _opened(venue)
        books[venue].feed.heard_since = span[0]
    chosen = {name: held for name, held in books.items() if not venues or name in venues}
    markets = sorted({asset for venue, asset in known if venue in chosen and (not assets or asset in assets)})
    account = _Account(list(chosen.values()), span[0], period)
    wanted: list[str | None] = [*([] if assets else [None]), *markets]
    return [row for asset in wanted for row in account.rows(asset)]


def _books(records: Iterator[FeedEvent], start: int, end: int) -> dict[str, VenueBooks]:
    """What the ledger, which begins at `start`, says of each venue until `end`.

    A gap may be told, or told to be refilled, after it.
    """
    books: dict[str, VenueBooks] = {}
    for record in records:
        held = books.get(record.venue)
        if held is None:
            held = books[record.venue] = _opened(record.venue)
            # One that does not begin with an attempt to connect is the rest of a longer one.
            if not (isinstance(record, FeedStatus) and record.state is FeedState.CONNECTING):
                held.feed.heard_since = start
        if isinstance(record, Gap):
            held.feed.gap(record)
        elif isinstance(record, FeedStatus) and record.ts <= end:
            held.feed.status(record)
        elif isinstance(record, Scope | Listing) and record.ts <= end:
            held.feed.reach.take(record)
    return books


def _opened(venue: str) -> VenueBooks:
    promise = VENUES[venue].coverage if venue in VENUES else _UNKNOWN
    held = VenueBooks(venue, promise, sample=promise.kind is CoverageKind.SAMPLE)
    held.feed = Feed(_EVERY_GAP)
    return held


class _Account:
    """What `venues` heard in `period`, of a ledger that begins at `started`."""

    def __init__(self, venues: Sequence[VenueBooks], started: int, period: Span) -> None:
        self._venues, self._started, self._period = sorted(venues, key=lambda held: held.venue), started, period

    def rows(self, asset: str | None) -> Iterator[Covered]:
        """Of all venues that list `asset` and count in sums, then of each that lists it."""
        listing = [held for held in self._venues if held.lists(asset)]
        missing = {held.venue: held.owed(self._started, self._period[1], asset) for held in listing}
        own = [self._row(held, asset, missing[held.venue]) for held in listing]
        counted = [(held, row) for held, row in zip(listing, own, strict=True) if not held.sample]
        if len(counted) > 1:
            together = [span for held, _ in counted for span in missing[held.venue]]
            least = max((row for _, row in counted), key=lambda row: little(row.coverage))
            whole = msgspec.structs.replace(
                least,
                venue=ALL,
                heard_share=self._share(together),
                at_least=any(row.at_least for _, row in counted),
                refused=any(row.refused for _, row in counted),
                gaps=(),
            )
            yield whole
        yield from own

    def _row(self, held: VenueBooks, asset: str | None, missing: Sequence[Span]) -> Covered:
        promise, (start, end) = held.coverage, self._period
        late = held.late(end)
        refused = held.feed.reach.lacks(asset)
        cut = unheard(interruptions(missing, self._started), start, end) > 0
        gaps = held.feed.every_gap(asset)
        return Covered(
            held.venue,
            ALL if asset is None else market_of(asset),
            promise.kind,
            promise.throttle.value,
            promise.interval,
            None if promise.since is None else promise.since.isoformat(),
            start,
            end,
            self._share([*missing, *late]),
            promise.lower_bound or refused or cut,
            refused,
            tuple(gap for gap in gaps if gap.start < end and gap.end > start),
        )

    def _share(self, missing: Sequence[Span]) -> float:
        start, end = self._period
        return 1.0 if end <= start else 1.0 - unheard(missing, start, end) / (end - start)
