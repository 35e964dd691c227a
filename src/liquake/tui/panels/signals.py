"""What goes out on the two channels, live: levels that signals reach, and alerts; each with all that is in it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from liquake.engine.snapshot import ALL, Digest, Notification
from liquake.model import Side
from liquake.model.alert import Alert, AlertRule
from liquake.tui import formats
from liquake.tui.panels.alerts import wrapped
from liquake.tui.panels.risk import WARMTH
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.status import Sending
from liquake.tui.table import Cell, phrase, printable, title, whole

SIGNALS, ALERTS = "liquake:signals", "liquake:alerts"
"""The channels of Redis, as `docs/stores.md` has them."""
Message = Alert | Notification | Digest
_INDENT = " " * 9
_NOTHING = "Nothing so far. A signal appears with the level it reaches, an alert with the rule that found it."
_NAMES = {SIGNALS: "signal", ALERTS: "alert"}


def messages(picture: Picture, width: int, height: int) -> Sheet:
    """The newest first, each on a line with its market and chance, and what it was made of below."""
    del height
    theme = picture.theme
    known = of_market(picture)
    shown = passing_messages(picture)
    first = title(
        "SIGNALS AND ALERTS", [*_counted(known, picture), *picture.only(len(shown), len(known))], width, theme
    )
    head = [first, phrase(_where(picture), width, theme)]
    if not shown:
        why = picture.nothing_passes(width) if known else wrapped(Text(_NOTHING, theme["text"]), width)
        return Sheet([*head, *why])
    lines = [line for message in shown for line in _lines(message, picture, width)]
    return Sheet(head, len(lines), lines.__getitem__, position=theme["muted"])


def of_market(picture: Picture) -> list[Message]:
    """What was said of the chosen market, or of all; the newest first."""
    market = picture.view.market
    everything: list[Message] = [*picture.snapshot.notices, *picture.status.alerts]
    about = [
        message
        for message in everything
        if market == ALL
        or message.market in (market, ALL)
        or (isinstance(message, Alert) and message.rule is AlertRule.FEED)
    ]
    return sorted(about, key=when)[::-1]


def passing_messages(picture: Picture) -> list[Message]:
    """Of those the ones that the filter lets through."""
    return [message for message in of_market(picture) if picture.view.matches(*_described(message))]


def when(message: Message) -> int:
    """UTC nanoseconds; of an all clear its end."""
    return message.end if isinstance(message, Digest) else message.ts


def channel(message: Message) -> str:
    """Where it is published."""
    return ALERTS if isinstance(message, Alert) else SIGNALS


def outcome(message: Message, picture: Picture) -> str:
    """What became of it, in a few words. Over the day's budget it goes out too, and says so itself."""
    over = "" if isinstance(message, Digest) or message.within_budget else ", over budget"
    return sent(message, picture) + over


def sent(message: Message, picture: Picture) -> str:
    """Whether it went out on its channel."""
    status, publishing = picture.status, picture.status.publishing
    if not publishing.wanted:
        return "shown"
    if publishing.by is Sending.ELSEWHERE:
        return "sent"
    if when(message) < status.started:
        return "earlier"
    if publishing.by is Sending.ANOTHER:
        return "by another"
    return "sent" if publishing.until is not None and when(message) <= publishing.until else "waiting"


def _where(picture: Picture) -> list[Cell]:
    theme = picture.theme
    channels: list[Cell] = [(SIGNALS, theme["strong"]), (" and ", theme["muted"]), (ALERTS, theme["strong"])]
    words, token = _state(picture)
    return [*channels, (f": {words}", theme[token])]


def _state(picture: Picture) -> tuple[str, str]:
    """Whether they go out, or why not, and how well that is."""
    publishing = picture.status.publishing
    if publishing.trouble:
        return f"waiting, {publishing.trouble}", "state.trouble"
    return {
        Sending.NOBODY: ("shown, not sent; --redis URL sends", "state.waiting"),
        Sending.UNWANTED: ("shown, not sent: --keys off", "state.waiting"),
        Sending.HERE: ("sent to Redis", "state.live"),
        Sending.ANOTHER: ("sent by another collector", "state.live"),
        Sending.ELSEWHERE: (f"sent, {picture.status.redis}", "state.live"),
    }[publishing.by]


def _counted(known: Sequence[Message], picture: Picture) -> list[Cell]:
    alerts = sum(isinstance(message, Alert) for message in known)
    words = ", ".join(
        f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((len(known) - alerts, "signal"), (alerts, "alert"))
    )
    return [(words, picture.theme["muted"])]


def _described(message: Message) -> tuple[str, ...]:
    """The words that the filter looks at."""
    side = "" if message.side is None else message.side.value
    if isinstance(message, Alert):
        return message.market, side, message.venue, message.rule.value, message.level.name, "alert"
    return message.market, side, level(message), "signal"


def level(message: Message) -> str:
    """Its name; of an all clear the highest that was reached."""
    return (message.highest if isinstance(message, Digest) else message.level).name


def _lines(message: Message, picture: Picture, width: int) -> list[Text]:
    theme = picture.theme
    style = theme["state.live"] if isinstance(message, Digest) else theme[WARMTH[message.level]]
    word = "all clear" if isinstance(message, Digest) else level(message)
    groups: list[list[Cell]] = [
        [(formats.clock_time(when(message)), theme["muted"])],
        [(f"{_NAMES[channel(message)]:<6}", theme["title"])],
        [(f"{word:<9}", style)],
        [(f"{message.market or 'feeds':<9}", theme["text"])],
        [_side(message.side, picture)],
        [(_what(message), theme["text"])],
        [(outcome(message, picture), theme["state.waiting" if sent(message, picture) == "waiting" else "muted"])],
    ]
    first = phrase(whole(groups, width, " "), width, theme)
    return [first, *wrapped(Text(theme.told(printable(_inside(message))), theme["muted"]), width, _INDENT)]


def _side(side: Side | None, picture: Picture) -> Cell:
    return ("-    ", picture.theme["faint"]) if side is None else (f"{side:<5}", picture.theme.side(side))


def _what(message: Message) -> str:
    if isinstance(message, Alert):
        return f"{message.rule.value:<14}"
    if isinstance(message, Digest):
        return f"{'a cascade came' if message.right else 'no cascade':<14}"
    return f"{'chance ' + formats.chance(message.probability):<14}"


def _inside(message: Message) -> str:
    """The sentence, and every number that was looked at."""
    if isinstance(message, Alert):
        inputs = ", ".join(f"{name} {_value(value)}" for name, value in message.inputs.items())
        record = "" if message.record is None else f" Record: {message.record}."
        return f"{message.text}. Inputs: {inputs}. Coverage: {message.coverage}.{record}"
    if isinstance(message, Digest):
        highest = formats.chance(message.peak_probability)
        lasted = formats.age((message.end - message.start) / 1e9)
        return f"after {lasted}, highest {message.highest.name}, highest chance {highest}"
    if message.probability is None:
        return f"without a probability: raised by {message.because}"
    asked = f"asked {formats.chance(message.threshold)}"
    return f"{asked}, confirmed by {message.because}"


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
