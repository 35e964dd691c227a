"""The panels as text: for a pipe, a file, a terminal that cannot do more, or a reader who asked for it."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.text import Text

from liquake.tui.pages import PAGES
from liquake.tui.panels.footer import footer
from liquake.tui.panels.header import header
from liquake.tui.picture import Picture

_HEADER = 4
_HEIGHTS = {"velocity": 9, "cascade-risk": 12, "activity": 14, "regime": 7, "alerts": 10, "tape": 12, "numbers": 22}
"""Lines of each panel, empty ones and all."""
_LEFT_OUT = ("outlook",)
"""Sums up panels that are all there."""
_HEIGHT = 16
_FOOTER_WITHOUT_KEYS = 2


def speaks_unicode(file: TextIO) -> bool:
    """Whether `file` can hold the signs the panels draw with."""
    try:
        "●±≥▲─→…²█".encode(getattr(file, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def block(picture: Picture, width: int = 80) -> list[Text]:
    """The lines of one picture, without the empty ones inside panels; the last line is empty."""
    drawn = [header(picture, width, _HEADER).text(_HEADER)]
    for name, draw in PAGES[picture.view.page].panels.items():
        if name in _LEFT_OUT:
            continue
        height = _HEIGHTS.get(name, _HEIGHT)
        drawn.append(draw(picture, width, height).text(height))
    drawn.append(footer(picture, width, _FOOTER_WITHOUT_KEYS).text(_FOOTER_WITHOUT_KEYS))
    lines = [line for panel in drawn for line in panel.split("\n") if line.plain.strip()]
    for line in lines:
        line.rstrip()
    return [*lines, Text()]


class PlainScreen:
    """Writes one block per picture to `file`; in colour only where that is a terminal that has it."""

    def __init__(self, file: TextIO, width: int | None = None) -> None:
        self._console = Console(file=file, width=width, highlight=False, soft_wrap=True, legacy_windows=False)
        if width is None and not self._console.is_terminal:
            self._console.width = 80

    @property
    def width(self) -> int:
        """Terminal cells per line."""
        return self._console.width

    def show(self, picture: Picture) -> None:
        """Append one block, and hand it on at once."""
        for line in block(picture, self.width):
            self._console.print(line)
        self._console.file.flush()
