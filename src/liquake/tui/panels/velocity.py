"""How fast liquidations come, and whether that is changing: one row per time scale, each number with its error."""

from __future__ import annotations

from rich.text import Text

from liquake.engine.snapshot import ALL, Derivative, WindowKinematics
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.status import Mode
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title
from liquake.tui.theme import WORDS, Theme

_VALUE, _ERROR = 10, 7
_ESTIMATE = 1 + _VALUE + 2 + _ERROR
"""Arrow, value, sign of the error, error."""
_ROOMY = 100


def velocity(picture: Picture, width: int, height: int) -> Sheet:
    """Five windows: events and dollars exactly counted, the three derivatives as estimate ± standard error."""
    del height
    snapshot, view, theme = picture.snapshot, picture.view, picture.theme
    first = title("VELOCITY", _subject(picture), width, theme)
    windows = snapshot.kinematics.get(view.market)
    if not snapshot.events or windows is None:
        return Sheet([first, Text(), *_waiting(picture, width)])
    columns = shown(_columns(theme, dollars=view.dollars), width)
    elapsed = (snapshot.as_of - snapshot.started) / 1e9 if snapshot.started is not None else 0.0
    rows = [row(columns, _cells(window, elapsed, picture), theme) for window in windows]
    return Sheet([first, heading(columns, theme), *rows, Text(), _legend(theme, width)])


def _waiting(picture: Picture, width: int) -> list[Text]:
    """What the panel waits for: the feeds, the market, or the one market chosen."""
    snapshot, view, theme = picture.snapshot, picture.view, picture.theme
    live = sum(WORDS[venue.state] == "live" for venue in snapshot.venues)
    if snapshot.events and view.market != ALL:
        sentence = f"No liquidation of {view.market} yet: m and M choose another market, Esc shows all."
    elif picture.status.mode is Mode.REPLAY:
        sentence = "No liquidation in the recording so far."
    elif not live:
        sentence = "Connecting: no feed is live yet."
    else:
        sentence = f"No liquidation yet. Live feeds: {live} of {len(snapshot.venues)}; each one's heartbeat is below."
    hint = "Rates appear with the first one. Minutes of quiet are normal."
    return [phrase([(sentence, theme["text"])], width, theme), phrase([(hint, theme["muted"])], width, theme)]


def _subject(picture: Picture) -> list[Cell]:
    snapshot, view, theme = picture.snapshot, picture.view, picture.theme
    between = (f" {theme.glyphs.between} ", theme["faint"])
    behind = formats.age((snapshot.now - snapshot.as_of) / 1e9)
    return [
        ("all markets" if view.market == ALL else view.market, theme["strong"]),
        between,
        ("dollars" if view.dollars else "events", theme["strong"]),
        between,
        (f"as of {behind} ago", theme["muted"]),
    ]


def _columns(theme: Theme, *, dollars: bool) -> tuple[Column, ...]:
    """A narrow table shows the events or the dollars, a roomy one both."""
    glyphs = theme.glyphs
    return (
        Column("window", "window", 6, right=True),
        Column("events", "events", 7, right=True, least=_ROOMY if dollars else 0),
        Column("usd", "USD", 7, right=True, least=0 if dollars else _ROOMY),
        Column("velocity", f"{'velocity /s':>{1 + _VALUE}}", _ESTIMATE),
        Column("acceleration", f"{f'accel. /s{glyphs.squared}':>{1 + _VALUE}}", _ESTIMATE),
        Column("jerk", f"{f'jerk /s{glyphs.cubed}':>{1 + _VALUE}}", _ESTIMATE),
        Column("note", "", 14, least=_ROOMY),
    )


def _cells(window: WindowKinematics, elapsed: float, picture: Picture) -> dict[str, Cell]:
    theme, dollars = picture.theme, picture.view.dollars
    motion = window.dollars if dollars else window.counts
    cells = {
        "window": (formats.window(window.window), theme["text"]),
        "events": (formats.count(window.events), theme["number"]),
        "usd": (formats.dollars(window.usd), theme["number"]),
        "velocity": _estimate(motion.velocity, picture, signed=False, trusted=window.trusted),
        "acceleration": _estimate(motion.acceleration, picture, signed=True, trusted=window.trusted),
        "jerk": _estimate(motion.jerk, picture, signed=True, trusted=window.trusted),
    }
    return cells | {"note": (_note(window, elapsed), theme["muted"])}


def _estimate(derivative: Derivative, picture: Picture, *, signed: bool, trusted: bool) -> Cell:
    """Value ± error; bright, with an arrow where there is a direction, only if it can be told from zero.

    Without any event there is no error to estimate either, so none is claimed.
    """
    theme, glyphs = picture.theme, picture.theme.glyphs
    if derivative.error == 0.0:
        return f"?{0:>{_VALUE}}", theme["muted"]
    prefix = "$" if picture.view.dollars else ""
    value, error = formats.measurement(derivative.value, derivative.error, signed=signed, prefix=prefix)
    clear = trusted and derivative.significant
    arrow = (glyphs.up if derivative.value > 0.0 else glyphs.down) if clear and signed else " " if trusted else "?"
    return f"{arrow}{value:>{_VALUE}}{glyphs.plus_minus:>2}{error:<{_ERROR}}", theme["strong" if clear else "muted"]


def _note(window: WindowKinematics, elapsed: float) -> str:
    if elapsed < window.window:
        return f"filling, {100.0 * max(elapsed, 0.0) / window.window:.0f}%"
    return "" if window.trusted else "too few events"


def _legend(theme: Theme, width: int) -> Text:
    glyphs = theme.glyphs
    arrows = f"{glyphs.up}{glyphs.down} two or more from zero"
    words = f"{glyphs.plus_minus} one standard error  {arrows}  ? too few events"
    return phrase([(words, theme["muted"])], width, theme)
