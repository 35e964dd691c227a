"""The panels as text: for a pipe, a file, a terminal that cannot do more, or a reader who asked for it."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.text import Text

from liquake.tui.panels.activity import activity
from liquake.tui.panels.footer import footer
from liquake.tui.panels.header import header
from liquake.tui.panels.tape import tape
from liquake.tui.panels.velocity import velocity
from liquake.tui.picture import Picture

_PARTS = ((header, 3), (velocity, 9), (activity, 14), (tape, 12))
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
    drawn = [draw(picture, width, height).text(height) for draw, height in _PARTS]
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
