"""The terminal application: fixed panels, redrawn in place from one frozen picture at a time."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.theme import Theme as Colours
from textual.widget import Widget
from textual.widgets import Input, Label

from liquake.engine.snapshot import ALL
from liquake.tui.help import Help
from liquake.tui.panels.activity import activity
from liquake.tui.panels.footer import footer
from liquake.tui.panels.header import header
from liquake.tui.panels.tape import tape
from liquake.tui.panels.velocity import velocity
from liquake.tui.picture import THRESHOLDS, Panel, Picture, View
from liquake.tui.source import Source
from liquake.tui.theme import load_theme

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

_TAPE_REFRESH = 0.5
"""Seconds between two looks at the tape, which is read as it happens; the panels keep the reader's refresh."""


_DARK = Colours(
    "liquake-dark",
    primary="#c8ced6",
    foreground="#c8ced6",
    background="#0d1014",
    surface="#171b21",
    panel="#171b21",
    variables={"scrollbar": "#3a424d", "scrollbar-background": "#171b21"},
)
_TERMINALS_OWN = "ansi-dark"
"""Textual's theme that sends no colour of its own for text and background, as NO_COLOR asks."""


class Options(msgspec.Struct, frozen=True):
    """How to show. `refresh` in seconds; `unicode` false where the terminal's encoding lacks the signs."""

    refresh: float = 2.0
    theme: str = "dark"
    unicode: bool = True
    view: View = View()


class PanelWidget(Widget):
    """A panel's place on the screen."""

    def __init__(self, draw: Panel, id: str) -> None:  # noqa: A002 - the name Textual gives it
        super().__init__(id=id)
        self._draw = draw
        self._picture: Picture | None = None

    def show(self, picture: Picture) -> None:
        """Draw `picture` at the next repaint."""
        self._picture = picture
        self.refresh()

    def render(self) -> Text:
        """The panel for the room there is now, so that a resize needs nothing else."""
        return Text() if self._picture is None else self._draw(self._picture, self.size.width, self.size.height)


