"""The pages by their keys, the open one marked."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.style import Style

from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, phrase, whole

NAMES: Mapping[str, str] = {
    "monitor": "mon",
    "overview": "over",
    "cumulative": "cum",
    "tape": "tape",
    "glance": "glance",
    "market": "mkt",
    "charts": "chart",
    "risk": "risk",
    "signals": "sig",
}
"""In the order of their keys, with what a narrow screen calls them."""
_KEYS = (("?", "help"), ("q", "leave"))


def tabs(picture: Picture, width: int, height: int) -> Sheet:
    """One line; a click on a name opens the page. The longest names with which help and the way out still fit."""
    del height
    groups: list[list[Cell]] = []
    for gap, names in (
        ("  ", tuple(NAMES)),
        (" ", tuple(NAMES)),
        ("  ", tuple(NAMES.values())),
        (" ", tuple(NAMES.values())),
    ):
        groups = _groups(picture, names)
        if sum(cell_len(text) for group in groups for text, _ in group) + len(gap) * (len(groups) - 1) <= width:
            break
    return Sheet([phrase(whole(groups, width, gap), width, picture.theme)])


def _groups(picture: Picture, names: tuple[str, ...]) -> list[list[Cell]]:
    theme = picture.theme
    groups: list[list[Cell]] = []
    for number, (page, name) in enumerate(zip(NAMES, names, strict=True), 1):
        opens = Style(meta={"page": page})
        style = theme["tab.open" if page == picture.view.page else "tab"] + opens
        groups.append([(f"{number}", theme["key"] + opens), (f" {name}", style)])
    return groups + [[(key, theme["key"]), (f" {verb}", theme["muted"])] for key, verb in _KEYS]
