"""The terminal application: fixed panels on a few pages, redrawn in place from one frozen picture at a time."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.theme import Theme as Colours
from textual.widgets import ContentSwitcher, Input, Label

from liquake.engine.snapshot import ALL, TOTAL_WINDOWS
from liquake.tui import export
from liquake.tui.bell import Bell
from liquake.tui.help import Help
from liquake.tui.pages import PAGES, Page, wanted
from liquake.tui.palettes import GROUNDS, PALETTES
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

_TAPE_REFRESH = 0.5
"""Seconds between two looks at the tape, which is read as it happens; the panels keep the reader's refresh."""
_TAPES = ("tape", "prints")
_MESSAGE = 8.0
"""Seconds for which a message with a path in it stays."""
_SEEK = 60
"""Seconds of a recording that an arrow goes on or back."""
_FAR = 1_000_000
"""Rows to either end."""


_MONO = "mono"
_TERMINALS_OWN = "ansi-dark"
"""Textual's theme that sends no colour of its own for text and background, as NO_COLOR asks."""


class Options(msgspec.Struct, frozen=True):
    """How to show. `refresh` in seconds; `unicode` false where the terminal's encoding lacks the signs."""

    refresh: float = 2.0
    theme: str = "dark"
    unicode: bool = True
    view: View = View()


def _page_bindings() -> list[BindingType]:
    return [Binding(page.key, f"page('{page.name}')", page.words, show=False) for page in PAGES.values()]


