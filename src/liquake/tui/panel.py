"""A panel's place on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget

from liquake.tui.picture import Panel, Picture

if TYPE_CHECKING:
    from textual import events

_WHEEL = 3
"""Rows per click of the mouse's wheel."""


class PanelWidget(Widget):
    """Draws what it is given, for the room there is. Keeps nothing but which row is on top."""

    def __init__(self, draw: Panel, id: str, *, classes: str = "", focusable: bool = True) -> None:  # noqa: A002 - the name Textual gives it
        super().__init__(id=id, classes=classes)
        self.can_focus = focusable
        self._draw = draw
        self._picture: Picture | None = None
        self._first = 0
        self._last_first = 0

    def show(self, picture: Picture) -> None:
        """Draw `picture` at the next repaint."""
        self._picture = picture
        self.refresh()

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
        if self._picture is None:
            return Text()
        sheet = self._draw(self._picture, self.size.width, self.size.height)
        self._last_first = sheet.last_first(self.size.height)
        self._first = min(self._first, self._last_first)
        text = sheet.text(self.size.height, self._first)
        if self.has_focus:
            name = text.plain.partition("\n")[0].partition("  ")[0]
            text.stylize(self._picture.theme["focus"], 0, len(name))
        return text

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
