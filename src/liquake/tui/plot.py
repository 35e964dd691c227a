"""Curves and bars out of characters: pure functions of numbers and of the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import TypeVar

from rich.style import Style
from rich.text import Text

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille dots of a cell by row and column (Unicode 15, chapter 21.1)."""
_Point = TypeVar("_Point")

_BLANK = 0x2800
_ACROSS, _DOWN = 2, 4


class Canvas:
    """`width` by `height` cells of two by four dots each; without `unicode` of one by one.

    Each cell has the style of what was drawn into it last.
    """

    def __init__(self, width: int, height: int, *, unicode: bool = True) -> None:
        self.width, self.height = width, height
        self._unicode = unicode
        self.across = width * (_ACROSS if unicode else 1)
        """Dots from left to right."""
        self.down = height * (_DOWN if unicode else 1)
        self._cells: dict[tuple[int, int], tuple[int, Style, str]] = {}
        self._signs: dict[tuple[int, int], tuple[str, Style]] = {}

    def dot(self, x: int, y: int, style: Style, plain: str = "*") -> None:
        """Set a dot; `y` counts from the top. What lies outside is left out. `plain` stands for it in ASCII."""
        if not (0 <= x < self.across and 0 <= y < self.down):
            return
        across, down = (_ACROSS, _DOWN) if self._unicode else (1, 1)
        place = x // across, y // down
        held = self._cells[place][0] if place in self._cells else 0
        self._cells[place] = (held | _DOTS[y % down][x % across], style, plain)

    def column(self, x: int, top: int, bottom: int, style: Style, plain: str = "*") -> None:
        """The dots from `top` to `bottom`, both of them too."""
        for y in range(max(min(top, bottom), 0), min(max(top, bottom), self.down - 1) + 1):
            self.dot(x, y, style, plain)

    def sign(self, x: int, y: int, sign: str, style: Style) -> None:
        """A character in the cell of a dot, above everything drawn there."""
        across, down = (_ACROSS, _DOWN) if self._unicode else (1, 1)
        self._signs[min(max(x // across, 0), self.width - 1), min(max(y // down, 0), self.height - 1)] = (sign, style)

    def lines(self) -> list[Text]:
        """One text per row of cells."""
        return [self._line(y) for y in range(self.height)]

    def _line(self, y: int) -> Text:
        line = Text(no_wrap=True, end="")
        for x in range(self.width):
            if (x, y) in self._signs:
                line.append(*self._signs[x, y])
            elif (x, y) in self._cells:
                dots, style, plain = self._cells[x, y]
                line.append(chr(_BLANK + dots) if self._unicode else plain, style)
            else:
                line.append(" ")
        return line


class Scale:
    """Values to dots: `low` at the bottom edge, `high` at the top."""

    def __init__(self, low: float, high: float, dots: int) -> None:
        self.low, self.high = low, high if high > low else low + 1.0
        self._dots = dots

    def y(self, value: float) -> int:
        """The dot of `value`, counted from the top; beyond the edges where it lies beyond."""
        return round((self.high - value) / (self.high - self.low) * (self._dots - 1))


def ceiling(value: float) -> float:
    """The next round number that is not below `value`: the end of an axis that does not twitch.

    >>> [ceiling(value) for value in (0.0, 0.013, 0.7, 4.0, 5.0, 61.0)]
    [1.0, 0.015, 0.7, 5.0, 5.0, 70.0]
    """
    if value <= 0.0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(
        round(step * power, 12)
        for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
        if value <= step * power * (1.0 + 1e-12)
    )


def band(canvas: Canvas, scale: Scale, points: Sequence[tuple[float, float] | None], line: Style, error: Style) -> None:
    """A curve of (value, error) from edge to edge, with a band of one error to either side; a hole where `None`."""
    rows = [_at(points, x, canvas.across) for x in range(canvas.across)]
    for x, point in enumerate(rows):
        if point is not None and (x % 2 == 0 or canvas.across == canvas.width):
            canvas.column(x, scale.y(point[0] + point[1]), scale.y(max(point[0] - point[1], scale.low)), error, ":")
    _join(canvas, [None if point is None else scale.y(point[0]) for point in rows], line)


def curve(canvas: Canvas, scale: Scale, points: Sequence[float | None], style: Style) -> None:
    """A curve from edge to edge; a hole where `None`."""
    rows = [_at(points, x, canvas.across) for x in range(canvas.across)]
    _join(canvas, [None if point is None else scale.y(point) for point in rows], style)


def _at(points: Sequence[_Point], x: int, across: int) -> _Point:
    return points[round(x * (len(points) - 1) / max(across - 1, 1))]


def _join(canvas: Canvas, heights: Sequence[int | None], style: Style) -> None:
    """Each dot joined to the one before, so that a jump is a line and not two points."""
    before: int | None = None
    for x, y in enumerate(heights):
        if y is not None:
            reach = y if before is None or abs(before - y) <= 1 else before + (1 if y > before else -1)
            canvas.column(x, y, reach, style)
        before = y


def mirrored_bars(
    up: Sequence[float], down: Sequence[float], height: int, styles: tuple[Style, Style], *, unicode: bool = True
) -> list[Text]:
    """A column per pair: `up` rises from the middle, `down` hangs from it, on one scale, in steps of half a cell."""
    largest = max(*up, *down, 0.0) if up else 0.0
    above, below = (height + 1) // 2, height // 2
    lines = []
    for row in range(height):
        rising = row < above
        inner = above - 1 - row if rising else row - above
        room = above if rising else below
        line = Text(no_wrap=True, end="")
        for value in up if rising else down:
            halves = _halves(value, largest, room)
            line.append(_bar_sign(halves - 2 * inner, rising, unicode), styles[0] if rising else styles[1])
        lines.append(line)
    return lines


def _halves(value: float, largest: float, room: int) -> int:
    """Half cells of a bar; anything above zero is at least one."""
    return max(round(2 * room * value / largest), 1) if value > 0.0 and largest > 0.0 else 0


def _bar_sign(halves: int, rising: bool, unicode: bool) -> str:
    if halves <= 0:
        return " "
    if not unicode:
        return "#" if rising else "="
    return "█" if halves > 1 else "▄" if rising else "▀"