class MonitorApp(App[None]):
    """The screens. Reads its source, never writes to it; ends by a key or by `exit()`."""

    TITLE = "liquake"
    AUTO_FOCUS = None
    CSS_PATH = "layout.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012 - declared by Textual without ClassVar
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-middle"), (34, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *_page_bindings(),
        Binding("q", "quit", "Leave"),
        Binding("ctrl+c", "quit", "Leave", show=False, priority=True),
        Binding("p", "freeze", "Freeze"),
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
        Binding("home,g", f"rows({-_FAR})", "Top", show=False),
        Binding("end,G", f"rows({_FAR})", "End", show=False),
        Binding("T", "theme", "Next theme"),
        Binding("e", "export('csv')", "Export as CSV"),
        Binding("E", "export('json')", "Export as JSON"),
        Binding("s", "picture", "Save a picture"),
        Binding("b", "sound", "Sound on or off"),
        Binding("right", f"seek({_SEEK})", "Replay: a minute on"),
        Binding("left", f"seek({-_SEEK})", "Replay: a minute back"),
        Binding("shift+right", f"seek({10 * _SEEK})", "Replay: ten minutes on"),
        Binding("shift+left", f"seek({-10 * _SEEK})", "Replay: ten minutes back"),
        Binding("slash", "filter", "Filter"),
        Binding("colon", "command_palette", "Commands", show=False),
        Binding("question_mark", "help", "Help"),
        Binding("escape", "step_back", "Back", priority=True),
    ]

    def __init__(self, source: Source, options: Options | None = None) -> None:
        options = options or Options()
        name = _MONO if os.environ.get("NO_COLOR") else options.theme
        super().__init__(ansi_color=True if name == _MONO else None)
        self.source, self.options, self.look = source, options, load_theme(name, unicode=options.unicode)
        snapshot = source.snapshot(*wanted(options.view))
        self.picture = Picture(snapshot, source.status(), options.view, self.look)
        self.bell_rules = Bell()
        self._seen = snapshot.arrived
        self._filter_before = ""
        self._pages_before: list[str] = []
        for colours in _grounds():
            self.register_theme(colours)
        self.theme = _TERMINALS_OWN if name == _MONO else _ground(name)

    def compose(self) -> ComposeResult:
        yield PanelWidget(header, "header", focusable=False)
        with ContentSwitcher(initial=_place(self.view.page), id="pages"):
            for page in PAGES.values():
                yield self._laid_out(page)
        with Horizontal(id="filter"):
            yield Label("filter the tape: ")
            yield Input(placeholder="venue, market, side; Enter keeps, Esc drops", compact=True)
        with Vertical(id="bottom"):
            yield PanelWidget(footer, "footer", focusable=False)
            yield PanelWidget(tabs, "tabs", focusable=False)

    def _laid_out(self, page: Page) -> Container:
        """The page's panels in the containers that its layout needs."""
        alone = "alone" if len(page.panels) == 1 else ""
        panels = {
            name: PanelWidget(draw, name, classes=alone, focusable=name != "outlook")
            for name, draw in page.panels.items()
        }
        if page.name == "monitor":
            return Container(
                Vertical(panels["velocity"], panels["outlook"], panels["activity"], id="left"),
                panels["tape"],
                id=_place(page.name),
                classes="page",
            )
        if page.name == "overview":
            return Container(
                Horizontal(panels["totals"], panels["quick"], id="proportions"),
                Container(panels["by-exchange"], panels["by-side"], id="exchanges"),
                id=_place(page.name),
                classes="page",
            )
        if page.name == "risk":
            return Container(
                panels["cascade-risk"],
                panels["cascades"],
                Horizontal(panels["regime"], panels["correlation"], id="tension"),
                id=_place(page.name),
                classes="page",
            )
        return Container(*panels.values(), id=_place(page.name), classes="page")

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
            self._panel("header").show(self.picture)
        else:
            snapshot = self.source.snapshot(*wanted(self.view))
            self.picture = Picture(snapshot, status, self.view, self.look)
            self._seen = snapshot.arrived
            self.draw()

    def look_at_tape(self) -> None:
        """Show what has arrived since the last picture, on the tape alone."""
        shown = [name for name in PAGES[self.view.page].panels if name in _TAPES]
        if self.view.paused or not shown or not self._terminal_takes_more():
            return
        latest = self.source.latest()
        if latest.arrived != self._seen:
            self._seen = latest.arrived
            snapshot = msgspec.structs.replace(self.picture.snapshot, tape=latest.tape, arrived=latest.arrived)
            self._panel(shown[0]).show(msgspec.structs.replace(self.picture, snapshot=snapshot))

    def draw(self) -> None:
        """Hand the picture to the panels of the open page, and to those around it."""
        for name in ("header", *PAGES[self.view.page].panels, "footer", "tabs"):
            self._panel(name).show(self.picture)

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
        self.query_one("#pages", ContentSwitcher).current = _place(name)
        self.choose_anew(page=name)

    def action_freeze(self) -> None:
        """Hold the picture, or take a new one. The engine goes on."""
        self.choose(paused=not self.view.paused)
        self.look_again()

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
        self.choose(**{name: _stepped(THRESHOLDS, getattr(self.view, name), step)})

    def action_window(self, step: int) -> None:
        """The next longer or shorter window: of the sums, or on the tape's page of the prints shown as one."""
        if self.view.page == "tape":
            self.choose(grouping=_stepped(GROUPINGS, self.view.grouping, step))
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

    def _scrolled(self) -> PanelWidget:
        focused = self.screen_stack[0].focused
        return focused if isinstance(focused, PanelWidget) else self._panel(PAGES[self.view.page].scrolls)

    def action_theme(self) -> None:
        """The next palette; none has a colour where NO_COLOR is set."""
        if os.environ.get("NO_COLOR"):
            self.notify("NO_COLOR is set: the screen stays without colours.")
            return
        names = list(PALETTES)
        name = names[(names.index(self.look.name) + 1) % len(names)]
        self.look = load_theme(name, unicode=self.options.unicode)
        self.ansi_color = True if name == _MONO else None
        self.theme = _TERMINALS_OWN if name == _MONO else _ground(name)
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
        self.bell_rules.on = not self.bell_rules.on
        state = "on: the bell rings for CRITICAL and EXTREME, once in 5 s at most" if self.bell_rules.on else "off"
        self.notify(f"Sound {state}.", timeout=_MESSAGE)

    def sound(self, level: str) -> None:
        """Ring for a signal of `level`, if the reader wants to hear it and it is loud enough."""
        if self.bell_rules.rings(level, self.source.status().now):
            self.bell()

    def action_seek(self, seconds: int) -> None:
        """Go on or back in a recording."""
        if not self.source.seek(seconds):
            live = self.picture.status.mode is not Mode.REPLAY
            self.notify("Only a replay can be moved." if live else "The recording cannot be moved there.")

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
        return bool(select.select([], [sys.__stderr__], [], 0.0)[1])

    def _close_filter(self) -> None:
        self.query_one("#filter").remove_class("open")
        self.set_focus(None)

    def _panel(self, name: str) -> PanelWidget:
        return self.screen_stack[0].query_one(f"#{name}", PanelWidget)


def _ground(theme: str) -> str:
    """Textual's name for the ground of a palette."""
    return f"liquake-{theme}"


def _grounds() -> Iterator[Colours]:
    for name, ground in GROUNDS.items():
        text = load_theme(name)["text"].color
        foreground = None if text is None else text.name
        yield Colours(
            _ground(name),
            primary=foreground or ground.scrollbar,
            foreground=foreground,
            background=ground.background,
            surface=ground.surface,
            panel=ground.surface,
            dark=ground.dark,
            variables={"scrollbar": ground.scrollbar, "scrollbar-background": ground.surface},
        )


def _place(page: str) -> str:
    """The id of a page's container: panels have names of their own, some of them the same."""
    return f"page-{page}"


def _stepped(steps: tuple[float, ...], value: float, step: int) -> float:
    """The step next to the one nearest to `value`."""
    here = min(range(len(steps)), key=lambda index: abs(steps[index] - value))
    return steps[min(max(here + step, 0), len(steps) - 1)]


def _runner(app: App[None], action: str) -> Callable[[], Coroutine[object, object, object]]:
    async def run() -> None:
        await app.run_action(action)

    return run
