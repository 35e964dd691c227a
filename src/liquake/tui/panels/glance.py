"""Six numbers readable from across the room."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.style import Style
from rich.text import Text

from liquake.engine.snapshot import ALL
from liquake.model import Side
from liquake.tui import bigdigits, formats, sums
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import phrase, title
from liquake.tui.theme import Theme

_COLUMNS = 2
_BEFORE = 2
"""Cells for a sign before the large digits."""
_WINDOW = 10.0
_MINUTE = 60.0


class _Number(msgspec.Struct, frozen=True):
    """One of the six: `before` and `after` are what is too small to need large digits."""

    label: str
    text: str
    style: Style
    before: str = ""
    after: str = ""


def glance(picture: Picture, width: int, height: int) -> Sheet:
    """Two columns of three; without a liquidation a sentence, since six zeros would say less."""
    theme, market = picture.theme, picture.view.market
    head = title("GLANCE", [("all markets" if market == ALL else market, theme["strong"])], width, theme)
    if picture.lacks_market:
        return Sheet([head, *picture.without_market(width)])
    numbers = _numbers(picture)
    tall = (height - 1) // (len(numbers) // _COLUMNS)
    wide = width // _COLUMNS - 1
    lines = [head]
    for index in range(0, len(numbers), _COLUMNS):
        lines += _beside([_block(number, wide, tall, theme) for number in numbers[index : index + _COLUMNS]], wide)
    return Sheet(lines)


def _numbers(picture: Picture) -> Sequence[_Number]:
    theme, snapshot, market = picture.theme, picture.snapshot, picture.view.market
    hour = sums.tally(snapshot, market, "1h")
    whole, long = hour.sum(), hour.sum(side=Side.LONG)
    share = long.usd / whole.usd if whole.usd else None
    tone = theme["number"] if share is None else theme.side(Side.LONG if share >= 0.5 else Side.SHORT)
    windows = {row.window: row for row in snapshot.kinematics.get(market, ())}
    rate, minute = windows.get(_WINDOW), windows.get(_MINUTE)
    least = theme.glyphs.at_least if hour.least() else ""
    bound = theme.glyphs.at_least if sums.mixed(snapshot) else ""
    return (
        _rate("liquidations per second, 10 s", rate.counts.velocity.value if rate else None, bound, theme),
        _money("liquidated in 60 s", minute.usd if minute else None, bound, theme),
        _money("liquidated in 1 h", whole.usd if snapshot.events else None, least, theme),
        _Number(
            "of it LONG, in 1 h",
            "-" if share is None else f"{100 * share:.0f}",
            tone,
            after="" if share is None else "%",
        ),
        _largest(picture),
        _price(picture),
    )


def _split(value: float | None, theme: Theme) -> tuple[str, Style, str, str]:
    """Digits for the large type, their style, and what stands small on either side."""
    if value is None:
        return "-", theme["muted"], "", ""
    text = formats.short(value)
    digits = text.rstrip("kMBT")
    return digits, theme["strong"], "", text[len(digits) :]


def _rate(label: str, value: float | None, least: str, theme: Theme) -> _Number:
    text, style, _, after = _split(value, theme)
    return _Number(label, text, style, "" if value is None else least, after)


def _money(label: str, value: float | None, least: str, theme: Theme) -> _Number:
    text, style, _, after = _split(value, theme)
    return _Number(label, text, style, "" if value is None else f"{least}$", after)


def _largest(picture: Picture) -> _Number:
    market = picture.view.market
    found = next((e for e in picture.snapshot.largest if market in (ALL, f"{e.asset}USDT")), None)
    if found is None:
        return _money("largest of the hour", None, "", picture.theme)
    number = _money(f"largest of the hour: {found.asset} {found.side}", found.usd, "", picture.theme)
    return msgspec.structs.replace(number, style=picture.theme.side(found.side) + picture.theme["loud"])


def _price(picture: Picture) -> _Number:
    market = "BTCUSDT" if picture.view.market == ALL else picture.view.market
    price = picture.snapshot.prices.get(market)
    if price is None:
        return _Number(f"price of {market}: none yet", "-", picture.theme["muted"])
    text = f"{price.price:.0f}" if price.price >= 1000.0 else formats.significant(price.price, 4)
    return _Number(f"price of {sums.asset(market)}, {price.venue}", text, picture.theme["strong"], "$")


def _block(number: _Number, width: int, height: int, theme: Theme) -> list[Text]:
    """The label, then the digits as large as the room allows; a blank line where there is one to spare."""
    label = phrase([(number.label, theme["muted"])], width, theme)
    unicode = theme.unicode
    room = width - _BEFORE - len(number.after) - 2
    size = bigdigits.scale(number.text, room, height - 1)
    if size < 2 and not unicode:
        size = 0
    if not size:
        small = phrase([(f"{number.before}{number.text}{number.after}", number.style)], width, theme)
        return _filled([label, small], height)
    drawn = bigdigits.lines(number.text, size, unicode=unicode)
    lines = []
    for index, line in enumerate(drawn):
        before = (number.before if index == 0 else "").rjust(_BEFORE)
        after = f" {number.after}" if index == len(drawn) - 1 else ""
        lines.append(phrase([(f"{before} ", number.style), (line, number.style), (after, number.style)], width, theme))
    return _filled([label, *lines], height)


def _filled(lines: list[Text], height: int) -> list[Text]:
    return [*lines, *[Text()] * (height - len(lines))][:height]


def _beside(blocks: Sequence[list[Text]], width: int) -> list[Text]:
    """The blocks next to each other, each in `width` cells."""
    rows = []
    for parts in zip(*blocks, strict=True):
        line = Text(no_wrap=True, end="")
        for part in parts:
            line.append_text(part).append(" " * (width + 1 - part.cell_len))
        line.rstrip()
        rows.append(line)
    return rows
