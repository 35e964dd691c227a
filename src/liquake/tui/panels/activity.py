"""What each venue last did in each market, what its numbers cover, and how one knows that a quiet feed is alive."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from liquake.engine.snapshot import ALL, Activity, Snapshot, Sum, VenueState
from liquake.model import CoverageKind
from liquake.tui import formats, sums
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, Column, fit, heading, phrase, row, shown, title
from liquake.tui.theme import Theme, in_trouble

_COLUMNS = (
    Column("mark", "", 1),
    Column("venue", "venue", 11),
    Column("market", "market", 10, most=99),
    Column("market", "market", 14, least=100),
    Column("age", "last", 6, right=True),
    Column("state", "", 4),
    Column("side", "side", 5),
    Column("size", "size", 13, right=True),
    Column("usd", "USD", 7, right=True),
    Column("hour", "1 h USD", 8, right=True),
    Column("share", "long", 4, right=True, most=99),
    Column("long", "1 h LONG", 9, right=True, least=100),
    Column("short", "1 h SHORT", 9, right=True, least=100),
    Column("events", "1 h events", 10, right=True, least=110),
)

_LEGEND_FROM = 9
"""Lines of room from which the marks are explained in place; a smaller panel leaves that to the help."""


def activity(picture: Picture, width: int, height: int) -> Sheet:
    """One row per venue and market, the most recent first; below them each feed that is quiet or in trouble."""
    snapshot, theme = picture.snapshot, picture.theme
    if not snapshot.venues:
        sentence = phrase([("Connecting: no venue yet.", theme["text"])], width, theme)
        return Sheet([title("EXCHANGE ACTIVITY", [], width, theme), sentence])
    feeds = {venue.venue: venue for venue in snapshot.venues}
    market = picture.view.market
    of_market = [entry for entry in snapshot.activity if market in (ALL, entry.market)]
    busy = [entry for entry in of_market if picture.view.matches(entry.venue, entry.market, entry.last.side)]
    silent = [_silence(feed, picture, width) for feed in _silent(snapshot, of_market)]
    legend = [_legend(snapshot, theme, width)] if height >= _LEGEND_FROM else []
    subject = [*_subject(picture, len(busy)), *picture.only(len(busy), len(of_market))]
    first = title("EXCHANGE ACTIVITY", subject, width, theme)
    columns = shown(_COLUMNS, width)
    hidden = picture.nothing_passes(width) if of_market else []
    head = [first, heading(columns, theme)] if busy else [first, *hidden]

    def line(index: int) -> Text:
        entry = busy[index]
        return row(columns, _cells(entry, feeds[entry.venue], picture), theme)

    return Sheet(head, len(busy), line, silent, legend, theme["muted"])


def _subject(picture: Picture, pairs: int) -> list[Cell]:
    view, theme = picture.view, picture.theme
    parts = [] if view.market == ALL else [(f"{view.market}  ", theme["strong"])]
    if pairs > 1:
        parts.append(("the latest first", theme["muted"]))
    if view.market != ALL:
        parts += sums.heard(picture, view.market, "1h", " of 1 h")
    return parts


def _silent(snapshot: Snapshot, busy: list[Activity]) -> list[VenueState]:
    heard = {entry.venue for entry in busy}
    return [feed for feed in snapshot.venues if feed.venue not in heard or in_trouble(feed.state)]


def _silence(feed: VenueState, picture: Picture, width: int) -> Text:
    """Why a feed shows nothing: it lives and waits, is on its way, or is in trouble, since when and why."""
    theme = picture.theme
    parts = [
        (theme.coverage(feed.coverage.kind, feed.state), picture.tone(feed)),
        (f" {fit(feed.venue, 11)} ", theme.venue(feed.venue)),
        (_reason(feed, picture), theme["text" if in_trouble(feed.state) else "muted"]),
    ]
    return phrase(parts, width, theme)


def _reason(feed: VenueState, picture: Picture) -> str:
    now, word = picture.snapshot.now, picture.word(feed)
    pulse = "no heartbeat yet" if feed.last_recv is None else f"last heartbeat {_ago(feed.last_recv, now)}"
    if in_trouble(feed.state):
        worst = next(connection for connection in feed.connections if connection.state is feed.state)
        why = f" ({worst.reason})" if worst.reason else ""
        return f"{word} for {formats.age((now - worst.since) / 1e9)}{why}; {pulse}"
    if word == "recorded":
        return "recorded, without the states of its connections; nothing here so far"
    if word != "live":
        return f"{word}; {pulse}"
    market = "" if picture.view.market == ALL else f" for {picture.view.market}"
    return f"waiting{market}: no liquidation so far; {pulse}"


def _ago(ts: int, now: int) -> str:
    return f"{formats.age((now - ts) / 1e9)} ago"


def _cells(entry: Activity, feed: VenueState, picture: Picture) -> Mapping[str, Cell]:
    theme, last, state = picture.theme, entry.last, entry.state
    fresh = theme[f"age.{state}"]
    return {
        "mark": (theme.coverage(feed.coverage.kind, feed.state), picture.tone(feed)),
        "venue": (entry.venue, theme.venue(entry.venue)),
        "market": (entry.market, fresh),
        "age": (formats.age(entry.age), fresh),
        "state": (state, fresh),
        "side": (last.side, theme.side(last.side)),
        "size": (formats.coins(last.amount, last.asset), theme["number"]),
        "usd": (formats.dollars(last.usd), theme["number"]),
        "hour": (_volume(entry.hour, feed, picture, entry.market), theme["number"]),
        "share": (formats.percent(entry.hour_long.usd, entry.hour.usd), theme["muted"]),
        "long": (_volume(entry.hour_long, feed, picture, entry.market), theme["side.long"]),
        "short": (_volume(entry.hour_short, feed, picture, entry.market), theme["side.short"]),
        "events": (_events(entry.hour, feed, picture, entry.market), theme["muted"]),
    }


def _volume(volume: Sum, feed: VenueState, picture: Picture, market: str) -> str:
    """Dollars; "at least" where the feed withholds some or the size of some is not known.

    A dash where a sample is left out of the sums: none were added, which is not the same as none having happened.
    """
    if volume.unsized and volume.unsized == volume.events:
        return formats.UNKNOWN
    if feed.coverage.kind is CoverageKind.SAMPLE and not volume.events:
        return "-"
    theme = picture.theme
    least = volume.events > 0 and (volume.unsized > 0 or _bounded(feed, picture, market))
    return (theme.glyphs.at_least if least else "") + formats.dollars(volume.usd)


def _events(volume: Sum, feed: VenueState, picture: Picture, market: str) -> str:
    least = volume.events > 0 and _bounded(feed, picture, market)
    return (picture.theme.glyphs.at_least if least else "") + formats.count(volume.events)


def _bounded(feed: VenueState, picture: Picture, market: str) -> bool:
    """Whether its last hour is a lower bound. A sample's is marked as what it is."""
    sample = feed.coverage.kind is CoverageKind.SAMPLE
    return not sample and sums.at_least(picture.snapshot, feed, market, "1h")


def _legend(snapshot: Snapshot, theme: Theme, width: int) -> Text:
    words = f"= complete  {theme.glyphs.at_least} at least (throttled)  ~ {sums.sampled(snapshot)}  ! in trouble"
    return phrase([(words, theme["muted"])], width, theme)
