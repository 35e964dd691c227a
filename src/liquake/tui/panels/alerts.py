"""What was worth telling, as it comes: each matter once per level, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.text import Text

from liquake.engine.snapshot import ALL
from liquake.model.alert import Alert, AlertRule
from liquake.tui import formats
from liquake.tui.panels.risk import WARMTH
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, phrase, printable, title

_CONSOLE = Console(file=StringIO())
"""Wraps; nothing is written to it."""
_ROOMY = 100
"""Width from which an alert is one line."""
_INDENT = "  "
NONE_SO_FAR = "No alert so far. Each matter is told once per level, with the numbers behind it."


def alerts(picture: Picture, width: int, height: int) -> Sheet:
    """Time, level, rule and sentence. Not filtered: what is loud must not be hidden by a word typed for the tape."""
    del height
    theme, told = picture.theme, of_market(picture)
    over = sum(not alert.within_budget for alert in told)
    subject: list[Cell] = [(f"sound {'on' if picture.view.sound else 'off'}", theme["muted"])]
    if over:
        subject.append((f", {over} over budget", theme["muted"]))
    first = title("ALERTS", subject, width, theme)
    if not told:
        return Sheet([first, *wrapped(Text(NONE_SO_FAR, theme["text"]), width)])
    lines = [line for alert in told for line in _lines(alert, picture, width)]
    return Sheet([first], len(lines), lines.__getitem__, position=theme["muted"])


def of_market(picture: Picture) -> list[Alert]:
    """The newest first; of a chosen market those that are about it, about all, or about a feed."""
    market = picture.view.market
    about = [
        alert
        for alert in picture.status.alerts
        if market == ALL or alert.market in (market, ALL) or alert.rule is AlertRule.FEED
    ]
    return about[::-1]


def headline(alert: Alert, picture: Picture) -> list[Cell]:
    """When, how loud, and by which rule."""
    theme = picture.theme
    return [
        (f"{formats.clock_time(alert.ts)} ", theme["muted"]),
        (alert.level.name, theme[WARMTH[alert.level]]),
        (f" {alert.rule.value}", theme["title"]),
    ]


def wrapped(text: Text, width: int, indent: str = "") -> list[Text]:
    """`text` in lines of at most `width` cells, each after `indent`."""
    lines = list(text.wrap(_CONSOLE, max(width - len(indent), 1)))
    for line in lines:
        line.rstrip()
    return [Text(indent, end="").append_text(line) for line in lines]


def _lines(alert: Alert, picture: Picture, width: int) -> Sequence[Text]:
    theme = picture.theme
    kept = "" if alert.within_budget else " (over budget)"
    words = theme.told(printable(alert.text)) + kept
    if width >= _ROOMY:
        return [phrase([*headline(alert, picture), (f"  {words}", theme["text"])], width, theme)]
    return [phrase(headline(alert, picture), width, theme), *wrapped(Text(words, theme["text"]), width, _INDENT)]
