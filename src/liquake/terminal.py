"""A run on the terminal: the full screen, or text where there is none; at the end, its statistics."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

import msgspec

from liquake.config import Settings
from liquake.engine.snapshot import Statistics
from liquake.errors import ExportError
from liquake.run import Run
from liquake.tui.output import Output
from liquake.tui.pages import wanted
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.source import Source
from liquake.tui.statistics import alerts_text, statistics_csv, statistics_json, statistics_text
from liquake.tui.status import Mode
from liquake.tui.theme import Theme, load_theme
from liquake.venues import Venue

Tell = Callable[[asyncio.Event, asyncio.Task[None]], Coroutine[Any, Any, None]]
"""Shows or tells of work that is under way, until the event is set or the work ends."""


def on_terminal(source: Source, settings: Settings, alone: Tell | None = None) -> Tell:
    """What shows the pictures of `source` until the event is set or, as text, the work ends.

    A terminal that hangs up (a closed window, a broken connection) is let go of: then the work goes on with `alone`, or
    ends where that is `None`.
    """
    return partial(_show, source, settings, alone)


async def _show(
    source: Source, settings: Settings, alone: Tell | None, stop: asyncio.Event, working: asyncio.Task[None]
) -> None:
    hung_up, held = asyncio.Event(), [number for number in range(3) if os.isatty(number)]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
    await (_draw if full_screen(settings) else _print)(source, settings, stop, hung_up, working)
    if hung_up.is_set():
        _let_go(held)
        if alone is not None:
            await alone(stop, working)


def _let_go(held: Sequence[int]) -> None:
    """Put nothing in place of the terminal at the descriptors `held`: writing to one that is gone is an error."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in held:
        os.dup2(nothing, number)
    os.close(nothing)


def full_screen(settings: Settings) -> bool:
    """Whether pictures are drawn rather than printed."""
    return not settings.plain and has_terminal()


def has_terminal() -> bool:
    """Whether a full screen can be drawn: Textual itself does not ask, and draws on standard error."""
    standard = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in standard) and os.environ.get("TERM", "dumb") not in ("", "dumb")


async def _print(
    source: Source, settings: Settings, stop: asyncio.Event, hung_up: asyncio.Event, working: asyncio.Task[None]
) -> None:
    """A picture as text each refresh. A recording's last picture is shown however short it was."""
    view, status, theme = View(page=settings.view), source.status(), _theme(settings)
    # At full speed there is nothing to see on the way.
    timeout = None if status.mode is Mode.REPLAY and status.speed is None else settings.refresh
    ending = [asyncio.create_task(stop.wait()), asyncio.create_task(hung_up.wait())]
    with _standard_output() as output:
        screen = PlainScreen(cast("TextIO", output))
        over = False
        try:
            while not (over or stop.is_set() or hung_up.is_set()):
                await asyncio.wait((working, *ending), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                over = working.done()
                picture = Picture(source.snapshot(*wanted(view)), source.status(), view, theme)
                # A reader who takes no more (Ctrl+S, a pager) holds up nothing but his own text.
                printing = asyncio.create_task(asyncio.to_thread(screen.show, picture))
                await asyncio.wait((printing, *ending), return_when=asyncio.FIRST_COMPLETED)
                if not printing.done():
                    output.leave()
                await printing
                if output.gone and not stop.is_set():
                    hung_up.set()
        finally:
            for waiting in ending:
                waiting.cancel()


def _theme(settings: Settings) -> Theme:
    return load_theme(settings.theme, unicode=speaks_unicode(sys.stdout))


async def _draw(
    source: Source, settings: Settings, stop: asyncio.Event, hung_up: asyncio.Event, working: asyncio.Task[None]
) -> None:
    """The screen, until the reader leaves. It stays after the end of a recording; a fault in `working` ends it."""
    from liquake.tui.app import MonitorApp, Options

    application = MonitorApp(
        source, Options(settings.refresh, settings.theme, speaks_unicode(sys.stdout), View(page=settings.view))
    )
    showing = asyncio.create_task(application.run_async())
    ending = [asyncio.create_task(stop.wait()), asyncio.create_task(hung_up.wait())]
    waiting: set[asyncio.Task[Any]] = {showing, working, *ending}
    try:
        while not (showing.done() or stop.is_set() or hung_up.is_set() or (working.done() and working.exception())):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting.discard(working)
    finally:
        for event in ending:
            event.cancel()
        if not showing.done():
            application.exit()
        await showing
    if application.hung_up:
        hung_up.set()


def print_json(what: object) -> None:
    """`what`, indented, on standard output."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(what), indent=2) + b"\n")
    sys.stdout.flush()


def leave(run: Run, shown: Sequence[Venue], settings: Settings) -> None:
    """Write the run's statistics where the reader wants them, and print them. Raises `ExportError`."""
    statistics = run.statistics()
    # First: whoever reads our output may be gone.
    if settings.export_on_exit:
        _export(statistics, Path(settings.export_on_exit))
    coverages = {venue.name: venue.coverage for venue in shown}
    with _standard_output() as output:
        output.leave()
        output.write("\n" + statistics_text(statistics, coverages, unicode=speaks_unicode(sys.stdout)))
        output.write(alerts_text(run.alerts))
        if settings.export_on_exit:
            output.write(f"\nwritten to {settings.export_on_exit}\n")


def _export(statistics: Statistics, path: Path) -> None:
    text = statistics_json(statistics) + "\n" if path.suffix == ".json" else statistics_csv(statistics)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(path, error.strerror or str(error)) from None


@contextmanager
def _standard_output() -> Iterator[Output]:
    sys.stdout.flush()
    output = Output(sys.stdout)
    try:
        yield output
    finally:
        output.close()
