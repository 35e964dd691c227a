"""Five minutes of velocity and price, and hours of liquidations by side, drawn from the engine's own series."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from math import sqrt

from rich.style import Style
from rich.text import Text

from liquake.engine.snapshot import ALL, Charts, Series
from liquake.model import Liquidation, Side
from liquake.tui import formats, sums
from liquake.tui.outages import Stretch, away, heard, stretches, unheard
from liquake.tui.panels.tape import recent
from liquake.tui.picture import Picture
from liquake.tui.plot import Canvas, Scale, band, ceiling, curve, mirrored_bars
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, phrase, title, whole
from liquake.tui.theme import Theme

WINDOW = 10
"""Seconds over which each point of the velocity is counted."""
_LABEL = 9
"""Cells for the numbers of an axis."""
_SECOND = 1_000_000_000
_SHOWN = 300 * _SECOND
"""Of the velocity and the price."""
_ROOMY = 70
_EMPTY = (" ", "\N{BRAILLE PATTERN BLANK}")
PRICED = "BTCUSDT"
"""Whose price is drawn while all markets are shown."""


def velocity_chart(picture: Picture, width: int, height: int) -> Sheet:
    """Liquidations, or dollars, per second over the 10 s before each point, with one standard error."""
    theme, view = picture.theme, picture.view
    roomy = width >= _ROOMY
    unit = "dollars" if view.dollars else "liquidations" if roomy else "events"
    words = f"{unit} per second, over {WINDOW} s each" if roomy else f"{unit}/s in {WINDOW} s"
    parts = [_market(picture, view.market, roomy=roomy), [(words, theme["muted"])], *_bound(picture)]
    parts += _down_mark(picture, picture.snapshot.now - _SHOWN)
    head = title("VELOCITY", whole(parts, width - len("VELOCITY  "), ""), width, theme)
    charts = picture.snapshot.charts.get(view.market)
    if charts is None or not picture.snapshot.events:
        return Sheet([head, *_waiting(picture, "The curve begins with the first liquidation.", width)])
    known, series = stretches(picture.snapshot), charts.seconds
    points = _holed(
        velocities(series, first_moment(picture), picture.snapshot.as_of, dollars=view.dollars), series, picture, known
    )
    top = ceiling(max((value + error for value, error in filter(None, points)), default=0.0))
    canvas = _canvas(width, height, theme)
    band(canvas, Scale(0.0, top, canvas.down), points, theme["strong"], theme["chart.band"])
    prefix = "$" if view.dollars else ""
    drawn = _hatched(canvas.lines(), _edges_of(series, canvas.width), picture, known)
    lines = _with_axis(drawn, f"{prefix}{formats.short(top)}", f"{prefix}0", theme)
    return Sheet([head, *lines, _times(series, width, theme)])


def velocities(series: Series, first: int, as_of: int, *, dollars: bool) -> list[tuple[float, float] | None]:
    """(rate, standard error) per second at the end of each bucket, over the `WINDOW` seconds before it.

    `None` where the window reaches back before `first` or the end lies after `as_of`, when prints are still on their
    way. The error is that of a compound Poisson stream (Campbell): the root of the summed squares over the window.
    """
    events = [long + short for long, short in zip(series.long_events, series.short_events, strict=True)]
    usd = [long + short for long, short in zip(series.long_usd, series.short_usd, strict=True)]
    sums, squares = (usd, series.usd_squares) if dollars else (events, events)
    points: list[tuple[float, float] | None] = []
    for index in range(len(events)):
        end = series.end - (len(events) - 1 - index) * round(series.step * _SECOND)
        if index + 1 < WINDOW or end > as_of or end - WINDOW * _SECOND < first:
            points.append(None)
            continue
        span = slice(index + 1 - WINDOW, index + 1)
        points.append((sum(sums[span]) / WINDOW, sqrt(sum(squares[span])) / WINDOW))
    return points


def _holed(
    points: Sequence[tuple[float, float] | None], series: Series, picture: Picture, known: Collection[Stretch]
) -> list[tuple[float, float] | None]:
    """Without those whose window saw a time in which no feed was heard: they would be too low, or a false zero."""
    if not known:
        return list(points)
    venues, step, reach = heard(picture.snapshot), round(series.step * _SECOND), WINDOW * _SECOND
    first = series.end - (len(points) - 1) * step
    return [
        None if unheard(known, venues, first + index * step - reach, first + index * step) else point
        for index, point in enumerate(points)
    ]


def _edges_of(series: Series, cells: int) -> list[int]:
    """The moments between which each of `cells` columns lies, one more than there are columns."""
    length = len(series.long_events) * round(series.step * _SECOND)
    return [series.end - length + length * index // cells for index in range(cells + 1)]


def _hatched(lines: Sequence[Text], edges: Sequence[int], picture: Picture, known: Collection[Stretch]) -> list[Text]:
    """`lines` with columns hatched where feeds were down: all the way down where none was heard, else at the foot."""
    if not known:
        return list(lines)
    theme, venues = picture.theme, heard(picture.snapshot)
    marks: dict[int, tuple[Style, bool]] = {}
    for index, (start, end) in enumerate(pairwise(edges)):
        down = away(known, start, end)
        if down:
            style = theme.venue(next(iter(down))) if len(down) == 1 else theme["state.trouble"]
            marks[index] = style, unheard(known, venues, start, end)
    return [_crossed(line, marks, theme, last=line is lines[-1]) for line in lines]


def _crossed(line: Text, marks: Mapping[int, tuple[Style, bool]], theme: Theme, *, last: bool) -> Text:
    """`line` with the sign for a feed that was down in those of its empty cells that are marked."""
    if not marks:
        return line
    crossed = Text(no_wrap=True, end="")
    for index, sign in enumerate(line.plain.ljust(max(marks) + 1)):
        style, all_the_way = marks.get(index, (Style(), False))
        if index in marks and (all_the_way or last) and sign in _EMPTY:
            crossed.append(theme.glyphs.hatch, style)
        elif index < len(line):
            crossed.append_text(line[index])
        else:
            crossed.append(" ")
    return crossed


def _bound(picture: Picture) -> list[list[Cell]]:
    """In a title: that what is drawn is a lower bound, where some venue withholds."""
    theme = picture.theme
    return [[(f" {theme.glyphs.at_least} at least ", theme["muted"])]] if sums.mixed(picture.snapshot) else []


def _down_mark(picture: Picture, since: int) -> list[list[Cell]]:
    """In a title: what the hatching means, where there is any."""
    theme = picture.theme
    names = sorted({each.venue for each in stretches(picture.snapshot) if each.end > since})
    if not names:
        return []
    what = names[0] if len(names) == 1 else f"{len(names)} feeds"
    return [[(f" {theme.glyphs.hatch} {what} down", theme["state.trouble"])]]


def sides_chart(picture: Picture, width: int, height: int) -> Sheet:
    """A column per minute: longs upwards, shorts downwards, the newest on the right and still growing."""
    theme, view = picture.theme, picture.view
    roomy = width >= _ROOMY
    unit = ("dollars" if roomy else "$") if view.sums_in_dollars else "events"
    parts = [
        _market(picture, view.market, roomy=roomy),
        [(f"{unit} {'per minute' if roomy else 'a min'} ", theme["muted"])],
        *_bound(picture),
        *_down_mark(picture, first_moment(picture)),
        [(f" LONG {theme.glyphs.up} ", theme["side.long"])],
        [(f"SHORT {theme.glyphs.down}", theme["side.short"])],
    ]
    head = title("BY SIDE", whole(parts, width - len("BY SIDE  "), ""), width, theme)
    charts = picture.snapshot.charts.get(view.market)
    if charts is None or not picture.snapshot.events:
        return Sheet([head, *_waiting(picture, "A column for each minute follows.", width)])
    series = charts.minutes
    longs, shorts = (
        (series.long_usd, series.short_usd) if view.sums_in_dollars else (series.long_events, series.short_events)
    )
    shown = min(max(width - _LABEL, 1), len(longs))
    each = max((width - _LABEL) // _minutes_since(series, first_moment(picture)), 1)
    shown = min(shown, (width - _LABEL) // each)
    up, down = ([value for value in side[-shown:] for _ in range(each)] for side in (longs, shorts))
    styles = theme["side.long"], theme["side.short"]
    bars = mirrored_bars(up, down, max(height - 2, 1), styles, unicode=theme.unicode)
    largest = max(*up, *down)
    most = formats.dollars(largest) if view.sums_in_dollars else formats.count(int(largest))
    minute = 60 * _SECOND
    edges = [series.end - shown * minute + index * minute // each for index in range(shown * each + 1)]
    lines = _with_axis(_hatched(bars, edges, picture, stretches(picture.snapshot)), most, most, theme)
    return Sheet([head, *lines, _minutes(shown, each, width, theme)])


def _minutes_since(series: Series, first: int) -> int:
    """How many minutes there are to show: not more than are held, not fewer than a quarter of an hour."""
    held = len(series.long_events)
    return min(max(-(-(series.end - first) // (60 * _SECOND)), 15), held)


def price_chart(picture: Picture, width: int, height: int) -> Sheet:
    """The price second by second, with the liquidations from the tape's threshold on where they happened."""
    theme, view, snapshot = picture.theme, picture.view, picture.snapshot
    market = PRICED if view.market == ALL else view.market
    marks: list[list[Cell]] = [
        [(f"{market} ", theme["strong"])],
        [(f"{theme.glyphs.down} LONG ", theme["side.long"])],
        [(f"{theme.glyphs.up} SHORT ", theme["side.short"])],
        [(f"from {formats.dollars(view.threshold)}", theme["muted"])],
    ]
    head = title("PRICE", whole(marks, width - len("PRICE  "), ""), width, theme)
    charts = snapshot.charts.get(market)
    prices = () if charts is None else charts.prices
    known = [price for price in prices if price is not None]
    if charts is None or not known:
        return Sheet([head, *_waiting(picture, f"No price of {market} in the last five minutes.", width)])
    low, high = min(known), max(known)
    margin = max((high - low) * 0.1, high * 1e-5)
    canvas = _canvas(width, height, theme)
    scale = Scale(low - margin, high + margin, canvas.down)
    curve(canvas, scale, _held(prices), theme["strong"])
    _mark(canvas, scale, charts, [entry for entry in recent(snapshot) if _marked(entry, market, picture)], theme)
    lines = _with_axis(canvas.lines(), formats.price(high + margin), formats.price(low - margin), theme)
    return Sheet([head, *lines, _times(charts.seconds, width, theme)])


