"""How the program is doing: delays, what went wrong, what is kept and sent; and the keys."""

from __future__ import annotations

from rich.cells import cell_len

from liquake.engine.snapshot import Quantiles, Snapshot
from liquake.tui import formats
from liquake.tui.panels.signals import sent
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.situation import away
from liquake.tui.status import ELSEWHERE, Mode, Sending, Status
from liquake.tui.table import Cell, fit, phrase, whole
from liquake.tui.theme import Theme

KEYS = (
    ("p", "freeze"),
    ("u", "USD"),
    ("m/M", "market"),
    ("+/-", "size"),
    ("/", "filter"),
    ("[/]", "window"),
    ("Tab", "panel"),
    ("e", "export"),
    ("Esc", "back"),
    (":", "commands"),
)

_WITHOUT_KEYS = 2
_ROOMY = 100
_BESIDE = 35
"""Cells that the reason for a failed journal leaves to the stores."""
_STUCK = 5.0
"""Seconds without a commit, with rows waiting for one, from which the journal is not merely busy."""


def footer(picture: Picture, width: int, height: int) -> Sheet:
    """How the data come: delays and faults of the feeds. What becomes of them: journal, stores, signals. Keys."""
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    delays = [
        [("p50/p99", theme["muted"])],
        [(f"venue{theme.glyphs.to}us ", theme["muted"]), *_quantiles(snapshot.latency, theme)],
        [(f"us{theme.glyphs.to}state ", theme["muted"]), *_quantiles(status.state_latency, theme)],
    ]
    services = [
        [("redis ", theme["muted"]), (status.redis, theme[_tone(status.redis)])],
        [("database " if width >= _ROOMY else "db ", theme["muted"]), (status.database, theme[_tone(status.database)])],
        [("signals ", theme["muted"]), (_signals(picture), theme["text"])],
        [("engine ", theme["muted"]), (f"{formats.short(snapshot.throughput)} msg/s", theme["text"])],
        [("up ", theme["muted"]), (formats.runtime(status.runtime), theme["text"])],
    ]
    journal = _journal(status, theme, width)
    lines = [whole([*delays, *_faults(snapshot, theme)], width), whole([journal, *services], width)]
    return Sheet(
        [phrase(line, width, theme) for line in (*lines, *([keys(picture, width)] if height > _WITHOUT_KEYS else []))]
    )


def keys(picture: Picture, width: int) -> list[Cell]:
    """What each key does as far as there is room, and of the sound whether it is on."""
    theme, view = picture.theme, picture.view
    told = [*KEYS[:-2], ("b", "sound on" if view.sound else "sound off"), *KEYS[-2:]]
    if picture.status.mode is Mode.REPLAY:
        told = [("</>", "speed"), *told]
    groups: list[list[Cell]] = [[(key, theme["key"]), (f" {verb}", theme["muted"])] for key, verb in told]
    return whole(groups, width)


def _signals(picture: Picture) -> str:
    """How many there have been, and whether anyone but the reader hears of them."""
    told = [*picture.snapshot.notices, *picture.status.alerts]
    waiting = sum(sent(message, picture) == "waiting" for message in told)
    word = "sent" if picture.status.publishing.wanted else "shown"
    return f"{formats.count(len(told) - waiting)} {word}" + (f", {formats.count(waiting)} waiting" if waiting else "")


def _quantiles(measured: Quantiles, theme: Theme) -> list[Cell]:
    if not measured.count:
        return [("not measured", theme["muted"])]
    return [(f"{formats.latency(measured.p50)}/{formats.latency(measured.p99)}", theme["number"])]


def _tone(store: str) -> str:
    return "state.trouble" if away(store) else "text"


def _journal(status: Status, theme: Theme, width: int) -> list[Cell]:
    journal = status.journal
    if journal is None:
        return [(f"journal {ELSEWHERE if status.publishing.by is Sending.ELSEWHERE else 'off'}", theme["muted"])]
    if journal.error:
        words = f"journal FAILED: {journal.error}"
        cut = fit(words, min(cell_len(words), width - _BESIDE), ellipsis=theme.glyphs.ellipsis)
        return [(cut, theme["state.trouble"])]
    roomy = width >= _ROOMY
    parts = [("journal ", theme["muted"]), (formats.count(journal.rows), theme["number"]), (" kept", theme["muted"])]
    waited = 0.0 if journal.last_commit is None else (status.now - journal.last_commit) / 1e9
    stuck = journal.pending and waited >= _STUCK
    # A few that wait come and go with every picture: in a narrow line they would push others out of it and in again.
    if stuck or (journal.pending and roomy):
        parts.append((f" {formats.count(journal.pending)} pending", theme["muted"]))
    if stuck:
        parts.append((f" for {formats.age(waited)}", theme["state.trouble"]))
    if journal.dropped:
        parts.append((f" {formats.count(journal.dropped)} LOST", theme["state.trouble"]))
    return parts


def _faults(snapshot: Snapshot, theme: Theme) -> list[list[Cell]]:
    """Counts that should be zero stand out when they are not; duplicates are dropped by design and stay quiet."""
    feeds = snapshot.venues
    gaps = sum(feed.gaps for feed in feeds)
    missing = f" ({formats.age(sum(feed.gap_seconds for feed in feeds))})" if gaps else ""
    numbers = (
        ("gaps ", gaps, missing, "state.waiting"),
        ("errors ", sum(feed.errors for feed in feeds), "", "state.waiting"),
        ("duplicates ", sum(feed.duplicates for feed in feeds), "", "number"),
        ("refused ", sum(len(feed.rejected) for feed in feeds), "", "state.waiting"),
        ("reconnects ", sum(feed.reconnects for feed in feeds), "", "number"),
    )
    groups: list[list[Cell]] = [
        [(name, theme["muted"]), (formats.count(number) + extra, theme[token if number else "number"])]
        for name, number, extra, token in numbers
    ]
    # What is not zero stays where there is not room for all.
    order = sorted(zip(numbers, groups, strict=True), key=lambda pair: not pair[0][1])
    groups = [group for _, group in order]
    last = next((f"{feed.venue}: {feed.last_error}" for feed in feeds if feed.last_error), "")
    return [*groups, [(last, theme["muted"])]] if last else groups
