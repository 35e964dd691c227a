"""The latest large liquidations, one line each, the newest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import log10

from rich.text import Text

from liquake.engine.snapshot import Snapshot
from liquake.model import CoverageKind, Liquidation, PriceBasis
from liquake.tui import formats, sums
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title, whole
from liquake.tui.theme import Glyphs, Theme

BASIS_LETTERS = {PriceBasis.FILL: "F", PriceBasis.BANKRUPTCY: "B", PriceBasis.LIMIT: "L", PriceBasis.ENTRY: "E"}
_LOUD = 10.0
"""Times the threshold from which a line is emphasised."""
_BAR = 10
_ROOMY = 100
LEGEND_FROM = 9
"""Lines of room from which the letters are explained in place; a smaller panel leaves that to the help."""
_FULL_BAR = 1e7
"""Dollars that fill the bar; it grows with the logarithm from 1,000 on."""

_COLUMNS = (
    Column("mark", "", 1),
    Column("time", "UTC", 8, most=_ROOMY - 1),
    Column("time", "UTC", 12, least=_ROOMY),
    Column("venue", "venue", 11),
    Column("market", "market", 10, most=_ROOMY - 1),
    Column("market", "market", 14, least=_ROOMY),
    Column("side", "side", 5),
    Column("usd", "USD", 7, right=True),
    Column("amount", "size", 13, right=True),
    Column("price", "price", 10, right=True),
    Column("basis", "", 1),
    Column("bar", "", _BAR, least=85),
)


def tape(picture: Picture, width: int, height: int) -> Sheet:
    """What reached the threshold and the filter, of the latest arrivals and the largest of the hour."""
    snapshot, view, theme = picture.snapshot, picture.view, picture.theme
    known = recent(snapshot)
    matching = [liquidation for liquidation in known if view.accepts(liquidation)]
    large = [liquidation for liquidation in matching if view.large(liquidation)]
    first = title("TAPE", subject(picture, len(known), len(matching), len(matching) - len(large)), width, theme)
    if not large:
        return Sheet([first, phrase([(waiting(picture, len(known)), theme["text"])], width, theme)])
    samples = {feed.venue for feed in snapshot.venues if feed.coverage.kind is CoverageKind.SAMPLE}
    columns = shown(_COLUMNS, width)
    foot = [legend(picture.snapshot, theme, width)] if height >= LEGEND_FROM else []

    def line(index: int) -> Text:
        return row(columns, cells(large[index], picture, samples, width), theme)

    return Sheet([first, heading(columns, theme)], len(large), line, foot=foot, position=theme["muted"])


def recent(snapshot: Snapshot) -> list[Liquidation]:
    """The latest arrivals and the largest of the hour, each once, the newest first by the venues' clocks."""
    once = {(entry.venue, entry.key): entry for entry in (*snapshot.largest, *snapshot.tape)}
    return sorted(once.values(), key=lambda entry: entry.ts_event, reverse=True)


def subject(picture: Picture, known: int, matching: int, smaller: int) -> list[Cell]:
    """From which size on, by which filter, and how many are not shown because of that or have gone by since."""
    hidden = {
        "smaller": smaller,
        "filtered out": known - matching,
        "gone by": max(picture.snapshot.arrived - known, 0),
    }
    view, theme = picture.view, picture.theme
    between = (f" {theme.glyphs.between} ", theme["faint"])
    size = f"from {formats.dollars(view.threshold)}" if view.threshold else "all sizes"
    parts: list[Cell] = [(size, theme["strong"])]
    if view.filter:
        parts += [between, (f'only "{view.filter}"', theme["state.waiting"])]
    if any(hidden.values()):
        numbers = ", ".join(f"{formats.count(number)} {why}" for why, number in hidden.items() if number)
        parts += [between, (f"of {formats.count(known + hidden['gone by'])}: {numbers}", theme["muted"])]
    return parts


def waiting(picture: Picture, known: int) -> str:
    """Why there is no line."""
    view = picture.view
    if not known:
        return "No liquidation yet. Each one appears here as it arrives."
    wanted = f'matches "{view.filter}"' if view.filter else ""
    if not view.threshold:
        return f"None of the latest {known} {wanted}: / takes words of venue, market and side."
    wanted += " and " if wanted else ""
    return f"None of the latest {known} {wanted}reaches {formats.dollars(view.threshold)}: - lowers the bar, / filters."


def cells(entry: Liquidation, picture: Picture, samples: Collection[str], width: int) -> Mapping[str, Cell]:
    """One liquidation; emphasised from ten times the threshold on. Its price is that of one coin, as its size counts."""
    theme, view = picture.theme, picture.view
    side = theme.side(entry.side)
    loud = entry.usd is not None and view.threshold > 0.0 and entry.usd >= _LOUD * view.threshold
    number = theme["strong" if loud else "number"]
    return {
        "mark": ("~" if entry.venue in samples else "", theme["state.waiting"]),
        "time": (formats.clock_time(entry.ts_event, milliseconds=width >= _ROOMY), theme["muted"]),
        "venue": (entry.venue, theme.venue(entry.venue)),
        "market": (f"{entry.asset}USDT", theme["strong" if loud else "text"]),
        "side": (entry.side, side + theme["loud"] if loud else side),
        "usd": (formats.dollars(entry.usd), side + theme["loud"] if loud else number),
        "amount": (formats.coins(entry.amount, entry.asset), number),
        "price": (formats.price(entry.coin_price), theme["text"]),
        "basis": (BASIS_LETTERS[entry.price_basis], theme["muted"]),
        "bar": (bar(entry.usd, theme.glyphs), side),
    }


def bar(usd: float | None, glyphs: Glyphs) -> str:
    """A bar that grows with the logarithm of the dollars, from 1,000 to ten million; none for an unknown size."""
    if usd is None or usd <= 1e3:
        return ""
    share = min(log10(usd / 1e3) / log10(_FULL_BAR / 1e3), 1.0)
    steps = len(glyphs.bar)
    full, rest = divmod(round(share * _BAR * steps), steps)
    return glyphs.bar[-1] * full + (glyphs.bar[rest - 1] if rest else "")


def legend(snapshot: Snapshot, theme: Theme, width: int) -> Text:
    """What the marks and letters mean."""
    words = ("price: F fill", "B bankruptcy", "L order limit", "E entry", f"~ {sums.sampled(snapshot)}")
    return phrase(whole(([(part, theme["muted"])] for part in words), width), width, theme)
