"""The terminal application: fixed panels on a few pages, redrawn in place from one frozen picture at a time."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import ContentSwitcher, Input, Label

from liquake.engine.snapshot import ALL, TOTAL_WINDOWS
from liquake.model.alert import Alert, Level
from liquake.tui import export
from liquake.tui.bell import Bell
from liquake.tui.driver import TerminalDriver
from liquake.tui.grounds import MONO, ground, grounds
from liquake.tui.help import Help
from liquake.tui.keys import BINDINGS, faster, stepped
from liquake.tui.layout import laid_out, panels_of, place
from liquake.tui.output import hung_up, takes_more
from liquake.tui.pages import PAGES, wanted
from liquake.tui.palettes import PALETTES
from liquake.tui.panel import PanelWidget
from liquake.tui.panels.footer import footer
from liquake.tui.panels.header import header
from liquake.tui.panels.prints import GROUPINGS
from liquake.tui.panels.tabs import tabs
from liquake.tui.picture import THRESHOLDS, Picture, View
from liquake.tui.source import Source
from liquake.tui.status import Mode
from liquake.tui.theme import load_theme

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.screen import Screen

_STREAM_REFRESH = 0.5
"""Seconds between two looks at tape and alerts, which are read as they happen; other panels keep the reader's refresh."""
_PRINTS, _ALERTS = ("tape", "prints"), ("alerts", "messages")
_MESSAGE = 8.0
"""Seconds for which a message with a path in it stays."""
_AROUND = ("header", "footer", "tabs")
"""Panels of every page."""


class Options(msgspec.Struct, frozen=True):
    """How to show. `refresh` in seconds; `unicode` false where the terminal's encoding lacks the signs."""

    refresh: float = 2.0
    theme: str = "dark"
    unicode: bool = True
    view: View = View()


