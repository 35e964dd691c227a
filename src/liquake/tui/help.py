"""What the numbers mean, in a trader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from liquake.tui.theme import Theme

if TYPE_CHECKING:
    from textual.app import ComposeResult

SECTIONS = (
    (
        "What is shown",
        "Forced liquidations as the venues publish them. LONG means that a long position was liquidated (forced "
        "selling), SHORT a short one (forced buying), whatever the venue's own field says. Sizes are coins, USD "
        "is coins times price with stablecoins counted as dollars. Times are UTC. This is information, not "
        "advice.",
    ),
    (
        "Velocity",
        "How many liquidations per second (u: dollars per second), how fast that grows (acceleration), and how "
        "fast the growth changes (jerk), over five time scales. Events and USD are exact counts of the window; "
        "the rest are estimates with one standard error behind ±. Short windows are noisy by nature: without an "
        "arrow (▲ up, ▼ down) a number cannot be told from chance, and ? marks windows with fewer than five "
        "expected events. The newest second is left out, because venues publish in batches.",
    ),
    (
        "Exchange activity",
        "The last liquidation of each venue and market, with its age: LIVE under 5 s, ACT under 60 s, idle under "
        "an hour, then old. The first column says what the venue's feed covers: = every liquidation; ≥ the venue "
        "withholds some, so sums are at least that much; ~ a sample of watched accounts, never in totals; d "
        "published late; ! in trouble, so its silence means nothing. A quiet feed shows its last heartbeat: "
        "liquidations can be absent for minutes while the feed is healthy.",
    ),
    (
        "Tape",
        "The latest liquidations from a size that + and - change, the newest first, with the largest of the hour. "
        "Those of unknown size are shown too: they may be large. The letter behind the price says what it is: F "
        "what was paid, B where the margin was zero (the fill is usually a few tenths of a per cent away), L the "
        "order's limit, E the entry. / filters by words: venue, market or side, all of which must match.",
    ),
    (
        "Below",
        "Half of all events are faster than p50, 99 % faster than p99. Venue to us contains the venue's own "
        "batching and the difference of the clocks; us to state is liquake alone. Duplicates were received twice "
        "and counted once. Gaps are times in which a feed may have lost events.",
    ),
    (
        "Keys",
        "q or Ctrl+C leave and print the statistics   p freeze the picture, never the engine   u events or "
        "dollars   m M next and previous market   + - size of the tape   / filter   Esc one step back",
    ),
)


def help_text(theme: Theme) -> Text:
    """All sections, one below the other."""
    signs: dict[str, str | int | None] = {
        "≥": theme.glyphs.at_least,
        "±": theme.glyphs.plus_minus,
        "▲": theme.glyphs.up,
        "▼": theme.glyphs.down,
    }
    text = Text()
    for name, words in SECTIONS:
        text.append(f"{name}\n", theme["title"])
        text.append(f"{words.translate(str.maketrans(signs))}\n\n", theme["text"])
    return text


class Help(ModalScreen[None]):
    """The sections on top of the panels; Esc, ?, Enter or q closes them."""

    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help VerticalScroll { width: 76; max-width: 96%; height: auto; max-height: 92%; padding: 1 3;
                          background: $surface; scrollbar-size-vertical: 1; }
    Help Static { height: auto; padding-right: 1; }
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(help_text(self._theme))