def _held(prices: Sequence[float | None]) -> list[float | None]:
    """A price stands until the next one, for ten seconds at most: a longer hole is one."""
    held: list[float | None] = []
    last, age = None, 0
    for price in prices:
        last, age = (last, age + 1) if price is None else (price, 0)
        held.append(last if age <= WINDOW else None)
    return held


def _marked(entry: Liquidation, market: str, picture: Picture) -> bool:
    return f"{entry.asset}USDT" == market and entry.usd is not None and entry.usd >= picture.view.threshold


def _mark(canvas: Canvas, scale: Scale, charts: Charts, entries: Sequence[Liquidation], theme: Theme) -> None:
    """The oldest first, so that the newest lies on top. On the curve, since venues mean different prices by "price"."""
    series = charts.seconds
    count, step = len(series.long_events), round(series.step * _SECOND)
    start = series.end - count * step
    prices = _held(charts.prices)
    for entry in reversed(entries):
        place = (entry.ts_event - start) // step
        price = prices[place] if 0 <= place < count else None
        if price is None:
            continue
        sign = theme.glyphs.down if entry.side is Side.LONG else theme.glyphs.up
        x = round(place * (canvas.across - 1) / (count - 1))
        canvas.sign(x, scale.y(price), sign, theme.side(entry.side) + theme["loud"])


