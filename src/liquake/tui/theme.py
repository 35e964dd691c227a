"""Colour by meaning: panels ask for "side.long", a palette answers with a hue.

Colour never stands alone: a word or a glyph says the same beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import msgspec
from rich.style import Style

from liquake.model import CoverageKind, FeedState, Side
from liquake.tui.palettes import PALETTES

_STRANGERS = ("venue.other.0", "venue.other.1", "venue.other.2", "venue.other.3")


class Glyphs(msgspec.Struct, frozen=True):
    """The signs outside ASCII, and what stands for them where the terminal's encoding cannot show them."""

    dot: str = "●"
    ring: str = "○"
    plus_minus: str = "±"
    at_least: str = "≥"
    up: str = "▲"
    down: str = "▼"
    rule: str = "─"
    to: str = "→"
    between: str = "·"
    ellipsis: str = "…"
    squared: str = "²"
    cubed: str = "³"
    bar: str = "╸━"
    """A cell filled in part, the full one last."""
    long_bar: str = "█"
    short_bar: str = "▒"
    track: str = "─"
    hatch: str = "╱"
    """Of a time in which a feed was not heard."""
    on: str = "▶"
    """At the end of what goes on."""


ASCII = Glyphs(
    dot="*",
    ring="o",
    plus_minus="+-",
    at_least=">",
    up="^",
    down="v",
    rule="-",
    to="->",
    between="|",
    ellipsis="~",
    squared="^2",
    cubed="^3",
    bar="=",
    long_bar="#",
    short_bar="=",
    track=".",
    hatch="/",
    on=">",
)

WORDS: Mapping[FeedState, str] = {
    FeedState.CONNECTING: "connecting",
    FeedState.CONNECTED: "subscribing",
    FeedState.SUBSCRIBED: "live",
    FeedState.RESUMED: "live",
    FeedState.CLOSING: "rotating",
    FeedState.REJECTED: "REFUSED",
    FeedState.STALE: "STALE",
    FeedState.DISCONNECTED: "DOWN",
    FeedState.DARK: "DARK",
}
"""What a reader is told of a feed; capitals mean that its silence proves nothing."""


class Theme(msgspec.Struct, frozen=True):
    """A palette and the signs to draw with."""

    name: str
    styles: Mapping[str, Style]
    glyphs: Glyphs

    @property
    def unicode(self) -> bool:
        """Whether signs outside ASCII may be drawn."""
        return self.glyphs is not ASCII

    def __getitem__(self, token: str) -> Style:
        return self.styles[token]

    def told(self, text: str) -> str:
        """`text` of others, venues' names for coins for instance, as the terminal can show it.

        >>> load_theme(unicode=False).told("0.1 liquidations/s³, 币安人生"), load_theme().told("s³")
        ('0.1 liquidations/s^3, ????', 's³')
        """
        if self.unicode or text.isascii():
            return text
        return text.replace("²", "^2").replace("³", "^3").encode("ascii", "replace").decode()

    def venue(self, name: str) -> Style:
        """The venue's colour: its own where it has one, else the same one of four in every run."""
        known = self.styles.get(f"venue.{name}")
        return known if known is not None else self.styles[_STRANGERS[crc32(name.encode()) % len(_STRANGERS)]]

    def side(self, side: Side) -> Style:
        """The colour of the position that was liquidated."""
        return self.styles["side.long" if side is Side.LONG else "side.short"]

    def feed(self, state: FeedState) -> Style:
        """The colour of a feed's state."""
        if in_trouble(state):
            return self.styles["state.trouble"]
        return self.styles["state.live" if WORDS[state] == "live" else "state.waiting"]

    def coverage(self, kind: CoverageKind, state: FeedState) -> str:
        """The one-character mark of what a number from the feed covers; trouble comes before promises."""
        if in_trouble(state) or kind is CoverageKind.DARK:
            return "!"
        marks = {CoverageKind.COMPLETE: "=", CoverageKind.SAMPLE: "~", CoverageKind.DELAYED: "d"}
        return marks.get(kind, self.glyphs.at_least)


def in_trouble(state: FeedState) -> bool:
    """Whether the silence of a feed in this state says nothing about the market."""
    return WORDS[state].isupper()


def load_theme(name: str = "dark", *, unicode: bool = True) -> Theme:
    """The theme called `name`, one of `PALETTES`, with ASCII signs where `unicode` is false. Raises `KeyError`."""
    styles = {token: Style.parse(style) for token, style in PALETTES[name].items()}
    return Theme(name, styles, Glyphs() if unicode else ASCII)
