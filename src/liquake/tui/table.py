"""Lines with fixed columns, measured in terminal cells: a number changes, nothing beside it moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from liquake.tui.theme import Theme

Cell = tuple[str, Style]

_PLAIN = Style()


class Column(msgspec.Struct, frozen=True):
    """One column. `least` and `most` bound the widths of the tables that show it."""

    name: str
    title: str
    width: int
    right: bool = False
    least: int = 0
    most: int = 10_000


def printable(text: str) -> str:
    """`text` without anything that could move the cursor: venues' words reach the terminal through here.

    >>> printable("no\\x1b[2J such\\ntopic")
    'no?[2J such?topic'
    """
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells; what does not fit ends in `ellipsis`.

    >>> fit("binance", 9), fit("12", 4, right=True), fit("hyperliquid", 6), fit("日本語", 4)
    ('binance  ', '  12', 'hyper…', '日 …')
    """
    text = printable(text)
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, max(width - 1, 0)) + ellipsis[:width]
    return " " * (width - size) + text if right else text + " " * (width - size)


def shown(columns: Sequence[Column], width: int) -> tuple[Column, ...]:
    """The columns that a table of `width` cells has room for; whole ones, since half a number is a wrong one."""
    chosen: list[Column] = []
    left = width + 1
    for column in columns:
        if not column.least <= width <= column.most:
            continue
        left -= column.width + 1
        if left < 0:
            break
        chosen.append(column)
    return tuple(chosen)


def heading(columns: Sequence[Column], theme: Theme) -> Text:
    """The titles of `columns`."""
    return row(columns, {column.name: (column.title, theme["muted"]) for column in columns}, theme)


def row(columns: Sequence[Column], cells: Mapping[str, Cell], theme: Theme) -> Text:
    """One line: a cell per column, one space between them."""
    drawn: list[Cell] = []
    for column in columns:
        text, style = cells.get(column.name, ("", _PLAIN))
        if drawn:
            drawn.append((" ", _PLAIN))
        drawn.append((fit(theme.told(text), column.width, right=column.right, ellipsis=theme.glyphs.ellipsis), style))
    return Text(no_wrap=True, end="").append_tokens(drawn)


def phrase(parts: Iterable[Cell], width: int, theme: Theme) -> Text:
    """The parts one after the other, cut at `width` cells."""
    drawn: list[Cell] = []
    left = width
    for text, style in parts:
        if left <= 0:
            break
        text = theme.told(printable(text))
        size = cell_len(text)
        drawn.append((text if size <= left else fit(text, left, ellipsis=theme.glyphs.ellipsis), style))
        left -= size
    return Text(no_wrap=True, end="").append_tokens(filter(itemgetter(0), drawn))


def whole(groups: Iterable[Sequence[Cell]], width: int, gap: str = "  ") -> list[Cell]:
    """The first groups that fit uncut into `width` cells, with `gap` between them."""
    parts: list[Cell] = []
    left = width
    for group in groups:
        spaced = [(gap, _PLAIN), *group] if parts and group else list(group)
        left -= sum(cell_len(text) for text, _ in spaced)
        if left < 0:
            break
        parts += spaced
    return parts


def either_end(left: Sequence[Cell], right: Sequence[Cell], width: int, theme: Theme) -> Text:
    """`left` from the left edge, and `right` up to the right edge where both fit uncut."""
    line = phrase(left, width, theme)
    room = width - line.cell_len - sum(cell_len(text) for text, _ in right)
    return line.append(" " * room).append_text(phrase(right, width, theme)) if room > 0 else line


def title(name: str, parts: Sequence[Cell], width: int, theme: Theme) -> Text:
    """A panel's first line: its name, what it shows, and a rule to the right edge."""
    line = phrase([(name, theme["title"]), ("  " if parts else "", _PLAIN), *parts], width, theme)
    left = width - line.cell_len - 1
    return line.append(" " + theme.glyphs.rule * left, theme["faint"]) if left > 0 else line


def stack(lines: Sequence[Text]) -> Text:
    """The lines one below the other."""
    return Text("\n", no_wrap=True, end="").join(lines)
