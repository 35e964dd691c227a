"""Every coin on one line: what it costs, what was last liquidated in it, and how much in the last hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.text import Text

from liquake.engine.snapshot import ALL, Activity, Sum
from liquake.model import Liquidation
from liquake.tui import formats, sums
from liquake.tui.picture import Picture
from liquake.tui.sheet import Sheet
from liquake.tui.sums import added
from liquake.tui.table import Cell, Column, heading, phrase, row, shown, title
from liquake.tui.theme import Theme

_COLUMNS = (
    Column("market", "market", 11),
    Column("price", "price", 11, right=True),
    Column("source", "from", 11, least=118),
    Column("age", "last", 6, right=True),
    Column("state", "", 4),
    Column("side", "side", 5),
    Column("usd", "USD", 7, right=True),
    Column("size", "size", 13, right=True, least=100),
    Column("venue", "venue", 11, least=118),
    Column("hour", "1 h USD", 8, right=True),
    Column("share", "long", 4, right=True),
    Column("events", "1 h events", 10, right=True, least=122),
    Column("trades", "trades/s", 8, right=True),
)


class Hour(msgspec.Struct, frozen=True):
    """The last hour of one market over the venues that count in sums."""

    total: Sum
    long: Sum
    least: bool


class _Market(msgspec.Struct, frozen=True):
    """What the venues together did in one market."""

    name: str
    last: Liquidation | None
    age: float | None
    state: str
    hour: Hour


def markets(picture: Picture, width: int, height: int) -> Sheet:
    """The largest by dollars first; those with a price alone below."""
    del height
    theme, snapshot, market = picture.theme, picture.snapshot, picture.view.market
    by_market: dict[str, list[Activity]] = {}
    for entry in snapshot.activity:
        by_market.setdefault(entry.market, []).append(entry)
    chosen = [name for name in snapshot.markets if market in (ALL, name)]
    names = [name for name in chosen if picture.view.matches(name, *last_words(by_market.get(name, [])))]
    count = (f"{formats.count(len(chosen))}, the largest first", theme["muted"])
    head = title(
        "MARKETS",
        [count, *sums.heard(picture, market, "1h", " of 1 h"), *picture.only(len(names), len(chosen))],
        width,
        theme,
    )
    if chosen and not names:
        return Sheet([head, *picture.nothing_passes(width)])
    if not names:
        words = "No market yet: the first price or liquidation names one."
        return Sheet([head, phrase([(words, theme["text"])], width, theme)])
    columns = shown(_COLUMNS, width)

    def line(index: int) -> Text:
        name = names[index]
        return row(columns, _cells(picture, _market(picture, name, by_market.get(name, []))), theme)

    return Sheet([head, heading(columns, theme)], len(names), line, position=theme["muted"])


def last_words(entries: list[Activity]) -> tuple[str, ...]:
    """The venue and side of the last liquidation, for the filter."""
    latest = min(entries, key=lambda entry: entry.age, default=None)
    return () if latest is None else (latest.venue, latest.last.side)


def _market(picture: Picture, name: str, entries: list[Activity]) -> _Market:
    latest = min(entries, key=lambda entry: entry.age, default=None)
    return _Market(
        name,
        latest.last if latest else None,
        latest.age if latest else None,
        latest.state if latest else "",
        last_hour(picture, name, entries),
    )


def last_hour(picture: Picture, market: str, entries: Sequence[Activity]) -> Hour:
    """Samples show as the last liquidation, and are in no sum."""
    snapshot, feeds = picture.snapshot, {feed.venue: feed for feed in picture.snapshot.venues}
    counted = [entry for entry in entries if not feeds[entry.venue].sampled]
    total, long = added(entry.hour for entry in counted), added(entry.hour_long for entry in counted)
    bounded = (sums.at_least(snapshot, feeds[entry.venue], market, "1h") for entry in counted if entry.hour.events)
    return Hour(total, long, total.unsized > 0 or any(bounded))


def _last_price(last: Liquidation | None, theme: Theme) -> Cell:
    """Where no venue sends a price of the coin: that of the last liquidation, in dollars per coin."""
    if last is None or not last.usd or not last.amount:
        return "-", theme["muted"]
    return formats.price(last.usd / last.amount), theme["muted"]


def _cells(picture: Picture, market: _Market) -> Mapping[str, Cell]:
    theme, last, hour = picture.theme, market.last, market.hour
    price = picture.snapshot.prices.get(market.name)
    trades = picture.snapshot.trades.get(market.name)
    fresh = theme[f"age.{market.state}"] if market.state else theme["muted"]
    cells: dict[str, Cell] = {
        "market": (market.name, theme["strong"] if last else theme["muted"]),
        "price": (formats.price(price.price), theme["number"]) if price else _last_price(last, theme),
        "source": (price.venue, theme.venue(price.venue)) if price else ("last print" if last else "", theme["muted"]),
        "age": (formats.age(market.age), fresh),
        "state": (market.state, fresh),
        "trades": ("-" if trades is None else formats.short(trades), theme["number" if trades else "muted"]),
    }
    if last is None:
        return cells
    return cells | {
        "side": (last.side, theme.side(last.side)),
        "usd": (formats.dollars(last.usd), theme["number"]),
        "size": (formats.coins(last.amount, last.asset), theme["number"]),
        "venue": (last.venue, theme.venue(last.venue)),
        "hour": (sums.usd(hour.total, theme, least=hour.least), theme["strong"]),
        "share": (formats.percent(hour.long.usd, hour.total.usd), theme["muted"]),
        "events": ((theme.glyphs.at_least if hour.least else "") + formats.count(hour.total.events), theme["muted"]),
    }
