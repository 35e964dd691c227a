"""What each key does, and the steps that keys take."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from liquake.tui.pages import PAGES

SEEK = 60
"""Seconds of a recording that an arrow goes on or back."""
FAR = 1_000_000
"""Rows to either end."""
SPEEDS: tuple[float | None, ...] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, None)
"""Recorded seconds per second, in steps of the < and > keys; the last is as fast as it goes."""


def stepped(steps: tuple[float, ...], value: float, step: int) -> float:
    """The step next to the one nearest to `value`."""
    here = min(range(len(steps)), key=lambda index: abs(steps[index] - value))
    return steps[min(max(here + step, 0), len(steps) - 1)]


def faster(speed: float | None, step: int) -> float | None:
    """The speed `step` places further on in `SPEEDS`; from between two of them to the next in that direction.

    >>> faster(60.0, 1), faster(45.0, 1), faster(45.0, -1), faster(None, -1), faster(None, 1), faster(1.0, -1)
    (120.0, 60.0, 30.0, 3600.0, None, 1.0)
    """
    reached = [float("inf") if each is None else each for each in SPEEDS]
    now = float("inf") if speed is None else speed
    beyond = [each for each in reached if (each > now if step > 0 else each < now)]
    if not beyond:
        return speed
    found = min(beyond) if step > 0 else max(beyond)
    return None if found == float("inf") else found


BINDINGS: list[BindingType] = [
    *(Binding(page.key, f"page('{page.name}')", page.words, show=False) for page in PAGES.values()),
    Binding("q", "quit", "Leave"),
    Binding("ctrl+c", "quit", "Leave", show=False, priority=True),
    Binding("p", "freeze", "Freeze"),
    # What stops and starts the output of a plain terminal; Textual's own Ctrl+Q would leave.
    Binding("ctrl+s", "hold(True)", "Freeze", show=False),
    Binding("ctrl+q", "hold(False)", "Go on", show=False, priority=True),
    Binding("u", "unit", "USD or events"),
    Binding("m", "market(1)", "Next market"),
    Binding("M", "market(-1)", "Previous market"),
    Binding("plus,equals_sign", "threshold(1)", "Larger only"),
    Binding("minus", "threshold(-1)", "Smaller too"),
    Binding("right_square_bracket", "window(1)", "Longer window"),
    Binding("left_square_bracket", "window(-1)", "Shorter window"),
    Binding("down,j", "rows(1)", "Down", show=False),
    Binding("up,k", "rows(-1)", "Up", show=False),
    Binding("pagedown,ctrl+d,space", "turn(1)", "Page down", show=False),
    Binding("pageup,ctrl+u", "turn(-1)", "Page up", show=False),
    Binding("home,g", f"rows({-FAR})", "Top", show=False),
    Binding("end,G", f"rows({FAR})", "End", show=False),
    Binding("T", "theme", "Next theme"),
    Binding("e", "export('csv')", "Export as CSV"),
    Binding("E", "export('json')", "Export as JSON"),
    Binding("s", "picture", "Save a picture"),
    Binding("b", "sound", "Sound on or off"),
    Binding("right", f"seek({SEEK})", "Replay: a minute on"),
    Binding("left", f"seek({-SEEK})", "Replay: a minute back"),
    Binding("shift+right", f"seek({10 * SEEK})", "Replay: ten minutes on"),
    Binding("shift+left", f"seek({-10 * SEEK})", "Replay: ten minutes back"),
    Binding("greater_than_sign", "speed(1)", "Replay: faster"),
    Binding("less_than_sign", "speed(-1)", "Replay: slower"),
    Binding("slash", "filter", "Filter"),
    Binding("colon", "command_palette", "Commands", show=False),
    Binding("question_mark", "help", "Help"),
    Binding("escape", "step_back", "Back", priority=True),
]
