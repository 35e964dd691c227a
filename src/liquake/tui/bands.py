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
    band, bounded = standing(said, kept), shown.events <= _GROWN * said.events + _MORE
    return Band(
        _raised(band.events, shown.events, bounded=bounded),
        _raised(band.usd, shown.usd, bounded=bounded and not shown.unsized),
    )


def standing(said: Understatement, kept: MarketCoverage | None) -> Band:
    """What was `said`, without an upper end where the venue was `kept` from us, or kept some of its contracts."""
    missed = kept is not None and (kept.refused or kept.lost.get(HOUR, 0.0) > _MISSED)
    return Band(
        (said.events_at_least, None if missed else said.events_at_most),
        (said.usd_at_least, None if missed else said.usd_at_most),
    )


def _raised(ends: tuple[float, float | None], shown: float, *, bounded: bool) -> tuple[float, float | None]:
    """Never less than what the sum beside it shows, and from above only where it is `bounded`."""
    low, high = ends
    return max(low, shown), max(high, shown) if bounded and high is not None else None


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


def usd(ends: tuple[float, float | None], sign: str) -> str:
    """Dollars from and to, or with the `sign` of a lower bound: `$21.0M-34.2M`, `≥$21.0M to ?`, `$127k` where next to
    nothing was hidden."""
    low, high = ends
    return _between(formats.dollars(low), None if high is None else formats.dollars(high), sign)


def orders(ends: tuple[float, float | None], sign: str) -> str:
    """Whole orders from and to, the range rather too wide than too narrow."""
    low, high = ends
    return _between(formats.count(floor(low)), None if high is None else formats.count(ceil(high)), sign)


def words(told: Mapping[str, Band], venue: str, theme: Theme, *, dollars: bool = True) -> str:
    """For a cell of a table, from what `bands` gave; empty where nothing is withheld by a rule."""
    if venue not in told:
        return ""
    band, sign = told[venue], theme.glyphs.at_least
    return usd(band.usd, sign) if dollars else orders(band.events, sign)


def sentence(said: Understatement, kept: MarketCoverage | None, sign: str) -> str:
    """What a venue showed, and what it must have had."""
    band = standing(said, kept)
    events = f"{formats.count(said.events)} events shown, {orders(band.events, sign)} really"
    return f"{events}; {formats.dollars(said.usd)} shown, {usd(band.usd, sign)} really"


def plain(said: Understatement, kept: MarketCoverage | None) -> dict[str, str | float | None]:
    """The same as plain values, dollars to the cent."""
    band = standing(said, kept)
    (least, most), (usd_least, usd_most) = band.events, band.usd
    return {
        "venue": said.venue,
        "market": said.market,
        "events": said.events,
        "events_at_least": floor(least),
        "events_at_most": None if most is None else ceil(most),
        "usd": round(said.usd, 2),
        "usd_at_least": round(usd_least, 2),
        "usd_at_most": None if usd_most is None else round(usd_most, 2),
    }


def _between(low: str, high: str | None, sign: str) -> str:
    if high is None:
        return f"{sign}{low} to ?"
    return low if low == high else f"{low}-{high.removeprefix('$')}"
