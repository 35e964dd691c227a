"""`liquake export`: what the journal holds of what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liquake.config import Settings
from liquake.errors import SettingError
from liquake.markets import asset_named
from liquake.model import Side
from liquake.storage.export import export as write
from liquake.storage.kept import Kept
from liquake.storage.selection import Selection
from liquake.tiers import archive_path, journal_path
from liquake.venues.registry import ALL, find_venues


def export(settings: Settings, kind: str, output: Path | None, selection: Selection) -> int:
    """What is kept of `selection` as `kind` (csv, jsonl, parquet), to a file or to standard output."""
    kept = Kept(journal_path(settings), archive_path(settings))
    if output is None:
        with _progress("standard output") as progress:
            write(kept, kind, sys.stdout.buffer, selection, progress)
        sys.stdout.flush()
        return 0
    with _progress(output.name) as progress:
        count = write(kept, kind, output, selection, progress)
    sys.stdout.write(f"{count:,} liquidations in {output}\n")
    return 0


def select(
    *,
    start: str | None,
    end: str | None,
    venues: Sequence[str] | None,
    markets: Sequence[str] | None,
    side: str | None,
    usd: float | None,
) -> Selection:
    """What the command line asks for.

    Raises `SettingError` for what is no time or comes before it began, `UnknownVenue` and `UnknownMarket` for no name.
    """
    first, last = _time("--from", start), _time("--to", end)
    if first is not None and last is not None and first >= last:
        raise SettingError("--to", end, f"give a time after --from {start}")
    return Selection(
        start=first,
        end=last,
        venues=() if ALL in (venues or ()) else tuple(venue.name for venue in find_venues(venues or ())),
        assets=tuple(asset_named(name) for name in markets or ()),
        side=Side(side.upper()) if side else None,
        usd=usd,
    )


def _time(flag: str, text: str | None) -> int | None:
    """UTC nanoseconds of an ISO date or time; one without a zone is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(flag, text, "give a date or time like 2025-10-10 or 2025-10-10T21:15:30") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float], None]]:
    """A bar on the terminal's error stream; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda done: bar.update(task, completed=done)
