"""A panel's place on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from liquake.tui.picture import Panel, Picture
from liquake.tui.table import stack

if TYPE_CHECKING:
    from rich.style import Style
    from textual import events
    from textual.geometry import Size

_CONSOLE = Console(file=StringIO())
"""Looks styles up by name; nothing is written to it."""
_WHEEL = 3
"""Rows per click of the mouse's wheel."""


class PanelWidget(Widget):
    """Draws what it is given, for the room there is. Keeps nothing but which row is on top.

    Its lines go to the compositor as they are: Textual's own way from a text to lines, which wraps, aligns and lets a
    mouse select, costs four times what drawing the panel does.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        draw: Panel,
        id: str,  # noqa: A002 - the name Textual gives it
        *,
        classes: str = "",
        focusable: bool = True,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self._draw = draw
        self._picture: Picture | None = None
        self._first = 0
        self._last_first = 0
        self._drawn: tuple[Size, int, bool, Style] | None = None
        self._room: Size | None = None
        self._strips: list[Strip] = []

    def show(self, picture: Picture) -> None:
        """Draw `picture`. Only lines that changed are sent: fewer bytes, and none that a reader could see half of."""
        self._picture, self._drawn = picture, None
        before, width = self._strips, self.size.width
        if not self._sized_for(before):
            self.refresh()
            return
        self._redraw()
        pairs = zip_longest(before, self._strips)
        changed = [Region(0, y, width, 1) for y, (one, other) in enumerate(pairs) if one != other]
        if changed:
            self.refresh(*changed)

    def _sized_for(self, strips: list[Strip]) -> bool:
        """Whether `strips` were drawn for the room there is now."""
        return self.is_mounted and bool(strips) and self._room == self.size

    @property
    def page_rows(self) -> int:
        """Rows to turn at once: a panel less a line, so that the eye finds its place."""
        return max(self.size.height - 4, 1)

    def scroll_rows(self, step: int) -> None:
        """Put the row `step` further down on top; never beyond either end."""
        self._first = min(max(self._first + step, 0), self._last_first)
        self.refresh()

    def render(self) -> Text:
        """The panel for the room there is now, so that a resize needs nothing else."""
        return stack(self._lines(self.size))

    def _lines(self, room: Size) -> list[Text]:
        if self._picture is None:
            return []
        sheet = self._draw(self._picture, room.width, room.height)
        self._last_first = sheet.last_first(room.height)
        self._first = min(self._first, self._last_first)
        lines = sheet.lines(room.height, self._first)
        if self.has_focus and lines:
            name = lines[0].plain.partition("  ")[0]
            lines[0] = lines[0].copy()
            lines[0].stylize(self._picture.theme["focus"], 0, len(name))
        return lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines within `crop`; the panel is drawn once for as long as nothing that it depends on changes."""
        if self._drawn is None or self._drawn != self._state():
            self._redraw()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line as it was last drawn."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _redraw(self) -> None:
        room, base = self.size, self.rich_style
        self._strips = [_strip(line, room.width, base) for line in self._lines(room)]
        blank = Strip.blank(room.width, base)
        self._strips += [blank] * (room.height - len(self._strips))
        self._room, self._drawn = room, (room, self._first, self.has_focus, base)

    def _state(self) -> tuple[Size, int, bool, Style]:
        """What the lines depend on beside the picture."""
        return self.size, self._first, self.has_focus, self.rich_style

    async def on_click(self, event: events.Click) -> None:
        """What a panel marked as leading to a page opens it."""
        page = event.style.meta.get("page")
        if page is not None:
            await self.app.run_action(f"page('{page}')")

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        event.stop()
        self.scroll_rows(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        event.stop()
        self.scroll_rows(-_WHEEL)


def _strip(line: Text, width: int, base: Style) -> Strip:
    return Strip(list(_segments(line, base))).adjust_cell_length(width, base)


def _segments(line: Text, base: Style) -> Iterator[Segment]:
    """Runs of one style. Lines are made by appending, so that spans follow each other; Rich sorts out the others."""
    plain, at = line.plain, 0
    spans = line.spans
    if any(after.start < before.end for before, after in pairwise(spans)):
        yield from Segment.apply_style(line.render(_CONSOLE), base)
        return
    if line.style:
        base += _CONSOLE.get_style(line.style)
    for span in spans:
        if span.start > at:
            yield Segment(plain[at : span.start], base)
        yield Segment(plain[span.start : span.end], base + _CONSOLE.get_style(span.style))
        at = span.end
    if at < len(plain):
        yield Segment(plain[at:], base)
