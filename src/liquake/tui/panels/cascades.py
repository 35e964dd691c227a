"""Cascades that go on and those that were, among the levels that signals reached: what happened, the newest first."""

from __future__ import annotations

from rich.text import Text

from liquake.engine.snapshot import ALL, Digest, Episode, Notification
from liquake.model import Side
from liquake.tui import formats
from liquake.tui.panels.risk import WARMTH
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.table import Cell, phrase, title, whole

Entry = Episode | Notification | Digest


def cascades(picture: Picture, width: int, height: int) -> Sheet:
    """What goes on stands on top."""
    del height
    theme = picture.theme
    known = entries(picture)
    happened = passing_entries(picture)
    running = sum(isinstance(entry, Episode) and entry.end is None for entry in happened)
    subject = [(f"{running} going on" if running else "none going on", theme["strong" if running else "muted"])]
    first = title("CASCADES AND NOTICES", [*subject, *picture.only(len(happened), len(known))], width, theme)
    if known and not happened:
        return Sheet([first, *picture.nothing_passes(width)])
    if not happened:
        words = "No cascade and no notice so far. A level that a signal reaches is noted here with its time."
        return Sheet([first, phrase([(words, theme["text"])], width, theme)])

    def line(index: int) -> Text:
        return phrase(whole(([part] for part in _words(happened[index], picture)), width, ""), width, theme)

    return Sheet([first], len(happened), line, position=theme["muted"])


def entries(picture: Picture) -> list[Entry]:
    """Of the chosen market: open cascades, then everything else by its time, the newest first."""
    snapshot, market = picture.snapshot, picture.view.market
    everything = (*snapshot.episodes, *snapshot.notices)
    of_market = [entry for entry in everything if market in (ALL, entry.market)]
    return sorted(of_market, key=lambda entry: (isinstance(entry, Episode) and entry.end is None, when(entry)))[::-1]


def passing_entries(picture: Picture) -> list[Entry]:
    """Of those the ones that the filter lets through."""
    return [entry for entry in entries(picture) if picture.view.matches(entry.market, entry.side)]


def when(entry: Entry) -> int:
    """The time an entry stands under, UTC nanoseconds: a cascade's and a level's is that of its beginning."""
    if isinstance(entry, Notification):
        return entry.ts
    return entry.start if isinstance(entry, Episode) else entry.end


def _words(entry: Entry, picture: Picture) -> list[Cell]:
    theme = picture.theme
    head: list[Cell] = [
        (f"{formats.clock_time(when(entry))} ", theme["muted"]),
        (f"{entry.market:<9} ", theme["text"]),
        *_side(entry.side, picture),
    ]
    if isinstance(entry, Episode):
        return [*head, *_episode(entry, picture)]
    return [*head, *(_notice(entry, picture) if isinstance(entry, Notification) else _digest(entry, picture))]


def _side(side: Side, picture: Picture) -> list[Cell]:
    return [(f"{side:<5} ", picture.theme.side(side))]


def _episode(episode: Episode, picture: Picture) -> list[Cell]:
    theme = picture.theme
    ongoing = episode.end is None
    lasted = formats.age(episode.duration)
    probability = episode.peak_probability
    said = "" if probability is None else f", chance up to {formats.chance(probability)}"
    return [
        ("CASCADE " if ongoing else "cascade ", theme["heat.4" if ongoing else "text"]),
        (f"  {'goes on' if ongoing else 'over'}, {lasted}: ", theme["muted"]),
        (f"{theme.glyphs.at_least}{formats.dollars(episode.usd)}", theme["strong"]),
        (f" in {formats.count(episode.events)}", theme["muted"]),
        (f", peak {formats.dollars(episode.peak)}/min", theme["muted"]),
        (said, theme["muted"]),
    ]


def _notice(notice: Notification, picture: Picture) -> list[Cell]:
    theme = picture.theme
    if notice.probability is None:
        numbers = "without a probability"
    else:
        numbers = f"chance {formats.chance(notice.probability)}, asked {formats.chance(notice.threshold)}"
    kept = "" if notice.within_budget else ", over budget"
    return [
        (f"{notice.level.name:<9}", theme[WARMTH[notice.level]]),
        (f" reached: {numbers}", theme["muted"]),
        (f" ({notice.because})", theme["muted"]),
        (kept, theme["muted"]),
    ]


def _digest(digest: Digest, picture: Picture) -> list[Cell]:
    theme = picture.theme
    lasted = formats.age((digest.end - digest.start) / 1e9)
    outcome = "a cascade came" if digest.right else "no cascade came"
    return [
        ("all clear", theme["state.live"]),
        (f" after {lasted}, highest {digest.highest.name}: {outcome}", theme["muted"]),
    ]