def _market(picture: Picture, market: str, *, roomy: bool) -> list[Cell]:
    theme = picture.theme
    name = market if market != ALL else "all markets" if roomy else "all"
    return [(name, theme["strong"]), (f" {theme.glyphs.between} ", theme["faint"])]


def first_moment(picture: Picture) -> int:
    """When watching began, UTC nanoseconds."""
    started = picture.snapshot.started
    return picture.snapshot.now if started is None else started


def _waiting(picture: Picture, words: str, width: int) -> list[Text]:
    if picture.snapshot.events and not picture.snapshot.charts:
        words = f"The charts are not in this picture: {picture.status.missing}."
    return [phrase([(words, picture.theme["text"])], width, picture.theme)]


def _canvas(width: int, height: int, theme: Theme) -> Canvas:
    return Canvas(max(width - _LABEL, 1), max(height - 2, 1), unicode=theme.unicode)


def _with_axis(lines: Sequence[Text], top: str, bottom: str, theme: Theme) -> list[Text]:
    """The numbers of the vertical axis at both ends, before the lines."""
    labels = [top, *[""] * (len(lines) - 2), bottom] if len(lines) > 1 else [top]
    labelled = []
    for label, line in zip(labels, lines, strict=True):
        start = Text(f"{label:>{_LABEL - 1}}"[: _LABEL - 1] + " ", theme["muted"], no_wrap=True, end="")
        labelled.append(start.append_text(line))
    return labelled


def _times(series: Series, width: int, theme: Theme) -> Text:
    """How long ago the left edge is, and the middle."""
    length = len(series.long_events) * series.step
    return _edges(f"{formats.past(length)} ago", f"{formats.past(length / 2)} ago", "now", width, theme)


def _minutes(shown: int, each: int, width: int, theme: Theme) -> Text:
    words = f"{formats.past(60.0 * shown)} ago", f"{formats.past(30.0 * shown)} ago", "now"
    return _edges(*words, min(width, _LABEL + shown * each), theme)


def _edges(left: str, middle: str, right: str, width: int, theme: Theme) -> Text:
    room = max(width - _LABEL, 1)
    if room < 2 * len(left) + len(middle) + 2:
        middle = ""
    line = f"{left}{middle:^{max(room - 2 * len(left), 0)}}{right:>{len(left)}}"
    return phrase([(" " * _LABEL, theme["muted"]), (line, theme["muted"])], width, theme)
