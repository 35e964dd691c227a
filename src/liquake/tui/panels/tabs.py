"""The pages by their keys, the open one marked."""

from __future__ import annotations

from rich.style import Style

from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, phrase, whole

NAMES = ("monitor", "overview", "cumulative", "tape", "glance", "market", "charts", "risk")
_ROOMY = 90
_KEYS = (("?", "help"), ("q", "leave"))


def tabs(picture: Picture, width: int, height: int) -> Sheet:
    """One line; a click on a name opens the page."""
    del height
    theme = picture.theme
    groups: list[list[Cell]] = []
    for number, name in enumerate(NAMES, 1):
        opens = Style(meta={"page": name})
        style = theme["tab.open" if name == picture.view.page else "tab"] + opens
        groups.append([(f"{number}", theme["key"] + opens), (f" {name}", style)])
    groups += [[(key, theme["key"]), (f" {verb}", theme["muted"])] for key, verb in _KEYS]
    return Sheet([phrase(whole(groups, width, " " if width < _ROOMY else "  "), width, theme)])
