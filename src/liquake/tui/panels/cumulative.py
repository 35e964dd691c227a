"""The same sums over every window side by side: by venue and side, and by market and side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.style import Style
from rich.text import Text

from liquake.engine.snapshot import ALL, TOTAL_WINDOWS, VenueState
from liquake.model import Side
from liquake.tui import bands, formats, sums
from liquake.tui.panels.overview import nothing
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.sums import Tally, tally
from liquake.tui.table import Cell, Column, heading, row, shown, title

MOST_MARKETS = 40
"""Markets with a row of their own, the largest first; the others are in the sums over all."""

_COLUMNS = (
    Column("name", "", 13, most=89),
    Column("name", "", 16, least=90),
    *(Column(name, name, 9, right=True) for name in TOTAL_WINDOWS),
    Column("share", "share", 6, right=True, least=88),
    Column("really", "1h really", 14, right=True, least=98, most=112),
    Column("coverage", "  coverage", 23, least=113),
    Column("heard", "heard", 6, right=True, least=120),
    Column("really", "1h really", 14, right=True, least=135),
)
_SIDES: tuple[Side | None, ...] = (None, Side.LONG, Side.SHORT)


class Line(msgspec.Struct, frozen=True):
    """One row: whose sums, of which market and side."""

    name: str
    style: Style
    market: str
    venue: str | None
    side: Side | None


def by_venue(picture: Picture, width: int, height: int) -> Sheet:
    """All venues, then each of them: both sides, longs, shorts."""
    del height
    market = picture.view.market
    subject = "all markets" if market == ALL else market
    return _table(picture, f"CUMULATIVE  {subject}", *venue_lines(picture), width)


def by_market(picture: Picture, width: int, height: int) -> Sheet:
    """The largest markets over all venues: both sides, longs, shorts."""
    del height
    return _table(picture, "BY MARKET", *market_lines(picture), width)


Counted = Mapping[str, Mapping[str, Tally]]
"""Sums by market and window."""


def venue_lines(picture: Picture) -> tuple[Counted, list[Line]]:
    """The rows over the venues, and the sums that they are read from."""
    theme, market = picture.theme, picture.view.market
    counted = _tallies(picture, market)
    lines = _sided("ALL", theme["strong"], market, None)
    for venue in counted[sums.SINCE_START].venues():
        lines += _sided(venue, theme.venue(venue), market, venue)
    return {market: counted}, lines


def market_lines(picture: Picture) -> tuple[Counted, list[Line]]:
    """The same over the markets."""
    counted: dict[str, Mapping[str, Tally]] = {}
    lines: list[Line] = []
    for market in picture.snapshot.markets[:MOST_MARKETS]:
        tallies = _tallies(picture, market)
        if tallies[sums.SINCE_START].sum().events:
            counted[market] = tallies
            lines += _sided(market, picture.theme["strong"], market, None)
    return counted, lines


def passing(picture: Picture, lines: Sequence[Line]) -> list[Line]:
    """Those that the filter lets through, by their venue or market and their side."""
    return [line for line in lines if picture.view.matches(line.name, line.market, line.side or "both")]


def _tallies(picture: Picture, market: str) -> Mapping[str, Tally]:
    return {window: tally(picture.snapshot, market, window) for window in TOTAL_WINDOWS}


def _sided(name: str, style: Style, market: str, venue: str | None) -> list[Line]:
    return [Line(name, style, market, venue, side) for side in _SIDES]


def _table(picture: Picture, name: str, counted: Counted, known: Sequence[Line], width: int) -> Sheet:
    theme = picture.theme
    first, _, rest = name.partition("  ")
    lines = passing(picture, known)
    subject = [*([(f"{rest} ", theme["strong"])] if rest else []), (_unit(picture), theme["strong"])]
    subject += sums.heard(picture, picture.view.market, sums.SINCE_START) if rest else []
    head = title(first, [*subject, *picture.only(len(lines), len(known))], width, theme)
    whole = next(iter(counted.values()), None)
    if whole is None or not whole[sums.SINCE_START].sum().events:
        return Sheet([head, *(nothing(picture, width) if rest else [])])
    if not lines:
        return Sheet([head, *picture.nothing_passes(width)])
    columns = shown(_COLUMNS, width)
    hours = {market: bands.bands(picture.snapshot, market) for market in counted}

    def line(index: int) -> Text:
        entry = lines[index]
        return row(columns, _cells(picture, counted[entry.market], entry, hours[entry.market]), theme)

    return Sheet([head, heading(columns, theme)], len(lines), line, position=theme["muted"])


def _unit(picture: Picture) -> str:
    if picture.view.sums_in_dollars:
        return "in dollars"
    return "in coins" if picture.view.market != ALL else "in events"


def _cells(
    picture: Picture, counted: Mapping[str, Tally], line: Line, hours: Mapping[str, bands.Band]
) -> dict[str, Cell]:
    theme = picture.theme
    style = line.style if line.side is None else theme.side(line.side)
    cells: dict[str, Cell] = {"name": (line.name if line.side is None else f"  {line.side}", style)}
    for window, tallied in counted.items():
        total = tallied.sum(line.venue, line.side)
        tone = theme["number"] if line.side is None else theme.side(line.side)
        cells[window] = _amount(picture, tallied, line), tone if total.events else theme["faint"]
    whole = counted[sums.SINCE_START]
    share = formats.percent(
        whole.sum(line.venue, line.side).usd, whole.sum(None if line.side is None else line.venue).usd
    )
    cells["share"] = share, theme["muted"]
    if line.side is None:
        in_dollars = picture.view.sums_in_dollars or picture.view.market != ALL
        cells["really"] = bands.words(hours, line.venue or ALL, theme, dollars=in_dollars), theme["muted"]
        cells["coverage"] = "  " + _coverage(picture, whole, line), theme["muted"]
        cells["heard"] = _heard(picture, line), theme["muted"]
    return cells


def _amount(picture: Picture, counted: Tally, line: Line) -> str:
    theme, total = picture.theme, counted.sum(line.venue, line.side)
    least = counted.least(line.venue, line.side)
    if not total.events:
        return theme.glyphs.between
    if picture.view.sums_in_dollars:
        return sums.usd(total, theme, least=least)
    if picture.view.market != ALL:
        return sums.coins(total, theme, least=least)
    return (theme.glyphs.at_least if least else "") + formats.short(float(total.events)).removesuffix(".00")


def _coverage(picture: Picture, counted: Tally, line: Line) -> str:
    """How far a sum can be relied on, in a word."""
    if line.venue is not None:
        return next(
            (_kind(feed, picture, line.market) for feed in picture.snapshot.venues if feed.venue == line.venue), ""
        )
    venues = [venue for venue in counted.by_venue if counted.sum(venue).events]
    short = sum(venue in counted.floors for venue in venues)
    return f"{100.0 * counted.bounded():.0f}% at least ({short} of {len(venues)})" if short else "complete"


def _kind(feed: VenueState, picture: Picture, market: str) -> str:
    """What a feed shows of a market, and whether the venue refused some of it."""
    kept = sums.covered(picture.snapshot, feed.venue, market)
    if kept is None:
        return feed.kind.lower()
    return kept.kind.lower() + (", some refused" if kept.refused else "")


def _heard(picture: Picture, line: Line) -> str:
    """The part of the run in which it was heard."""
    kept = sums.covered(picture.snapshot, line.venue or ALL, line.market)
    return "" if kept is None else formats.share(kept.covered.get(sums.SINCE_START, 0.0))
