"""A run on the terminal: the full screen, or text where there is none; at the end, its statistics."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from liquake.config import Settings
from liquake.engine.snapshot import Statistics
from liquake.errors import ExportError
from liquake.run import Run
from liquake.tui.pages import wanted
from liquake.tui.picture import Picture, View
from liquake.tui.plain import PlainScreen, speaks_unicode
from liquake.tui.source import Source
from liquake.tui.statistics import alerts_text, statistics_csv, statistics_json, statistics_text
from liquake.tui.status import Mode
from liquake.tui.theme import load_theme
from liquake.venues import Venue

_Show = Coroutine[Any, Any, None]


def on_terminal(source: Source, settings: Settings) -> Callable[[asyncio.Event, asyncio.Task[None]], _Show]:
    """What shows the pictures of `source` until the event is set or, as text, the task ends."""
    return partial(_draw if full_screen(settings) else _print, source, settings)


def full_screen(settings: Settings) -> bool:
    """Whether pictures are drawn rather than printed."""
    return not settings.plain and has_terminal()


def has_terminal() -> bool:
    """Whether a full screen can be drawn: Textual itself does not ask, and draws on standard error."""
    standard = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in standard) and os.environ.get("TERM", "dumb") not in ("", "dumb")


async def _print(source: Source, settings: Settings, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
    """A picture as text each refresh. A recording's last picture is shown however short it was."""
    screen, theme = PlainScreen(sys.stdout), load_theme(settings.theme, unicode=speaks_unicode(sys.stdout))
    view, status = View(page=settings.view), source.status()
    # At full speed there is nothing to see on the way.
    timeout = None if status.mode is Mode.REPLAY and status.speed is None else settings.refresh
    stopping = asyncio.create_task(stop.wait())
    try:
        while not working.done() and not stop.is_set():
            await asyncio.wait((working, stopping), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            screen.show(Picture(source.snapshot(*wanted(view)), source.status(), view, theme))
    finally:
        stopping.cancel()


async def _draw(source: Source, settings: Settings, stop: asyncio.Event, working: asyncio.Task[None]) -> None:
    """The screen, until the reader leaves. It stays after the end of a recording; a fault in `working` ends it."""
    from liquake.tui.app import MonitorApp, Options

    application = MonitorApp(
        source, Options(settings.refresh, settings.theme, speaks_unicode(sys.stdout), View(page=settings.view))
    )
    showing = asyncio.create_task(application.run_async())
    stopping = asyncio.create_task(stop.wait())
    waiting: set[asyncio.Task[Any]] = {showing, stopping, working}
    try:
        while not (showing.done() or stopping.done() or (working.done() and working.exception())):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting.discard(working)
    finally:
        stopping.cancel()
        if not showing.done():
            application.exit()
        await showing


def print_json(what: object) -> None:
    """`what`, indented, on standard output."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(what), indent=2) + b"\n")
    sys.stdout.flush()


def leave(run: Run, shown: Sequence[Venue], settings: Settings) -> None:
    """Print the run's statistics, and write them where the reader wants them. Raises `ExportError`."""
    statistics = run.statistics()
    _print_statistics(statistics, shown)
    sys.stdout.write(alerts_text(run.alerts))
    if settings.export_on_exit:
        path = Path(settings.export_on_exit)
        text = statistics_json(statistics) + "\n" if path.suffix == ".json" else statistics_csv(statistics)
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ExportError(path, error.strerror or str(error)) from None
        sys.stdout.write(f"\nwritten to {path}\n")


def _print_statistics(statistics: Statistics, shown: Sequence[Venue]) -> None:
    coverages = {venue.name: venue.coverage for venue in shown}
    sys.stdout.write("\n" + statistics_text(statistics, coverages, unicode=speaks_unicode(sys.stdout)))
    sys.stdout.flush()
