"""Cascades as bars on a line of time, with the stretches in which a feed was down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from liquake.engine.snapshot import ALL, Episode
from liquake.model import Side
from liquake.tui import formats
from liquake.tui.outages import Stretch, stretches
from liquake.tui.panels.charts import first_moment
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, Column, fit, heading, phrase, row, shown, title
from liquake.tui.theme import Theme

_SECOND = 1_000_000_000
_LONGEST, _SHORTEST = 4 * 3600 * _SECOND, 900 * _SECOND
"""Most and least of the past that is shown."""
_NAME = 16
_NUMBERS = (
    Column("usd", "USD", 8, right=True, least=32),
    Column("lasted", "lasted", 6, right=True, least=56),
    Column("peak", "peak/min", 8, right=True, least=68),
    Column("events", "events", 6, right=True, least=100),
    Column("venues", "venues", 30, least=116),
)


def episodes_chart(picture: Picture, width: int, height: int) -> Sheet:
    """A row per cascade, those that go on first, then the newest; below them a row per venue that was down."""
    del height
    theme = picture.theme
    known, span = of_market(picture), _span(picture)
    past = formats.past((span[1] - span[0]) / 1e9)
    running = sum(episode.end is None for episode in known)
    subject: list[Cell] = [
        (f"{running} going on" if running else "none going on", theme["strong" if running else "muted"]),
        (f" {theme.glyphs.between} ", theme["faint"]),
        (f"the last {past}", theme["muted"]),
    ]
    since = first_moment(picture)
    columns = shown(_NUMBERS, width)
    room = max(width - _NAME - sum(column.width + 1 for column in columns), 1)
    down = [
        _down(venue, each, span, room, theme)[:width] for venue, each in _by_venue(stretches(picture.snapshot), span)
    ]
    first = title("CASCADES", subject, width, theme)
    if not known:
        words = "No cascade so far: a minute with more dollars than nearly all of the market's own week makes one."
        return Sheet([first, phrase([(words, theme["text"])], width, theme), *down])
    head = phrase([(f"{'market':<{_NAME}}", theme["muted"]), *_scale(past, room, theme)], _NAME + room, theme)
    head = head.append(" ").append_text(heading(columns, theme))[:width]

    def line(index: int) -> Text:
        episode = known[index]
        name = fit(episode.market.removesuffix("USDT"), _NAME - 7)
        start = phrase(
            [(f"{name} ", theme["text"]), (fit(episode.side.value, 6), theme.side(episode.side))], _NAME, theme
        )
        start.append_text(_bar(episode, span, since, room, theme))
        return start.append(" ").append_text(row(columns, _cells(episode, theme), theme))[:width]

    return Sheet([first, head], len(known), line, tail=down, position=theme["muted"])


def of_market(picture: Picture) -> list[Episode]:
    """Of the chosen market, as far as they reach into the time shown."""
    market, (start, _) = picture.view.market, _span(picture)
    return [
        episode
        for episode in picture.snapshot.episodes
        if market in (ALL, episode.market) and (episode.end is None or episode.last >= start)
    ]


def _span(picture: Picture) -> tuple[int, int]:
    """The time shown, UTC nanoseconds: not more than was watched, and not less than a quarter of an hour."""
    now = picture.snapshot.now
    return now - min(max(now - first_moment(picture), _SHORTEST), _LONGEST), now


def _place(ts: int, span: tuple[int, int], room: int) -> int:
    return min(max((ts - span[0]) * room // max(span[1] - span[0], 1), 0), room - 1)


def _bar(episode: Episode, span: tuple[int, int], since: int, room: int, theme: Theme) -> Text:
    """From its start to its latest liquidation; a sign at its end while it goes on. Sides have signs of their own.

    Nothing is drawn of the time before `since`, when nobody watched.
    """
    goes_on = episode.end is None
    first, last = _place(episode.start, span, room), _place(span[1] if goes_on else episode.last, span, room)
    sign = theme.glyphs.long_bar if episode.side is Side.LONG else theme.glyphs.short_bar
    style = theme.side(episode.side)
    blind = min(_place(since, span, room), first)
    line = Text(no_wrap=True, end="").append(" " * blind + theme.glyphs.track * (first - blind), theme["faint"])
    line.append(sign * (last - first + (not goes_on)), style)
    if goes_on:
        line.append(theme.glyphs.on, style + theme["loud"])
    return line.append(theme.glyphs.track * (room - last - 1), theme["faint"])


def _cells(episode: Episode, theme: Theme) -> Mapping[str, Cell]:
    venues = sorted(episode.by_venue, key=lambda venue: -episode.by_venue[venue])
    parts = (f"{venue} {formats.percent(episode.by_venue[venue], episode.usd)}" for venue in venues)
    return {
        "usd": (f"{theme.glyphs.at_least}{formats.dollars(episode.usd)}", theme["strong"]),
        "lasted": (formats.age(episode.duration), theme["number"]),
        "peak": (formats.dollars(episode.peak), theme["number"]),
        "events": (formats.count(episode.events), theme["muted"]),
        "venues": (" ".join(parts), theme["muted"]),
    }


def _by_venue(known: Sequence[Stretch], span: tuple[int, int]) -> list[tuple[str, list[Stretch]]]:
    inside = [each for each in known if each.end > span[0]]
    return [(venue, [e for e in inside if e.venue == venue]) for venue in dict.fromkeys(e.venue for e in inside)]


def _down(venue: str, known: Sequence[Stretch], span: tuple[int, int], room: int, theme: Theme) -> Text:
    cells = [" "] * room
    for each in known:
        for place in range(_place(each.start, span, room), _place(each.end, span, room) + 1):
            cells[place] = theme.glyphs.hatch
    name: Cell = (f"{fit(venue, _NAME - 1)} ", theme.venue(venue))
    return phrase([name, ("".join(cells), theme.venue(venue)), (" was down", theme["muted"])], _NAME + room + 9, theme)


def _scale(past: str, room: int, theme: Theme) -> list[Cell]:
    """The two ends of the line of time, as far as there is room for words."""
    words = next((words for words in (f"{past} ago", past, "") if len(words) + len(" now") <= room), "")
    return [(f"{words}{'now':>{max(room - len(words), 0)}}"[:room], theme["muted"])]
