"""Everything one picture is drawn from. A panel is a pure function of it and of the room it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from liquake.engine.snapshot import ALL, Snapshot, VenueState
from liquake.model import Liquidation
from liquake.tui.sheet import Sheet
from liquake.tui.status import Mode, Status
from liquake.tui.table import Cell, phrase
from liquake.tui.theme import WORDS, Theme

if TYPE_CHECKING:
    from rich.style import Style
    from rich.text import Text

THRESHOLDS = (0.0, 1e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 5e6, 1e7)
"""Dollars from which the tape shows a liquidation, in steps of the + and - keys."""


class View(msgspec.Struct, frozen=True):
    """What the reader chose to look at. Never reaches the engine."""

    page: str = "monitor"
    """Which of the pages."""
    market: str = ALL
    """Of every panel but the tape, which has its own filter."""
    dollars: bool = False
    """Velocity in dollars instead of events."""
    threshold: float = 1e4
    """Dollars, one of `THRESHOLDS`."""
    page_threshold: float = 0.0
    """The same for the tape with a page to itself."""
    filter: str = ""
    """Words that a row of whatever is listed must all contain."""
    paused: bool = False
    window: str = "all"
    """Of the overview, one of `TOTAL_WINDOWS`."""
    sums_in_dollars: bool = True
    """Sums in dollars; else in coins of one market, or in events over all of them."""
    grouping: float = 0.0
    """Seconds within which the tape's page shows prints of one venue, market and side as one line; 0 for none."""
    sound: bool = False
    """Whether the terminal's bell rings for alerts of CRITICAL and above."""

    def matches(self, *words: str) -> bool:
        """Whether the filter lets through what `words` describe: each word of its own is part of one of them."""
        text = " ".join(words).lower()
        return all(word in text for word in self.filter.lower().split())

    def accepts(self, liquidation: Liquidation) -> bool:
        """Whether the filter lets it through, by its venue, instrument, market and side."""
        return self.matches(
            liquidation.venue, liquidation.instrument, f"{liquidation.asset}usdt", liquidation.side.value
        )

    def large(self, liquidation: Liquidation) -> bool:
        """Whether it reaches the tape's threshold. One of unknown size may, so it does."""
        return liquidation.usd is None or liquidation.usd >= self.threshold


class Picture(msgspec.Struct, frozen=True):
    """One moment of the engine and of the session, as this reader wants it shown."""

    snapshot: Snapshot
    status: Status
    view: View
    theme: Theme
    held: float = 0.0
    """Seconds for which it has been frozen."""

    def only(self, shown: int, known: int) -> list[Cell]:
        """What stands in the title of a list: the filter, and how much of the list it lets through."""
        if not self.view.filter:
            return []
        theme = self.theme
        return [
            (f" {theme.glyphs.between} ", theme["faint"]),
            (f'only "{self.view.filter}"', theme["state.waiting"]),
            (f" {shown} of {known}", theme["muted"]),
        ]

    def nothing_passes(self, width: int) -> list[Text]:
        """In place of rows that a filter hides, so that nobody takes it for a quiet market."""
        words = f'No row here matches "{self.view.filter}": / changes the filter, Esc drops it.'
        return [phrase([(words, self.theme["text"])], width, self.theme)]

    @property
    def lacks_market(self) -> bool:
        """Whether the numbers of the market that was chosen are not in it, which is not the same as there being none."""
        market = self.view.market
        return market != ALL and self.snapshot.events > 0 and market not in self.snapshot.kinematics

    def without_market(self, width: int) -> list[Text]:
        """In place of those numbers."""
        words = f"The numbers of {self.view.market} are not in this picture: {self.status.missing}."
        return [phrase([(words, self.theme["text"])], width, self.theme)]

    def word(self, feed: VenueState) -> str:
        """What a reader is told of a feed; a recording need not hold the states of its connections."""
        return "recorded" if self._recorded(feed) else WORDS[feed.state]

    def tone(self, feed: VenueState) -> Style:
        """The colour of that word."""
        return self.theme["muted"] if self._recorded(feed) else self.theme.feed(feed.state)

    def _recorded(self, feed: VenueState) -> bool:
        return self.status.mode is Mode.REPLAY and not feed.connections


Panel = Callable[[Picture, int, int], Sheet]
"""Draws itself for a width and a height in terminal cells."""
