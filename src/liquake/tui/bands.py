"""Between what and what the last hour really lies where a throttle hid some of it, and where nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor

import msgspec

from liquake.engine.snapshot import ALL, MarketCoverage, Snapshot, Sum, Understatement, VenueState
from liquake.model import CoverageKind, Throttle
from liquake.tui import formats
from liquake.tui.sums import Tally, at_least, covered, tally
from liquake.tui.theme import Theme

HOUR = "1h"
"""The window of `TOTAL_WINDOWS` that is estimated."""
TITLE = "last hour really"
WIDTH = len(TITLE)
_MISSED = 36.0
"""Seconds of the hour without the venue after which nothing is said from above; an outage that goes on counts too."""
_GROWN = 1.05
"""Times the orders that the estimate knows of: with more, it is of another hour than the sum beside it."""
_MORE = 2
"""Orders beyond those, since the windows of the sums begin at whole minutes."""


class Band(msgspec.Struct, frozen=True):
    """Orders and dollars of the last hour, at least and at most; `None` where nothing tells how many at most."""

    events: tuple[float, float | None]
    usd: tuple[float, float | None]


def bands(snapshot: Snapshot, market: str) -> dict[str, Band]:
    """By venue, of those that had something and hide some by a rule: of the others the sum says all there is to say.

    And of `ALL` together, if there is one of them: the lower ends added, and the upper ones, as of errors that every
    venue has at once; without an upper end where one lacks it.
    """
    counted, feeds = tally(snapshot, market, HOUR), snapshot.venues
    told = {said.venue: said for said in snapshot.understatements if said.market == market}
    found: dict[str, Band] = {}
    for feed in feeds:
        shown = counted.sum(feed.venue)
        if feed.coverage.throttle is not Throttle.NONE and (shown.events or feed.venue in told):
            found[feed.venue] = _estimated(told.get(feed.venue), shown, covered(snapshot, feed.venue, market))
    if found:
        others = [_as_shown(snapshot, counted, feed) for feed in feeds if feed.venue not in found and _counts(feed)]
        found[ALL] = _together([*found.values(), *others])
    return found


def _counts(feed: VenueState) -> bool:
    """Whether it is in the sums, which a sample is only in a session that asked for that."""
    return feed.coverage.kind is not CoverageKind.SAMPLE or feed.events > 0


def _estimated(said: Understatement | None, shown: Sum, kept: MarketCoverage | None) -> Band:
    """What was `said`, held against what is known by now: an upper end stands only while it is of the same hour."""
    if said is None:
        return Band((shown.events, None), (shown.usd, None))
    missed = kept is not None and (kept.refused or kept.lost.get(HOUR, 0.0) > _MISSED)
    bounded = not missed and shown.events <= _GROWN * said.events + _MORE
    return Band(
        _raised(said.events_at_least, said.events_at_most if bounded else None, shown.events),
        _raised(said.usd_at_least, said.usd_at_most if bounded and not shown.unsized else None, shown.usd),
    )


def _raised(low: float, high: float | None, shown: float) -> tuple[float, float | None]:
    """Never less than what the sum beside it shows."""
    return max(low, shown), None if high is None else max(high, shown)


def _as_shown(snapshot: Snapshot, counted: Tally, feed: VenueState) -> Band:
    """Of a venue of which nothing is estimated: what it showed, and at most that where that is all there was."""
    shown, kept = counted.sum(feed.venue), covered(snapshot, feed.venue, counted.market)
    if feed.coverage.throttle is Throttle.NONE:
        whole = feed.coverage.kind is CoverageKind.COMPLETE and not at_least(snapshot, feed, counted.market, HOUR)
    else:
        whole = kept is None or not (kept.refused or kept.lost.get(HOUR, 0.0))
    return Band(
        (shown.events, shown.events if whole else None),
        (shown.usd, shown.usd if whole and not shown.unsized else None),
    )


def _together(parts: Sequence[Band]) -> Band:
    return Band(_added(part.events for part in parts), _added(part.usd for part in parts))


def _added(ends: Iterable[tuple[float, float | None]]) -> tuple[float, float | None]:
    low, high = zip(*ends, strict=True)
    return sum(low), None if None in high else sum(high)


def usd(low: float, high: float | None, theme: Theme) -> str:
    """Dollars from and to, or at least: `$21.0M-34.2M`, `≥$21.0M to ?`, `$127k` where nothing was hidden."""
    return _between(formats.dollars(low), None if high is None else formats.dollars(high), theme)


def orders(low: float, high: float | None, theme: Theme) -> str:
    """Whole orders from and to, the range rather too wide than too narrow."""
    return _between(formats.count(floor(low)), None if high is None else formats.count(ceil(high)), theme)


def words(told: Mapping[str, Band], venue: str, theme: Theme, *, dollars: bool = True) -> str:
    """For a cell of a table, from what `bands` gave; empty where nothing is withheld by a rule."""
    if venue not in told:
        return ""
    return usd(*told[venue].usd, theme) if dollars else orders(*told[venue].events, theme)


def _between(low: str, high: str | None, theme: Theme) -> str:
    if high is None:
        return f"{theme.glyphs.at_least}{low} to ?"
    return low if low == high else f"{low}-{high.removeprefix('$')}"