class MonitorApp(App[None]):
    """The monitor. Reads its source, never writes to it; ends by a key or by `exit()`."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "liquake"
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012 - declared by Textual without ClassVar
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012
    CSS = """
    MonitorApp > Screen { overflow: hidden; }
    PanelWidget { padding: 0 1; }
    #header { height: 2; }
    #footer { height: 3; dock: bottom; }
    #panels { height: 1fr; }
    #left { height: 14fr; }
    #velocity { height: 7; }
    #activity { height: 1fr; }
    #tape { height: 5fr; }
    .-tall #header { height: 4; }
    .-tall #left { height: 2fr; }
    .-tall #tape { height: 1fr; }
    .-tall #velocity { height: 10; }
    .-tall #activity { margin-bottom: 1; }
    .-tall #tape { margin-bottom: 1; }
    .-wide #panels { layout: horizontal; }
    .-wide #left { width: 112; height: 100%; }
    .-wide #tape { width: 1fr; height: 1fr; }
    #filter { display: none; dock: bottom; height: 1; padding: 0 1; margin-bottom: 3; background: $surface; }
    #filter.open { display: block; }
    #filter Input { width: 1fr; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Leave"),
        Binding("ctrl+c", "quit", "Leave", show=False, priority=True),
        Binding("p", "freeze", "Freeze"),
        Binding("u", "unit", "USD or events"),
        Binding("m", "market(1)", "Next market"),
        Binding("M", "market(-1)", "Previous market"),
        Binding("plus,equals_sign", "threshold(1)", "Larger only"),
        Binding("minus", "threshold(-1)", "Smaller too"),
        Binding("slash", "filter", "Filter"),
        Binding("question_mark", "help", "Help"),
        Binding("escape", "step_back", "Back", priority=True),
    ]

    def __init__(self, source: Source, options: Options | None = None) -> None:
        options = options or Options()
        name = "mono" if os.environ.get("NO_COLOR") else options.theme
        super().__init__(ansi_color=True if name == "mono" else None)
        self.source, self.options, self.look = source, options, load_theme(name, unicode=options.unicode)
        self.picture = Picture(source.snapshot(), source.status(), options.view, self.look)
        self._filter_before = ""
        self.register_theme(_DARK)
        self.theme = _DARK.name if name == "dark" else _TERMINALS_OWN

    def compose(self) -> ComposeResult:
        yield PanelWidget(header, "header")
        with Container(id="panels"):
            with Vertical(id="left"):
                yield PanelWidget(velocity, "velocity")
                yield PanelWidget(activity, "activity")
            yield PanelWidget(tape, "tape")
        with Horizontal(id="filter"):
            yield Label("filter the tape: ")
            yield Input(placeholder="venue, market, side; Enter keeps, Esc drops", compact=True)
        yield PanelWidget(footer, "footer")

    def on_mount(self) -> None:
        """Draw at once, then at the reader's pace."""
        self.draw()
        self.set_interval(self.options.refresh, self.look_again)
        if self.options.refresh > _TAPE_REFRESH:
            self.set_interval(_TAPE_REFRESH, self.look_at_tape)

    @property
    def view(self) -> View:
        """What the reader chose to look at."""
        return self.picture.view

    def look_again(self) -> None:
        """Take a new picture; a frozen one only grows older."""
        if not self._terminal_takes_more():
            return
        status = self.source.status()
        if self.view.paused:
            held = (status.now - self.picture.status.now) / 1e9
            self.picture = msgspec.structs.replace(self.picture, held=held)
        else:
            self.picture = Picture(self.source.snapshot(), status, self.view, self.look)
        self.draw(("header",) if self.view.paused else ())

    def look_at_tape(self) -> None:
        """Show what has arrived since the last picture, on the tape alone."""
        if self.view.paused or not self._terminal_takes_more():
            return
        snapshot = self.source.snapshot()
        if snapshot.tape != self.picture.snapshot.tape:
            self._panel("tape").show(msgspec.structs.replace(self.picture, snapshot=snapshot))

    def draw(self, names: Sequence[str] = ()) -> None:
        """Hand the picture to the panels called `names`, to all of them by default."""
        for panel in self.screen_stack[0].query(PanelWidget):
            if not names or panel.id in names:
                panel.show(self.picture)

    def choose(self, **choice: object) -> None:
        """Change the view, and show the change at once."""
        self.picture = msgspec.structs.replace(self.picture, view=msgspec.structs.replace(self.view, **choice))
        self.draw()

    def action_freeze(self) -> None:
        """Hold the picture, or take a new one. The engine goes on."""
        self.choose(paused=not self.view.paused)
        self.look_again()

    def action_unit(self) -> None:
        """Velocity in events or in dollars."""
        self.choose(dollars=not self.view.dollars)

    def action_market(self, step: int) -> None:
        """The next market, all of them in between."""
        names = [ALL, *self.picture.snapshot.markets]
        here = names.index(self.view.market) if self.view.market in names else 0
        self.choose(market=names[(here + step) % len(names)])

    def action_threshold(self, step: int) -> None:
        """The next larger or smaller size from which the tape shows a liquidation."""
        here = min(range(len(THRESHOLDS)), key=lambda index: abs(THRESHOLDS[index] - self.view.threshold))
        self.choose(threshold=THRESHOLDS[min(max(here + step, 0), len(THRESHOLDS) - 1)])

    def action_filter(self) -> None:
        """Open the line in which the tape's filter is written."""
        self._filter_before = self.view.filter
        self.query_one("#filter").add_class("open")
        line = self.query_one(Input)
        line.value = self.view.filter
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The tape follows every letter."""
        if self.query_one("#filter").has_class("open"):
            self.choose(filter=event.value.strip())

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self._close_filter()

    def action_help(self) -> None:
        """What the numbers mean."""
        self.push_screen(Help(self.look))

    def action_step_back(self) -> None:
        """Out of the help, the filter line, the filter, the frozen picture or the market: the first that applies."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.query_one("#filter").has_class("open"):
            self._close_filter()
            self.choose(filter=self._filter_before)
        elif self.view.filter:
            self.choose(filter="")
        elif self.view.paused:
            self.action_freeze()
        else:
            self.choose(market=ALL)

    def on_resize(self, event: events.Resize) -> None:
        """Panels measure themselves when they draw; nothing is kept that could be of the old size."""
        del event
        self.draw()

    def _terminal_takes_more(self) -> bool:
        """Whether anyone reads what is drawn: over a stalled connection nobody does.

        Textual queues a few dozen frames for its writer and then blocks the event loop, which the sockets share.
        """
        if self.is_headless or sys.__stderr__ is None:
            return True
        return bool(select.select([], [sys.__stderr__], [], 0.0)[1])

    def _close_filter(self) -> None:
        self.query_one("#filter").remove_class("open")
        self.set_focus(None)

    def _panel(self, name: str) -> PanelWidget:
        return self.screen_stack[0].query_one(f"#{name}", PanelWidget)
