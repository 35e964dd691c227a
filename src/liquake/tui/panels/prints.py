"""The tape with the whole screen to itself: every size, prints of one moment together, and what each venue sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from rich.text import Text

from liquake.model import CoverageKind, Liquidation
from liquake.tui import formats
from liquake.tui.panels.tape import cells, legend, recent, subject, waiting
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title, whole

GROUPINGS = (0.0, 0.1, 1.0, 10.0)
"""Seconds, in steps of the [ and ] keys."""

_COLUMNS = (
    Column("mark", "", 1),
    Column("time", "UTC", 12, least=88),
    Column("time", "UTC", 8, most=87),
    Column("count", "", 5, right=True),
    Column("venue", "venue", 11),
    Column("market", "market", 10),
    Column("side", "side", 5),
    Column("usd", "USD", 8, right=True),
    Column("amount", "size", 13, right=True),
    Column("price", "price", 10, right=True),
    Column("basis", "", 1),
    Column("bar", "", 10, least=100),
    Column("instrument", "instrument", 20, least=124),
    Column("delay", "arrived", 8, right=True, least=134),
    Column("tags", "tags", 24, least=160),
)


class Print(msgspec.Struct, frozen=True):
    """Liquidations of one venue, market and side that belong to one moment, or a single one."""

    latest: Liquidation
    count: int
    amount: float | None
    usd: float | None
    """Dollars of those whose size is known; `None` where none is."""
    least: bool = False
    """Whether the size of some is not known."""


def prints(picture: Picture, width: int, height: int) -> Sheet:
    """What passed the filters, the newest first, and below it how much of each venue did."""
    del height
    view = msgspec.structs.replace(picture.view, threshold=picture.view.page_threshold)
    picture, theme = msgspec.structs.replace(picture, view=view), picture.theme
    known = recent(picture.snapshot)
    matching = [entry for entry in known if view.accepts(entry)]
    moments = grouped(matching, view.grouping)
    large = [moment for moment in moments if moment.usd is None or moment.usd >= view.threshold]
    shown_prints = sum(moment.count for moment in large)
    parts = subject(picture, len(known), len(matching), len(matching) - shown_prints)
    head = [title("TAPE", parts, width, theme), *_grouping(picture, width)]
    foot = [_by_venue(picture, known, large, width), legend(picture.snapshot, theme, width)]
    if not large:
        return Sheet([*head, phrase([(waiting(picture, len(known)), theme["text"])], width, theme)], foot=foot)
    samples = {feed.venue for feed in picture.snapshot.venues if feed.coverage.kind is CoverageKind.SAMPLE}
    columns = shown([column for column in _COLUMNS if view.grouping or column.name != "count"], width)

    def line(index: int) -> Text:
        return row(columns, _cells(large[index], picture, samples, width), theme)

    return Sheet([*head, heading(columns, theme)], len(large), line, foot=foot, position=theme["muted"])


def grouped(entries: Sequence[Liquidation], seconds: float) -> list[Print]:
    """`entries`, the newest first, those of one venue, market and side within `seconds` of the newest as one."""
    reach = round(seconds * 1_000_000_000)
    groups: list[list[Liquidation]] = []
    open_groups: dict[tuple[str, str, str], list[Liquidation]] = {}
    for entry in entries:
        key = entry.venue, entry.asset, entry.side
        group = open_groups.get(key)
        if reach and group is not None and group[0].ts_event - entry.ts_event < reach:
            group.append(entry)
        else:
            open_groups[key] = group = [entry]
            groups.append(group)
    return [_together(group) for group in groups]


def _together(group: Sequence[Liquidation]) -> Print:
    dollars = [entry.usd for entry in group if entry.usd is not None]
    amounts = [entry.amount for entry in group if entry.amount is not None]
    least = bool(dollars) and len(dollars) < len(group)
    return Print(group[0], len(group), sum(amounts) if amounts else None, sum(dollars) if dollars else None, least)


def _grouping(picture: Picture, width: int) -> list[Text]:
    theme, seconds = picture.theme, picture.view.grouping
    if not seconds:
        return []
    words = f"prints within {formats.window(seconds)} of one venue, market and side are one line; price of the newest"
    return [phrase([(words, theme["state.waiting"])], width, theme)]


def _by_venue(picture: Picture, known: Collection[Liquidation], large: Sequence[Print], width: int) -> Text:
    """How much of what each venue sent is on the screen, so that a filter never passes for a quiet venue."""
    theme = picture.theme
    held: dict[str, int] = {feed.venue: 0 for feed in picture.snapshot.venues}
    shown_of: dict[str, int] = dict(held)
    for entry in known:
        held[entry.venue] = held.get(entry.venue, 0) + 1
    for moment in large:
        shown_of[moment.latest.venue] = shown_of.get(moment.latest.venue, 0) + moment.count
    groups: list[list[Cell]] = [
        [
            (f"{venue} ", theme.venue(venue)),
            (f"{formats.count(shown_of.get(venue, 0))} of {formats.count(number)}", theme["number"]),
        ]
        for venue, number in held.items()
    ]
    return phrase(whole([[("passing the filters  ", theme["muted"])], *groups], width, "   "), width, theme)


def _cells(moment: Print, picture: Picture, samples: Collection[str], width: int) -> Mapping[str, Cell]:
    theme = picture.theme
    entry = moment.latest
    single = msgspec.structs.replace(entry, amount=moment.amount, usd=moment.usd)
    least = theme.glyphs.at_least if moment.least else ""
    drawn = dict(cells(single, picture, samples, width))
    usd, style = drawn["usd"]
    delay = entry.ts_recv - entry.ts_event
    return drawn | {
        "count": (f"x{moment.count}" if moment.count > 1 else "", theme["strong"]),
        "usd": (least + usd, style),
        "instrument": (entry.instrument, theme["muted"]),
        "delay": (f"+{formats.latency(delay / 1e6)}" if delay > 0 else "", theme["muted"]),
        "tags": (" ".join(entry.tags), theme["muted"]),
    }
