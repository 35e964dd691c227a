"""Who is speaking: live, simulated or replayed, for how long, which venues are up, and what Bitcoin costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liquake.engine.snapshot import VenueState
from liquake.model import CoverageKind
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.status import Mode, Status
from liquake.tui.table import Cell, either_end, phrase, stack
from liquake.tui.theme import WORDS, Theme, in_trouble

if TYPE_CHECKING:
    from rich.text import Text

_HEADLINE_MARKET = "BTCUSDT"
_PROGRESS = 20


def header(picture: Picture, width: int, height: int) -> Text:
    """Two lines: the session, then the venues; a third with the markets where there is room."""
    theme = picture.theme
    lines = [
        either_end(_session(picture, width), _corner(picture), width, theme),
        phrase(_venues(picture, width), width, theme),
    ]
    return stack([*lines, phrase(_markets(picture), width, theme)], height)


def _session(picture: Picture, width: int) -> list[Cell]:
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    gap: Cell = ("  ", theme["faint"])
    name = f"liquake {status.version}" if width >= 100 else "liquake"
    parts = [(name, theme["strong"]), gap, (status.mode.value, theme[f"mode.{status.mode}"]), *_mode(status, theme)]
    parts += [gap, (formats.runtime(status.runtime), theme["number"])]
    parts += [gap, (formats.count(snapshot.events), theme["number"]), (" liquidations", theme["muted"])]
    parts += [gap, (formats.short(snapshot.throughput), theme["number"]), (" msg/s", theme["muted"])]
    return parts


def _mode(status: Status, theme: Theme) -> list[Cell]:
    """What is simulated or replayed, so that nobody takes it for the market."""
    if status.mode is Mode.DEMO:
        seed = f" seed {status.seed}" if status.seed is not None else ""
        return [(f" {status.scenario}{seed}", theme["text"])]
    if status.mode is Mode.REPLAY:
        speed = "max" if status.speed is None else f"{status.speed:g}x"
        return [(f" {status.recording}", theme["text"]), (f" {'ended' if status.ended else speed}", theme["strong"])]
    return []


def _corner(picture: Picture) -> list[Cell]:
    """The frozen picture's age, else the price of Bitcoin and whose it is."""
    snapshot, theme = picture.snapshot, picture.theme
    if picture.view.paused:
        return [(f" PAUSED, {formats.age(picture.age)} old ", theme["paused"])]
    price = snapshot.prices.get(_HEADLINE_MARKET)
    if price is None:
        return [("BTC price: none yet", theme["muted"])]
    old = (snapshot.now - price.ts_recv) / 1e9
    late = [(f" {formats.age(old)} old", theme["state.trouble"])] if old >= 30.0 else []
    return [
        ("BTC ", theme["muted"]),
        (f"${formats.price(price.price)}", theme["strong"]),
        (f" {price.venue}", theme.venue(price.venue)),
        *late,
    ]


def _venues(picture: Picture, width: int) -> list[Cell]:
    snapshot, theme = picture.snapshot, picture.theme
    if not snapshot.venues:
        return [("connecting to the venues", theme["muted"])]
    return [part for feed in snapshot.venues for part in _venue(feed, theme, roomy=width >= 100)]


def _venue(feed: VenueState, theme: Theme, *, roomy: bool) -> list[Cell]:
    word = WORDS[feed.state]
    up = word == "live"
    parts: list[Cell] = [
        (
            f"{theme.glyphs.dot if up else '!' if in_trouble(feed.state) else theme.glyphs.ring} ",
            theme.feed(feed.state),
        ),
        (feed.venue, theme.venue(feed.venue)),
        (f" {word}", theme.feed(feed.state)),
    ]
    if roomy:
        sample = feed.coverage.kind is CoverageKind.SAMPLE
        parts.append(
            (f" {formats.count(feed.sampled)} sampled" if sample else f" {formats.count(feed.events)}", theme["muted"])
        )
    return [*parts, ("   " if roomy else "  ", theme["faint"])]


def _markets(picture: Picture) -> list[Cell]:
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    names = "  ".join(market.removesuffix("USDT") for market in snapshot.markets[:12])
    parts: list[Cell] = [(f"{formats.date_time(snapshot.now)} UTC  ", theme["muted"])]
    if status.progress is not None:
        parts.append((f"{progress(status.progress, theme)}  ", theme["mode.REPLAY"]))
    if names:
        parts += [(f"{formats.count(len(snapshot.markets))} markets  ", theme["muted"]), (names, theme["text"])]
    return parts


def progress(share: float, theme: Theme) -> str:
    """How much of a recording is over, as a bar and a number."""
    full = round(min(max(share, 0.0), 1.0) * _PROGRESS)
    return f"{theme.glyphs.bar[-1] * full}{theme.glyphs.track * (_PROGRESS - full)} {100.0 * share:.0f}%"
