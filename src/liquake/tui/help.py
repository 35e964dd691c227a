"""What each panel means, in a trader's words: what it is, how to read it, what to do with it, what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from liquake.tui.theme import Theme

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Explanation(msgspec.Struct, frozen=True):
    """One panel in four sentences or so."""

    title: str
    what: str
    read: str
    use: str
    cannot: str


_SUMS_CANNOT = (
    "≥ marks sums in which a venue withholds some of its liquidations: the true number is larger, by how much nobody "
    "outside knows for sure; the same where a venue was not heard for some of the time. Heard is the part of the time in which "
    "every venue was heard that lists the market. Samples are in no sum. What happened before liquake was started is not "
    "in it."
)

_REALLY = (
    "Really: between what and what the last hour must lie, in 19 of 20 cases, whatever window is chosen. Where a venue "
    "shows one order per symbol and second, how many it hid is told by how orders crowd in the same seconds at the venues "
    "that hide nothing; a single number means that next to nothing was hidden, to ? that nobody can say how much more it "
    "was, an empty cell that the venue has no such rule. ALL adds the lower ends and the upper ends."
)
_REALLY_CANNOT = (
    " Really takes for granted that forced orders crowd at one venue as at the others (within 15 % of what is hidden): of "
    "a venue that liquidates at other moments it is wrong. There is no upper end without a complete venue, beyond twice "
    "the size of those, where every second was taken, for orders of unknown size, if the venue was not heard for more "
    "than 36 s of the hour, while more comes than is estimated yet, and of ALL with a delayed venue. By coin there is one "
    "of the watched markets alone. No other number has it in it."
)

EXPLANATIONS: Mapping[str, Explanation] = {
    "velocity": Explanation(
        "Velocity",
        "How many liquidations come per second (u: dollars per second), how fast that grows (acceleration), and how "
        "fast the growth changes (jerk), over five time scales.",
        "Events and USD are exact counts of the window; the rest are estimates with one standard error behind ±. A "
        "bright number with an arrow (▲ up, ▼ down) is at least two errors from zero; without an arrow it cannot be "
        "told from chance; ? marks windows with fewer than five expected events. The status goes from STABLE to "
        "EXPLOSIVE by how far the velocity is from what is usual, tested exactly, also where events are few; for the "
        "first ten minutes it is learning what that is.",
        "Look for an arrow on several scales at once: a cascade shows first in the short windows and must reach 10 s "
        "and 60 s to be one. m limits it to one market.",
        "Where the price goes. The newest second is left out, because venues publish in batches; short windows are "
        "noisy by nature.",
    ),
    "activity": Explanation(
        "Exchange activity",
        "The last liquidation of each venue and market, with its age, and the last hour's sums.",
        "LIVE under 5 s, ACT under 60 s, idle under an hour, then old. The first column says what the venue's feed "
        "covers: = every liquidation; ≥ the venue withholds some, so sums are at least that much; ~ a sample of "
        "watched accounts, never in totals; d published late; ! in trouble, so its silence means nothing.",
        "When the screen is quiet, look here for a heartbeat: a feed that lives and has nothing to say is a quiet "
        "market, one with ! is not.",
        "What a venue withholds. Liquidations can be absent for minutes while the feed is healthy.",
    ),
    "tape": Explanation(
        "Tape",
        "The latest liquidations from a size that + and - change, the newest first, with the largest of the hour.",
        "LONG: a long position was liquidated, which sells; SHORT: a short one, which buys. The letter behind the "
        "price: F what was paid, B where the margin was zero (the fill is usually a few tenths of a per cent away), "
        "L the order's limit, E the entry. Those of unknown size are shown too: they may be large.",
        "/ filters every list by words (venue, market, side), all of which must match; 4 gives the tape the whole "
        "screen. The "
        "title counts what is not shown.",
        "More than the last 200 and the largest: under thousands per second most go by unseen here, but are counted "
        "and kept.",
    ),
    "prints": Explanation(
        "Tape, full screen",
        "Every liquidation still held, with its venue's own name of the contract and how long it took to arrive.",
        "[ and ] choose a window in which prints of one venue, market and side are shown as one line, x and a number "
        "before it saying how many; the line above names the window. The line at the bottom counts per venue what "
        "passes the filters.",
        "Without a window many small prints hide that one account is being sold off in pieces; 1 s shows it.",
        "Whether prints of one moment belong to one account: venues do not say.",
    ),
    "totals": Explanation(
        "Overview",
        "What was liquidated in all: events, dollars and coins, with the rate per hour and the average size.",
        "Forced selling means that most of the dollars were longs, forced buying shorts; balanced is within a tenth. "
        "[ and ] choose the window, m the market. Rates per hour are over the time that was watched, named in the "
        "title.",
        "Compare the rate per hour of the last 5 m with that of the last 24 h: how unusual is now?",
        _SUMS_CANNOT,
    ),
    "quick": Explanation(
        "Quick statistics",
        "The proportions of the tables beside it: who leads, longs against shorts, the imbalance between them.",
        "Dominance is the largest venue's part of the dollars. Imbalance is the difference of the two sides as a part "
        "of both.",
        "One venue far ahead of its usual part points to trouble there rather than in the market.",
        _SUMS_CANNOT,
    ),
    "by-exchange": Explanation(
        "By exchange",
        "Events, dollars and coins of each venue, and its part of the whole.",
        "Coins are shown once a market is chosen with m: coins of different kinds do not add up. " + _REALLY,
        "A venue that is missing although it is large: look at its state in the header. Compare venues by the last "
        "hour really, where there is room for it: an upper end far above the sum is a cascade behind a throttle.",
        _SUMS_CANNOT + " Venues are not comparable where one is complete and another withholds." + _REALLY_CANNOT,
    ),
    "by-side": Explanation(
        "Long against short",
        "Dollars of liquidated longs and shorts for each venue and for all.",
        "The bar is the longs' part from the left; the shorts' part is drawn with another sign.",
        "Venues that lean different ways at the same time are no market-wide cascade.",
        _SUMS_CANNOT,
    ),
    "sums-by-venue": Explanation(
        "Cumulative, by venue",
        "The same sums over six windows: both sides, then longs and shorts, for all venues and each.",
        "Windows end now; each longer one contains the shorter. u changes between dollars and counts. Coverage says what "
        "each feed promises of the market, and of all of them which part of the dollars is a lower bound. " + _REALLY,
        "Read a row from the right to the left: 5 m near a quarter of 1 h means that it all happens now.",
        _SUMS_CANNOT + _REALLY_CANNOT,
    ),
    "sums-by-market": Explanation(
        "Cumulative, by market",
        "The same by market over all venues, the largest first.",
        "Arrows, j and k scroll; Tab chooses the panel.",
        "A small coin high up in the 5 m column is where the forced orders are.",
        _SUMS_CANNOT,
    ),
    "numbers": Explanation(
        "Glance",
        "Six numbers to be read from across the room.",
        "Rate over 10 s; dollars within 60 s and 1 h; which part of the hour were longs; its largest; the price.",
        "m shows one market. Anything unusual: 1 for the details.",
        _SUMS_CANNOT,
    ),
    "velocity-chart": Explanation(
        "Velocity over five minutes",
        "Liquidations (u: dollars) per second, each point counted over the 10 s before it.",
        "The bright line is the count, the band around it one standard error to either side. The newest second is "
        "left out, because venues publish in batches; before the start nothing is drawn. ╱ marks a time in which a "
        "feed was down: at the foot one of them, all the way up all of them, and then there is no line.",
        "A rise counts when the bands before and after no longer overlap.",
        "Anything about what a venue withholds. One large liquidation makes a dollar curve jump for exactly 10 s.",
    ),
    "sides-chart": Explanation(
        "By side, minute by minute",
        "Dollars (or events) of liquidated longs above the line, of shorts below it, a column per minute.",
        "Both sides have the same scale: the largest column, named at the axis. The last minute is still filling.",
        "A row of growing columns on one side is a cascade; single high ones are single large positions.",
        _SUMS_CANNOT,
    ),
    "price-chart": Explanation(
        "Price with liquidations",
        "The price second by second, marked where liquidations from the tape's size on happened.",
        "▼ a long was liquidated (forced selling), ▲ a short. Marks lie on the price of their second, since venues "
        "mean different things by the price of a liquidation. + and - on the first page change the size.",
        "Marks that come before the move were part of it; marks after it are its consequence.",
        "Cause and effect. Only liquidations still on the tape, and the largest of the hour, are marked.",
    ),
    "markets": Explanation(
        "Markets",
        "One line per coin: its price, its last liquidation over all venues, the last hour's dollars, and trades.",
        "The largest by dollars first. Trades per second are over 10 s, from venues whose feed carries trades; - "
        "where none does.",
        "m walks through them; every other page then shows that market alone.",
        _SUMS_CANNOT,
    ),
    "cascade-risk": Explanation(
        "Cascade risk",
        "The chance that a liquidation cascade of one side goes on in a market within 60 s or 300 s, from a fitted "
        "model; a cascade is a minute with more dollars than nearly all of the market's own week.",
        "Chance, and beside it the usual one over all of the model's experience. The level rises only on a confirmed "
        "reading and falls only after a minute below. Score (rnk) is the percentile among the last 30 days. ▲ and ▼ "
        "say which parts raise or lower the odds, in log-odds: rate, burst, USD, self-excitation, other venues, stress. "
        "Below stands what some traders do at that level in this regime, with the reason.",
        "Compare the chance with the usual one, not with 100 %. Read the last line: a model fitted on simulated "
        "markets is a starting point; fit your own with liquake fit.",
        "Where the price goes. Where no model may speak, or while it warms up, there is a reason in place of a number.",
    ),
    "cascades": Explanation(
        "Cascades and notices",
        "Cascades that go on and the latest that ended, and every level that a signal reached, the newest first.",
        "CASCADE in capitals still goes on; its dollars are those published, at least. A notice says the chance, what "
        "the level asks for today and what confirmed it. All clear says whether a cascade came after all.",
        "Count how often a level was followed by a cascade before you trust it.",
        "Which cascade is the last: one that starts again within ten minutes counts as the same.",
    ),
    "regime": Explanation(
        "Regime",
        "How tense the market is, from CALM to EXTREME, ranked in its own week.",
        "The level rises at once and falls a step at a time. The multiplier is how much likelier a cascade has been "
        "from this level than on average; liquidity is the ease of trading against the week.",
        "In VOLATILE and above the same signal means more. For six hours there is no level, and until a day has been "
        "seen it says that it warms up.",
        "What comes next. It compares the market with itself: a calm week makes a small move look tense.",
    ),
    "correlation": Explanation(
        "Correlation",
        "Whether venues liquidate in the same seconds, within three seconds either way.",
        "Below the diagonal r with a memory of 60 s, loud from 0.7; above it what 300 s prove: yes (together), no "
        "(not proved), few (insufficient data). Pairs that are close, or in which one comes first, are named below.",
        "Venues that move together make a fall market-wide; a venue that comes first is the one to watch.",
        "Causes. One price move reaches every venue at once and correlates them without any contagion.",
    ),
    "outlook": Explanation(
        "Risk and regime",
        "The loudest cascade risk of all markets, or of the chosen one, how tense the market is, and the latest alert.",
        "The level, its market and side, the chance and the usual one. 8 opens the page with everything behind it, 9 "
        "the one with every alert.",
        "Anything above NONE: look at that page.",
        "Where the price goes.",
    ),
    "alerts": Explanation(
        "Alerts",
        "What was worth telling, each matter once per level: a cascade signal, a velocity or jerk beyond chance, a "
        "single liquidation that is large for its market, a change of regime, a feed that was lost.",
        "Level, rule, and a sentence with the numbers. Over budget: more than the day's share of its kind, shown, "
        "and sent with that said. b rings the terminal's bell for CRITICAL and above, once in 5 s at most.",
        "Look at the market it names; 9 shows every number that the rule looked at, and how often it was right.",
        "What comes. An alert says what is going on; on recorded data its median lead is about zero.",
    ),
    "messages": Explanation(
        "Signals and alerts",
        "What goes out on the Redis channels liquake:signals and liquake:alerts, as it goes out.",
        "A signal says which level a market and side reached, with which chance, what was asked for and what confirmed "
        "it; all clear says whether a cascade came. An alert comes with its rule, its inputs, and what the numbers "
        "cover. The second line says where it all goes: without Redis, or with --keys off, it is shown, not sent; waiting means "
        "that Redis is away, and that it goes out when it is back; by another, that a second collector sends its own; "
        "earlier, that it is of a run before.",
        "e exports them. --redis URL sends them to programs of your own.",
        "Whether anybody listens: publishing waits for no one.",
    ),
    "episodes-chart": Explanation(
        "Cascades over time",
        "A bar for each cascade of the last hours, from its first liquidation to its latest, with its dollars.",
        "What goes on ends in ▶ and stands on top. Longs and shorts have signs of their own. Dollars are as published, "
        "at least; the peak is the most in any minute. ╱ marks a time in which a feed was down.",
        "Several markets at once, and more than one venue in a bar, make a cascade of the whole market.",
        "Why it began. A cascade that starts again within ten minutes counts as the same one.",
    ),
}

_GENERAL = (
    "What is shown",
    "Forced liquidations as the venues publish them. LONG means that a long position was liquidated (forced selling), "
    "SHORT a short one (forced buying), whatever the venue's own field says. Sizes are coins, USD is coins times price "
    "with stablecoins counted as dollars. Times are UTC. This is information, not advice.",
)
_BELOW = (
    "The lines below",
    "Half of all events are faster than p50, 99 % faster than p99. Venue to us contains the venue's own batching and "
    "the difference of the clocks; us to state is liquake alone. Duplicates were received twice and counted once. Gaps "
    "are times in which a feed may have lost events.",
)
_KEYS = (
    "Keys",
    "1 to 9 pages   Tab next panel   arrows, j k, g G, PgUp PgDn scroll   ? help for the panel with the focus, or for "
    "the page   : or Ctrl+P commands   / filter of every list   + - the tape's size   m M next and previous market   u dollars "
    "or counts   [ ] window   T theme   e E export as CSV or JSON   s picture (SVG)   b sound   left right a minute back or on in "
    "a replay, with Shift ten   < > its speed   p freeze the picture, "
    "never the engine   Esc one step back   q or Ctrl+C leave and print the statistics",
)


def help_text(theme: Theme, names: Sequence[str] = ()) -> Text:
    """The panels called `names`, then what holds for all of them, one below the other."""
    text = Text()
    for name in names or EXPLANATIONS:
        if name in EXPLANATIONS:
            _explain(text, EXPLANATIONS[name], theme)
    for title, words in (_GENERAL, _BELOW, _KEYS):
        text.append(f"{title}\n", theme["title"]).append(f"{_signs(words, theme)}\n\n", theme["text"])
    return text


def _explain(text: Text, explanation: Explanation, theme: Theme) -> None:
    text.append(f"{explanation.title}\n", theme["title"])
    text.append(f"{_signs(explanation.what, theme)}\n", theme["text"])
    for label, words in (
        ("How to read it: ", explanation.read),
        ("What to do: ", explanation.use),
        ("What it cannot tell: ", explanation.cannot),
    ):
        text.append(label, theme["strong"]).append(f"{_signs(words, theme)}\n", theme["text"])
    text.append("\n")


def _signs(words: str, theme: Theme) -> str:
    """`words` with the signs that this terminal can show."""
    glyphs = theme.glyphs
    signs = {
        "≥": glyphs.at_least,
        "±": glyphs.plus_minus,
        "▲": glyphs.up,
        "▼": glyphs.down,
        "▶": glyphs.on,
        "╱": glyphs.hatch,
    }
    return "".join(signs.get(sign, sign) for sign in words)


class Help(ModalScreen[None]):
    """The explanations on top of the panels; Esc, ?, Enter or q closes them."""

    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,enter,q", "dismiss", "Close")]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help VerticalScroll { width: 84; max-width: 96%; height: auto; max-height: 92%; padding: 1 3;
                          background: $surface; scrollbar-size-vertical: 1; }
    Help Static { height: auto; padding-right: 1; }
    """

    def __init__(self, theme: Theme, names: Sequence[str] = ()) -> None:
        super().__init__()
        self._theme, self._names = theme, names

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(help_text(self._theme, self._names))