class MonitorApp(App[None]):
    """The screens. Reads its source, never writes to it; ends by a key or by `exit()`."""

    TITLE = "liquake"
    AUTO_FOCUS = None
    CSS_PATH = "layout.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - declared by Textual without ClassVar
        (0, "-narrow"),
        (116, "-broad"),
        (196, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-middle"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self, source: Source, options: Options | None = None, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """`now` in nanoseconds is what the bell counts by: a replay's own clock may run a thousand times as fast."""
        options = options or Options()
        name = MONO if os.environ.get("NO_COLOR") else options.theme
        super().__init__(driver_class=TerminalDriver, ansi_color=True if name == MONO else None)
        self.source, self.options, self.look = source, options, load_theme(name, unicode=options.unicode)
        snapshot, status = source.snapshot(*wanted(options.view)), source.status()
        self.picture = Picture(snapshot, status, options.view, self.look)
        self.hung_up = False
        """Whether it ended because its terminal did."""
        self._bell_rules, self._now = Bell(), now
        self._shown: tuple[int, tuple[Alert, ...]] = snapshot.arrived, status.alerts
        """Of the tape and of the alerts."""
        self._heard = {alert.key for alert in status.alerts}
        self._filter_before = ""
        self._pages_before: list[str] = []
        self._panels = {name: panels_of(page) for name, page in PAGES.items()}
        self._around = {
            name: PanelWidget(draw, name, focusable=False)
            for name, draw in zip(_AROUND, (header, footer, tabs), strict=True)
        }
        for colours in grounds():
            self.register_theme(colours)
        self.theme = ground(name)

    def compose(self) -> ComposeResult:
        yield self._around["header"]
        with ContentSwitcher(initial=place(self.view.page), id="pages"):
            for name, page in PAGES.items():
                yield laid_out(page, self._panels[name])
        with Horizontal(id="filter"):
            yield Label("show only: ")
            yield Input(placeholder="venue, market, side; Enter keeps, Esc drops", compact=True)
        with Vertical(id="bottom"):
            yield self._around["footer"]
            yield self._around["tabs"]

    def on_mount(self) -> None:
        """Draw at once, then at the reader's pace."""
        self.draw()
        self.set_interval(self.options.refresh, self.look_again)
        if self.options.refresh > _STREAM_REFRESH:
            self.set_interval(_STREAM_REFRESH, self.look_at_streams)

    @property
    def view(self) -> View:
        """What the reader chose to look at."""
        return self.picture.view

    def look_again(self) -> None:
        """Take a new picture; a frozen one only grows older."""
        if not self._terminal_takes_more():
            return
        status = self.source.status()
        self._ring_for(status.alerts)
        if self.view.paused:
            held = (status.now - self.picture.status.now) / 1e9
            self.picture = msgspec.structs.replace(self.picture, held=held)
            self._around["header"].show(self.picture)
        else:
            snapshot = self.source.snapshot(*wanted(self.view))
            self.picture = Picture(snapshot, status, self.view, self.look)
            self.draw()

    def look_at_streams(self) -> None:
        """Show what has arrived since the last picture, on the tape and among the alerts alone."""
        if not self._terminal_takes_more():
            return
        status = self.source.status()
        alerts = status.alerts
        self._ring_for(alerts)
        # Half a second may be minutes of a recording: there the whole screen must be of one moment.
        hurried = status.mode is Mode.REPLAY and status.speed != 1.0
        panels = self._panels[self.view.page].keys() & {*_PRINTS, *_ALERTS}
        if self.view.paused or hurried or not panels:
            return
        latest = self.source.latest()
        arrived, told = self._shown
        fresh = (*(_PRINTS if latest.arrived != arrived else ()), *(_ALERTS if alerts != told else ()))
        self._shown = latest.arrived, alerts
        snapshot = msgspec.structs.replace(self.picture.snapshot, tape=latest.tape, arrived=latest.arrived)
        status = msgspec.structs.replace(self.picture.status, alerts=alerts)
        picture = msgspec.structs.replace(self.picture, snapshot=snapshot, status=status)
        for name in panels.intersection(fresh):
            self._panels[self.view.page][name].show(picture)

    def _ring_for(self, alerts: Iterable[Alert]) -> None:
        """Sound the loudest alert that is new; a frozen picture does not silence it."""
        new = [alert for alert in alerts if alert.key not in self._heard]
        if new:
            self._heard = {alert.key for alert in alerts}
            self.sound(max(alert.level for alert in new))

    def draw(self) -> None:
        """Hand the picture to the panels of the open page, and to those around it."""
        self._shown = self.picture.snapshot.arrived, self.picture.status.alerts
        for panel in (*self._around.values(), *self._panels[self.view.page].values()):
            panel.show(self.picture)

    def choose(self, **choice: object) -> None:
        """Change the view, and show the change at once."""
        self.picture = msgspec.structs.replace(self.picture, view=msgspec.structs.replace(self.view, **choice))
        self.draw()

    def choose_anew(self, **choice: object) -> None:
        """Change the view to one that may need numbers the picture does not hold; of a frozen one it stays the moment."""
        self.choose(**choice)
        if not self.view.paused:
            self.look_again()

    def action_page(self, name: str) -> None:
        """Open a page. Everything chosen stays chosen."""
        if name == self.view.page:
            return
        self._pages_before = [page for page in self._pages_before if page != name] + [self.view.page]
        self._open(name)

    def _open(self, name: str) -> None:
        self.set_focus(None)
        self.query_one("#pages", ContentSwitcher).current = place(name)
        self.choose_anew(page=name)

    def action_freeze(self) -> None:
        """Hold the picture, or take a new one. The engine goes on."""
        self.choose(paused=not self.view.paused)
        self.look_again()

    def action_hold(self, hold: bool) -> None:
        """Hold the picture, or let it go on."""
        if hold is not self.view.paused:
            self.action_freeze()

    def action_unit(self) -> None:
        """Dollars, or what was counted: of the page that is open."""
        if self.view.page == "cumulative":
            self.choose(sums_in_dollars=not self.view.sums_in_dollars)
        else:
            self.choose(dollars=not self.view.dollars)

    def action_market(self, step: int) -> None:
        """The next market, all of them in between."""
        names = [ALL, *self.picture.snapshot.markets]
        here = names.index(self.view.market) if self.view.market in names else 0
        self.choose_anew(market=names[(here + step) % len(names)])

    def action_threshold(self, step: int) -> None:
        """The next larger or smaller size from which the tape shows a liquidation."""
        name = "page_threshold" if self.view.page == "tape" else "threshold"
        self.choose(**{name: stepped(THRESHOLDS, getattr(self.view, name), step)})

    def action_window(self, step: int) -> None:
        """The next longer or shorter window: of the sums, or on the tape's page of the prints shown as one."""
        if self.view.page == "tape":
            self.choose(grouping=stepped(GROUPINGS, self.view.grouping, step))
        elif self.view.page == "overview":
            names = list(TOTAL_WINDOWS)
            here = names.index(self.view.window) + step
            self.choose(window=names[min(max(here, 0), len(names) - 1)])

    def action_rows(self, step: int) -> None:
        """Scroll the panel that has the focus, else the page's longest one."""
        self._scrolled().scroll_rows(step)

    def action_turn(self, step: int) -> None:
        """The same by a whole panel."""
        panel = self._scrolled()
        panel.scroll_rows(step * panel.page_rows)

    @property
    def _longest(self) -> str:
        """The panel that the arrows move and that is exported while none has the focus."""
        return PAGES[self.view.page].scrolls

    def _scrolled(self) -> PanelWidget:
        focused = self.screen_stack[0].focused
        return focused if isinstance(focused, PanelWidget) else self._panels[self.view.page][self._longest]

    def action_theme(self) -> None:
        """The next palette; none has a colour where NO_COLOR is set."""
        if os.environ.get("NO_COLOR"):
            self.notify("NO_COLOR is set: the screen stays without colours.")
            return
        names = list(PALETTES)
        name = names[(names.index(self.look.name) + 1) % len(names)]
        self.look = load_theme(name, unicode=self.options.unicode)
        self.ansi_color = True if name == MONO else None
        self.theme = ground(name)
        self.picture = msgspec.structs.replace(self.picture, theme=self.look)
        self.draw()

    def action_export(self, form: str) -> None:
        """Write the table of the panel with the focus, else of the page, into the current folder."""
        focused = self.screen.focused
        name, rows = export.rows(self.picture, (focused.id or "") if isinstance(focused, PanelWidget) else "")
        if not rows:
            self.notify(f"Nothing to export: there is no {name} yet.")
            return
        self._save(export.text(rows, form), name, form, f"{len(rows):,} rows of {name}")

    def action_picture(self) -> None:
        """Write the screen as an SVG into the current folder."""
        self._save(self.export_screenshot(), self.view.page, "svg", "The picture")

    def _save(self, text: str, name: str, suffix: str, what: str) -> None:
        path = export.new_file(Path.cwd(), name, self.picture.snapshot.now, suffix)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.notify(f"{path} cannot be written: {error.strerror}.", severity="error")
        else:
            self.notify(f"{what} written to {path}", timeout=_MESSAGE)

    def action_sound(self) -> None:
        """Sound for what is critical, or none."""
        self.choose(sound=not self.view.sound)
        state = "on: the bell rings for CRITICAL and EXTREME, once in 5 s at most" if self.view.sound else "off"
        self.notify(f"Sound {state}.", timeout=_MESSAGE)

    def sound(self, level: Level) -> None:
        """Ring for an alert of `level`, if the reader wants to hear it and it is loud enough."""
        if self.view.sound and self._bell_rules.rings(level, self._now()):
            self.bell()

    def action_seek(self, seconds: int) -> None:
        """Go on or back in a recording."""
        if not self.source.seek(seconds):
            live = self.picture.status.mode is not Mode.REPLAY
            self.notify("Only a replay can be moved." if live else "The recording cannot be moved there.")

    def action_speed(self, step: int) -> None:
        """Let a recording run faster or slower."""
        speed = faster(self.picture.status.speed, step)
        if not self.source.set_speed(speed):
            self.notify("Only a replay has a speed.")
            return
        status = msgspec.structs.replace(self.picture.status, speed=speed)
        self.picture = msgspec.structs.replace(self.picture, status=status)
        self.draw()

    def action_filter(self) -> None:
        """Open the line in which the filter of whatever is listed is written."""
        self._filter_before = self.view.filter
        self.query_one("#filter").add_class("open")
        line = self.query_one(Input)
        line.value = self.view.filter
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every list follows every letter."""
        if self.query_one("#filter").has_class("open"):
            self.choose(filter=event.value.strip())

    def on_input_submitted(self) -> None:
        """Keep the filter."""
        self._close_filter()

    def action_help(self) -> None:
        """What the panel with the focus says, or those of the open page, and the keys."""
        focused = self.screen.focused
        names = (focused.id or "",) if isinstance(focused, PanelWidget) else tuple(PAGES[self.view.page].panels)
        self.push_screen(Help(self.look, names))

    def action_step_back(self) -> None:
        """Out of the first that applies: what lies over the panels, the filter line, the filter, the frozen picture,
        the focus, the market, the page.
        """
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.query_one("#filter").has_class("open"):
            self._close_filter()
            self.choose(filter=self._filter_before)
        elif self.view.filter:
            self.choose(filter="")
        elif self.view.paused:
            self.action_freeze()
        elif self.screen.focused is not None:
            self.set_focus(None)
        elif self.view.market != ALL:
            self.choose_anew(market=ALL)
        elif self._pages_before:
            self._open(self._pages_before.pop())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: every page, and every key that has a name."""
        del screen
        for page in PAGES.values():
            yield SystemCommand(f"{page.name}: {page.words}", f"key {page.key}", _runner(self, f"page('{page.name}')"))
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and binding.show:
                yield SystemCommand(binding.description, f"key {binding.key}", _runner(self, binding.action))

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
        terminal = sys.__stderr__.fileno()
        if hung_up(terminal):
            self.hung_up = True
            self.exit()
            return False
        return takes_more(terminal)

    def _close_filter(self) -> None:
        self.query_one("#filter").remove_class("open")
        self.set_focus(None)


def _runner(app: App[None], action: str) -> Callable[[], Coroutine[object, object, object]]:
    async def run() -> None:
        await app.run_action(action)

    return run
