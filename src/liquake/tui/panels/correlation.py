"""Which venues liquidate together, and who comes first."""

from __future__ import annotations

from rich.text import Text

from liquake.engine.snapshot import Correlation, Dependence
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, Column, heading, phrase, row, title
from liquake.tui.theme import Theme

_HIGH = 0.7
"""Correlation from which a pair is called out."""
_LABEL = 11
_ROOMY, _TIGHT = 12, 7


def correlation(picture: Picture, width: int, height: int) -> Sheet:
    """Below the diagonal r of the last minute, above it what five minutes prove; then the pairs that stand out."""
    theme, dependence = picture.theme, picture.snapshot.dependence
    first = title("CORRELATION", [("r 60 s \\ proof 300 s", theme["muted"])], width, theme)
    if dependence is None or len(dependence.venues) < 2:
        words = "It takes two venues and some minutes of events."
        return Sheet([title("CORRELATION", [], width, theme), phrase([(words, theme["text"])], width, theme)])
    roomy = width >= _LABEL + len(dependence.venues) * (_ROOMY + 1)
    cells = _ROOMY if roomy else _TIGHT
    columns = [Column("venue", "", _LABEL)]
    columns += [Column(venue, venue[:cells], cells, right=True) for venue in dependence.venues]
    while len(columns) > 1 and sum(column.width + 1 for column in columns) - 1 > width:
        columns.pop()
    rows = [row(columns, _cells(venue, dependence, theme, roomy=roomy), theme) for venue in dependence.venues]
    head = [first, heading(columns, theme), *rows]
    return Sheet([*head, *_remarks(dependence, width, theme, roomy=roomy)[: max(height - len(head), 0)]])


def _cells(venue: str, dependence: Dependence, theme: Theme, *, roomy: bool) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"venue": (venue, theme.venue(venue))}
    at = dependence.venues.index(venue)
    for column, other in enumerate(dependence.venues):
        if column == at:
            cells[other] = (theme.glyphs.between, theme["faint"])
        elif column < at:
            cells[other] = _value(_pair(dependence.short, venue, other), theme, roomy=roomy)
        else:
            cells[other] = _verdict(_pair(dependence.long, venue, other), theme, roomy=roomy)
    return cells


def _pair(pairs: tuple[Correlation, ...], one: str, other: str) -> Correlation | None:
    return next((pair for pair in pairs if {pair.first, pair.second} == {one, other}), None)


def _value(pair: Correlation | None, theme: Theme, *, roomy: bool) -> Cell:
    if pair is None or not pair.sufficient:
        return "insufficient" if roomy else "few", theme["muted"]
    token = "heat.3" if abs(pair.r) > _HIGH else "number" if pair.significant else "muted"
    return f"{pair.r:+.2f}", theme[token]


def _verdict(pair: Correlation | None, theme: Theme, *, roomy: bool) -> Cell:
    if pair is None or not pair.sufficient:
        return "insufficient" if roomy else "few", theme["muted"]
    if pair.significant:
        return "together" if roomy else "yes", theme["strong"]
    return "not proved" if roomy else "no", theme["muted"]


def _remarks(dependence: Dependence, width: int, theme: Theme, *, roomy: bool) -> list[Text]:
    """Pairs that move together closely or behind one another, the closest first; then what "few" means."""
    pairs = [pair for pair in dependence.long if pair.significant and (pair.r > _HIGH or pair.leader is not None)]
    lines = [_remark(pair, width, theme) for pair in sorted(pairs, key=lambda pair: -pair.r)]
    if not roomy and not all(pair.sufficient for pair in (*dependence.short, *dependence.long)):
        lines.append(phrase([("few: insufficient data to say anything", theme["muted"])], width, theme))
    return lines


def _remark(pair: Correlation, width: int, theme: Theme) -> Text:
    second = pair.second if pair.leader in (None, pair.first) else pair.first
    first = pair.first if second == pair.second else pair.second
    between = " with " if pair.leader is None else " before "
    return phrase(
        [
            (first, theme.venue(first)),
            (between, theme["muted"]),
            (second, theme.venue(second)),
            (f" r {pair.r:.2f}", theme["heat.3" if pair.r > _HIGH else "number"]),
            (" in 300 s", theme["muted"]),
        ],
        width,
        theme,
    )
