"""How fast liquidations come, and whether that is changing: one row per time scale, each number with its error."""

from __future__ import annotations

from rich.text import Text

from liquake.engine.snapshot import ALL, Derivative, Status, WindowKinematics
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.situation import live
from liquake.tui.status import Mode
from liquake.tui.sums import mixed
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title
from liquake.tui.theme import WORDS, Theme

_NARROW, _USUAL = (7, 8, 8), (10, 10, 10)
"""Cells for the value of velocity, which has no sign, of acceleration and of jerk."""
_ERRORS = {_NARROW: (6, 7, 7), _USUAL: (7, 7, 7)}
_DERIVATIVES = ("velocity", "acceleration", "jerk")
_AROUND = 3
"""Arrow and the sign of the error."""
_AROUND_ROWS = 4
"""Lines beside the rows where the panel has room to spare: title, heads, gap and legend."""
_LOOSE = 87
"""Width from which the numbers have room to spare."""
_ROOMY = 100
_NEXT_TO_NONE = 0.05
"""Events expected in a window below which its estimates are what is left of a decay, and no digits of them say more."""
_WARMTH = {status: f"heat.{index}" for index, status in enumerate(Status)}


def velocity(picture: Picture, width: int, height: int) -> Sheet:
    """Five windows: events and dollars exactly counted, the three derivatives as estimate ± standard error."""
    snapshot, view, theme = picture.snapshot, picture.view, picture.theme
    first = title("VELOCITY", _subject(picture), width, theme)
    windows = snapshot.kinematics.get(view.market)
    if not snapshot.events or windows is None:
        return Sheet([first, Text(), *_waiting(picture, width)])
    values = _USUAL if width >= _LOOSE else _NARROW
    columns = shown(_columns(theme, values, dollars=view.dollars), width)
    elapsed = (snapshot.as_of - snapshot.started) / 1e9 if snapshot.started is not None else 0.0
    rows = [row(columns, _cells(window, elapsed, picture, values), theme) for window in windows]
    # Better close to the numbers than not there.
    gap = [Text()] if height >= len(rows) + _AROUND_ROWS else []
    return Sheet([first, heading(columns, theme), *rows, *gap, _legend(theme, width)])


def _waiting(picture: Picture, width: int) -> list[Text]:
    """What the panel waits for: the feeds, a liquidation, or the market that was chosen."""
    snapshot, theme = picture.snapshot, picture.theme
    if picture.lacks_market:
        return picture.without_market(width)
    heard = sum(WORDS[venue.state] == "live" for venue in snapshot.venues)
    if picture.status.mode is Mode.REPLAY:
        sentence = "No liquidation in the recording so far."
    elif not heard:
        sentence = "Connecting: no feed is live yet."
    else:
        sentence = f"No liquidation yet. Live feeds: {heard} of {len(snapshot.venues)}; each one's heartbeat is below."
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
        *([between, (f"{theme.glyphs.at_least} at least", theme["muted"])] if mixed(snapshot) else []),
        *([] if live(picture) else [between, ("no feed is live", theme["state.trouble"])]),
    ]


def _columns(theme: Theme, values: tuple[int, int, int], *, dollars: bool) -> tuple[Column, ...]:
    """A narrow table shows the events or the dollars, a roomy one both."""
    glyphs = theme.glyphs
    titles = ("velocity /s", f"accel. /s{glyphs.squared}", f"jerk /s{glyphs.cubed}")
    estimates = (
        Column(name, f"{title:>{1 + value}}", _AROUND + value + error)
        for name, title, value, error in zip(_DERIVATIVES, titles, values, _ERRORS[values], strict=True)
    )
    count = 7 if values is _USUAL else 6
    return (
        Column("window", "window", 6, right=True),
        Column("events", "events", count, right=True, least=_ROOMY if dollars else 0),
        Column("usd", "USD", count, right=True, least=0 if dollars else _ROOMY),
        *estimates,
        Column("status", "status", 9),
        Column("note", "", 14, least=_ROOMY),
    )


def _status(window: WindowKinematics, theme: Theme) -> Cell:
    if window.status is None:
        return "learning", theme["faint"]
    return str(window.status), theme[_WARMTH[window.status]]


def _cells(window: WindowKinematics, elapsed: float, picture: Picture, values: tuple[int, int, int]) -> dict[str, Cell]:
    theme = picture.theme
    motion = window.dollars if picture.view.dollars else window.counts
    cells = {
        "window": (formats.window(window.window), theme["text"]),
        "events": (formats.count(window.events), theme["number"]),
        "usd": (formats.dollars(window.usd), theme["number"]),
        "status": _status(window, theme),
        "note": (_note(window, elapsed), theme["muted"]),
    }
    for name, room in zip(_DERIVATIVES, values, strict=True):
        signed = name != "velocity"
        if window.counts.velocity.value * window.window < _NEXT_TO_NONE:
            cells[name] = f"?{0:>{room}}", theme["muted"]
        else:
            cells[name] = _estimate(getattr(motion, name), picture, room, signed=signed, trusted=window.trusted)
    return cells


def _estimate(derivative: Derivative, picture: Picture, room: int, *, signed: bool, trusted: bool) -> Cell:
    """Value ± error; bright, with an arrow where there is a direction, only if it can be told from zero.

    Without any event there is no error to estimate either, so none is claimed.
    """
    theme, glyphs = picture.theme, picture.theme.glyphs
    if derivative.error == 0.0:
        return f"?{0:>{room}}", theme["muted"]
    prefix = "$" if picture.view.dollars else ""
    value, error = formats.measurement(derivative.value, derivative.error, signed=signed, prefix=prefix)
    clear = trusted and derivative.significant
    arrow = (glyphs.up if derivative.value > 0.0 else glyphs.down) if clear and signed else " " if trusted else "?"
    return f"{arrow}{value:>{room}}{glyphs.plus_minus:>2}{error}", theme["strong" if clear else "muted"]


def _note(window: WindowKinematics, elapsed: float) -> str:
    if elapsed < window.window:
        return f"filling, {100.0 * max(elapsed, 0.0) / window.window:.0f}%"
    return "" if window.trusted else "too few events"


def _legend(theme: Theme, width: int) -> Text:
    glyphs = theme.glyphs
    arrows = f"{glyphs.up}{glyphs.down} two or more from zero"
    words = f"{glyphs.plus_minus} one standard error  {arrows}  ? too few events"
    return phrase([(words, theme["muted"])], width, theme)
