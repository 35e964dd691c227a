"""Who is speaking: live, simulated or replayed, for how long, which venues are up, and what Bitcoin costs."""

from __future__ import annotations

from rich.cells import cell_len

from liquake.engine.snapshot import VenueState
from liquake.model import CoverageKind
from liquake.tui import formats
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.situation import situation
from liquake.tui.status import Mode, Status
from liquake.tui.table import Cell, either_end, fit, phrase, whole
from liquake.tui.theme import Theme, in_trouble

_HEADLINE_MARKET = "BTCUSDT"
_PROGRESS = 20
_NAME = 20
_ROOMY = 100
_CALM = {"live", "recorded"}
"""Words of which there need not be one for each venue."""


def header(picture: Picture, width: int, height: int) -> Sheet:
    """Two lines: the session, then the venues; the markets and what state it is all in where there is room."""
    theme, state = picture.theme, situation(picture)
    corner = _corner(picture, width)
    room = width - sum(len(text) for text, _ in corner) - 2
    lines = [
        either_end(whole(_session(picture, width), room), corner, width, theme),
        either_end(_venues(picture, width), _date(picture, width), width, theme),
    ]
    del height
    sentence = phrase([(state.sentence, theme[state.token])], width, theme)
    return Sheet([*lines, phrase(_markets(picture), width, theme), sentence])


def _session(picture: Picture, width: int) -> list[list[Cell]]:
    """In the order of what a narrow screen keeps."""
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    state = situation(picture)
    name = f"liquake {status.version}" if width >= _ROOMY else "liquake"
    return [
        [(name, theme["strong"])],
        [(status.mode.value, theme[f"mode.{status.mode}"]), *_mode(status, theme, width)],
        [(state.word, theme[state.token])] if state.word else [],
        [(formats.count(snapshot.events), theme["number"]), (" events", theme["muted"])],
        [(formats.runtime(status.runtime), theme["number"])],
        [(formats.short(snapshot.throughput), theme["number"]), (" msg/s", theme["muted"])],
    ]


def _mode(status: Status, theme: Theme, width: int) -> list[Cell]:
    """What is simulated or replayed, so that nobody takes it for the market."""
    if status.mode is Mode.DEMO:
        seed = f" seed {status.seed}" if status.seed is not None and width >= _ROOMY else ""
        return [(f" {status.scenario}{seed}", theme["text"])]
    if status.mode is Mode.REPLAY:
        name = fit(status.recording, min(len(status.recording), _NAME), ellipsis=theme.glyphs.ellipsis)
        speed = "ended" if status.ended else "max" if status.speed is None else f"{status.speed:g}x"
        share = "" if status.progress is None or status.ended else f" {100.0 * status.progress:.0f}%"
        return [(f" {name}", theme["text"]), (f" {speed}{share}", theme["strong"])]
    return []


def _corner(picture: Picture, width: int) -> list[Cell]:
    """The frozen picture's age, else the price of Bitcoin and whose it is."""
    snapshot, theme = picture.snapshot, picture.theme
    if picture.view.paused:
        return [(f" PAUSED, {formats.age(picture.held)} old ", theme["paused"])]
    price = snapshot.prices.get(_HEADLINE_MARKET)
    if price is None:
        replaying = picture.status.mode is Mode.REPLAY
        if replaying and width < _ROOMY:
            return []
        missing = "not recorded" if replaying else "none yet"
        return [(f"BTC price: {missing}", theme["muted"])]
    old = (snapshot.now - price.ts_recv) / 1e9
    late = [(f" {formats.age(old)} old", theme["state.trouble"])] if old >= 30.0 else []
    return [
        ("BTC ", theme["muted"]),
        (f"${formats.price(price.price)}", theme["strong"]),
        (f" {price.venue}", theme.venue(price.venue)),
        *late,
    ]


def _venues(picture: Picture, width: int) -> list[Cell]:
    """Each venue in as many words as all of them fit in; where they do not, those that are not live come first."""
    feeds, theme = picture.snapshot.venues, picture.theme
    if not feeds:
        return [("connecting to the venues", theme["muted"])]
    for gap, roomy in (("   ", True), ("  ", False)) if width >= _ROOMY else (("  ", False),):
        said = [_venue(feed, picture, roomy=roomy) for feed in feeds]
        parts = [part for venue in said for part in ((gap, theme["faint"]), *venue)][1:]
        if sum(cell_len(text) for text, _ in parts) <= width:
            return parts
    return _counted(picture, width - sum(cell_len(text) for text, _ in _date(picture, width)) - 2)


def _counted(picture: Picture, width: int) -> list[Cell]:
    """Those that are not live one by one, then how many are, and as many of their names as fit."""
    theme, feeds = picture.theme, picture.snapshot.venues
    calm = {id(feed) for feed in feeds if picture.word(feed) in _CALM}
    others = sorted((feed for feed in feeds if id(feed) not in calm), key=lambda feed: not in_trouble(feed.state))
    groups = [_venue(feed, picture, roomy=False) for feed in others]
    live = [feed for feed in feeds if id(feed) in calm]
    if live:
        groups.append([(f"{theme.glyphs.dot} {len(live)} {picture.word(live[0])}", picture.tone(live[0]))])
    return whole([*groups, *([(feed.venue, theme.venue(feed.venue))] for feed in live)], width)


def _venue(feed: VenueState, picture: Picture, *, roomy: bool) -> list[Cell]:
    theme, word, tone = picture.theme, picture.word(feed), picture.tone(feed)
    sign = theme.glyphs.dot if word == "live" else "!" if in_trouble(feed.state) else theme.glyphs.ring
    parts: list[Cell] = [(sign, tone), (f" {feed.venue} ", theme.venue(feed.venue)), (word, tone)]
    if roomy:
        sample = feed.coverage.kind is CoverageKind.SAMPLE
        parts.append(
            (f" {formats.count(feed.sampled)} sampled" if sample else f" {formats.count(feed.events)}", theme["muted"])
        )
    return parts


def _date(picture: Picture, width: int) -> list[Cell]:
    """The engine's time; a replay tells the day even where there is little room."""
    text = formats.date_time(picture.snapshot.now)
    if width < _ROOMY:
        text = text[5:16] if picture.status.mode is Mode.REPLAY else text[11:]
    return [(f"{text} UTC", picture.theme["muted"])]


def _markets(picture: Picture) -> list[Cell]:
    snapshot, status, theme = picture.snapshot, picture.status, picture.theme
    names = "  ".join(market.removesuffix("USDT") for market in snapshot.markets[:12])
    parts: list[Cell] = []
    if status.progress is not None:
        parts.append((f"{progress(status.progress, theme)}  ", theme["mode.REPLAY"]))
    if names:
        several = "" if len(snapshot.markets) == 1 else "s"
        parts += [(f"{formats.count(len(snapshot.markets))} market{several}  ", theme["muted"]), (names, theme["text"])]
    return parts


def progress(share: float, theme: Theme) -> str:
    """How much of a recording is over, as a bar and a number."""
    full = round(min(max(share, 0.0), 1.0) * _PROGRESS)
    return f"{theme.glyphs.bar[-1] * full}{theme.glyphs.track * (_PROGRESS - full)} {100.0 * share:.0f}%"
