"""The palettes' grounds as Textual knows them."""

from __future__ import annotations

from collections.abc import Iterator

from textual.theme import Theme as Colours

from liquake.tui.palettes import GROUNDS
from liquake.tui.theme import load_theme

MONO = "mono"
_TERMINALS_OWN = "ansi-dark"
"""Textual's theme that sends no colour of its own for text and background, as NO_COLOR asks."""


def ground(theme: str) -> str:
    """Textual's name for what the palette called `theme` stands on."""
    return _TERMINALS_OWN if theme == MONO else f"liquake-{theme}"


def grounds() -> Iterator[Colours]:
    """All of them, to be registered."""
    for name, its in GROUNDS.items():
        text = load_theme(name)["text"].color
        foreground = None if text is None else text.name
        yield Colours(
            ground(name),
            primary=foreground or its.scrollbar,
            foreground=foreground,
            background=its.background,
            surface=its.surface,
            panel=its.surface,
            dark=its.dark,
            variables={"scrollbar": its.scrollbar, "scrollbar-background": its.surface},
        )
