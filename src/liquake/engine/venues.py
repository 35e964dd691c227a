"""The venues that events came from: the books of each, and what became of its feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liquake.analytics.silence import Silence
from liquake.engine.books import VenueBooks
from liquake.engine.ledger import History
from liquake.engine.watch import Watch
from liquake.model import Coverage, CoverageKind, FeedEvent, FeedState, FeedStatus, Gap, Listing, Scope
from liquake.model.feed import LIQUIDATIONS

_UNKNOWN = Coverage(CoverageKind.THROTTLED, "Nothing is known of what this feed leaves out.")


class Venues:
    """Those of `coverages` and whichever else send something. Times are UTC nanoseconds.

    What their feeds go through is held here and told to `watch`, which says in turn whose silence is no chance.
    """

    def __init__(self, coverages: Mapping[str, Coverage], watch: Watch, *, include_samples: bool) -> None:
        self.books: dict[str, VenueBooks] = {}
        """For readers in a hurry; `of` and the beginning alone write to it."""
        self.history = History()
        self._watch, self._include_samples = watch, include_samples
        self._silences: tuple[Silence, ...] = ()
        for name, coverage in coverages.items():
            self._open(name, coverage)

    def of(self, name: str) -> VenueBooks:
        """The books of a venue; one that nothing is known of is opened."""
        return self.books.get(name) or self._open(name, _UNKNOWN)

    def _open(self, name: str, coverage: Coverage) -> VenueBooks:
        sample = coverage.kind is CoverageKind.SAMPLE and not self._include_samples
        venue = self.books[name] = VenueBooks(name, coverage, sample=sample)
        return venue

    def recall(self, event: FeedEvent) -> None:
        """What became of a feed before this process began."""
        self.of(event.venue).feed.recall(event)

    def silent_since(self, name: str, moment: int) -> int:
        """Since when not all of a venue had been heard by `moment`, of what was recalled."""
        return self.books[name].feed.silent_since(moment) if name in self.books else moment

    def remember(self, keys: Iterable[tuple[str, str]]) -> None:
        """Know the events of these venues and keys."""
        for name, key in keys:
            venue = self.books.get(name)
            if venue is not None:
                venue.duplicates.recalled(key)

    def take(self, event: FeedEvent) -> None:
        """What became of a feed now."""
        feed = self.of(event.venue).feed
        if isinstance(event, FeedStatus):
            self._status(event)
        elif isinstance(event, Gap):
            self._gap(event)
        elif isinstance(event, Scope | Listing):
            feed.reach.take(event)
        else:
            feed.error(event)
            self.history.error(event)

    def _status(self, status: FeedStatus) -> None:
        feed = self.books[status.venue].feed
        if not feed.status(status):
            return
        self.history.status(status)
        self._watch.silence.listen(status.venue, feed.audible())
        if status.connection == LIQUIDATIONS and not feed.mute:
            self._watch.silence.hear(status.venue, status.ts)

    def _gap(self, gap: Gap) -> None:
        self.books[gap.venue].feed.gap(gap)
        self.history.gap(gap)
        if not gap.recovered:
            self._watch.interrupt(gap)

    def heed(self) -> None:
        """Hold which venues are dark by now; a silence that is over leaves a gap."""
        before, now = self._silences, self._watch.silence.value()
        if now is before:
            return
        for silence in now:
            self._hush(silence)
        still = {silence.venue for silence in now}
        for over in before:
            if over.venue not in still:
                self._speak(over)
        self._silences = now

    def _hush(self, silence: Silence) -> None:
        feed = self.books[silence.venue].feed
        if feed.hush(silence):
            reason = feed.connections[LIQUIDATIONS].reason
            self.history.status(FeedStatus(silence.venue, LIQUIDATIONS, FeedState.DARK, silence.found, "", reason))

    def _speak(self, over: Silence) -> None:
        venue = self.books[over.venue]
        if (held := venue.feed.speak()) is not None:
            end = max(venue.last_liquidation or 0, over.found)
            self._gap(Gap(over.venue, LIQUIDATIONS, over.since, end, f"dark: {held.reason}"))
