"""How the program is doing: delays, what is kept, what went wrong; and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquake.engine.snapshot import Quantiles, Snapshot
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.status import Status
from liquake.tui.table import Cell, phrase, stack
from liquake.tui.theme import Theme

if TYPE_CHECKING:
    from rich.text import Text

KEYS = (
    ("q", "leave"),
    ("p", "freeze"),
    ("u", "USD/count"),
    ("m M", "market"),
    ("+ -", "size"),
    ("/", "filter"),
    ("?", "help"),
    ("esc", "back"),
)


def footer(picture: Picture, width: int, height: int) -> Text:
    """Delays and journal, faults of the feeds, keys; the first two on one line where they fit."""
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    gap: Cell = ("   ", theme["faint"])
    delays = [*_delays(snapshot, status, theme), gap, *_journal(status, theme)]
    faults = _faults(snapshot, theme)
    if height < 3:
        lines = [phrase([*delays, gap, *faults], width, theme)]
    else:
        lines = [phrase(delays, width, theme), phrase(faults, width, theme)]
    return stack([*lines, keys(theme, width)], height)


def keys(theme: Theme, width: int) -> Text:
    """What each key does."""
    parts = [part for key, verb in KEYS for part in ((key, theme["key"]), (f" {verb}  ", theme["muted"]))]
    return phrase(parts, width, theme)


def _delays(snapshot: Snapshot, status: Status, theme: Theme) -> list[Cell]:
    return [
        (f"venue{theme.glyphs.to}us ", theme["muted"]),
        *_quantiles(snapshot.latency, theme),
        (f"   us{theme.glyphs.to}state ", theme["muted"]),
        *_quantiles(status.state_latency, theme),
    ]


def _quantiles(measured: Quantiles, theme: Theme) -> list[Cell]:
    if not measured.count:
        return [("not measured", theme["muted"])]
    return [
        ("p50 ", theme["muted"]),
        (formats.latency(measured.p50), theme["number"]),
        (" p99 ", theme["muted"]),
        (formats.latency(measured.p99), theme["number"]),
    ]


def _journal(status: Status, theme: Theme) -> list[Cell]:
    journal = status.journal
    if journal is None:
        return [("journal off", theme["muted"])]
    if journal.error:
        return [(f"journal FAILED: {journal.error}", theme["state.trouble"])]
    parts = [("journal ", theme["muted"]), (formats.count(journal.rows), theme["number"]), (" kept", theme["muted"])]
    if journal.pending:
        parts.append((f" {formats.count(journal.pending)} pending", theme["muted"]))
    if journal.dropped:
        parts.append((f" {formats.count(journal.dropped)} LOST", theme["state.trouble"]))
    return parts


def _faults(snapshot: Snapshot, theme: Theme) -> list[Cell]:
    """Counts that should be zero stand out when they are not; duplicates are dropped by design and stay quiet."""
    feeds = snapshot.venues
    errors, gaps = sum(feed.errors for feed in feeds), sum(feed.gaps for feed in feeds)
    refused, reconnects = sum(len(feed.rejected) for feed in feeds), sum(feed.reconnects for feed in feeds)
    missing = f" ({formats.age(sum(feed.gap_seconds for feed in feeds))})" if gaps else ""
    numbers = (
        ("duplicates dropped ", sum(feed.duplicates for feed in feeds), "", False),
        ("gaps ", gaps, missing, True),
        ("errors ", errors, "", True),
        ("refused ", refused, "", True),
        ("reconnects ", reconnects, "", False),
    )
    parts: list[Cell] = []
    for name, number, extra, grave in numbers:
        style = theme["state.waiting" if grave and number else "number"]
        parts += [(name, theme["muted"]), (formats.count(number) + extra, style), ("   ", theme["faint"])]
    last = next((f"{feed.venue}: {feed.last_error}" for feed in feeds if feed.last_error), "")
    return [*parts, (last, theme["muted"])]
