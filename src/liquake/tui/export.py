"""What is on the screen as rows with names, and the files they go into. Whole numbers, not the rounded ones shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from liquake.engine.snapshot import ALL, Component, Digest, Episode, Notification
from liquake.model import Liquidation, Side
from liquake.model.alert import Alert
from liquake.tui import formats, sums
from liquake.tui.bands import Band, bands
from liquake.tui.pages import PAGES
from liquake.tui.panels.cascades import passing_entries
from liquake.tui.panels.cumulative import Counted, Line, market_lines, passing, venue_lines
from liquake.tui.panels.episodes import of_market
from liquake.tui.panels.markets import last_hour, last_words
from liquake.tui.panels.overview import passing_venues
from liquake.tui.panels.risk import listed
from liquake.tui.panels.signals import channel, level, outcome, passing_messages, when
from liquake.tui.panels.tape import recent
from liquake.tui.picture import Picture
from liquake.tui.sums import Tally, elapsed, tally

Row = Mapping[str, object]


def rows(picture: Picture, panel: str = "") -> tuple[str, list[Row]]:
    """The table behind `panel`, else behind the open page, and its name. Times are UTC milliseconds, unknown is null."""
    page = picture.view.page
    name = panel if panel in _TABLES else _WHOLE.get(page, PAGES[page].scrolls)
    table = _TABLES[name]
    return table.name, list(table.rows(picture))


def text(what: Sequence[Row], form: str) -> str:
    """`what` as "csv" or as "json", one object per line of the table."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(what), indent=2).decode() + "\n"
    file = io.StringIO()
    writer = csv.DictWriter(file, list(what[0]) if what else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(what)
    return file.getvalue()


def new_file(folder: Path, name: str, now: int, suffix: str) -> Path:
    """A path in `folder` that says what and when, and that does not exist yet."""
    stem = f"liquake-{name}-{formats.moment(now):%Y%m%d-%H%M%S}"
    path, number = folder / f"{stem}.{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.{suffix}"
    return path


def _velocity(picture: Picture) -> Iterator[Row]:
    for window in picture.snapshot.kinematics.get(picture.view.market, ()):
        row: dict[str, object] = {
            "market": picture.view.market,
            "at_least": sums.mixed(picture.snapshot),
            "as_of_ms": picture.snapshot.as_of // 1_000_000,
            "window_s": window.window,
            "events": window.events,
            "usd": window.usd,
            "status": window.status and window.status.value,
        }
        for unit, motion in (("events", window.counts), ("usd", window.dollars)):
            for name in ("velocity", "acceleration", "jerk"):
                derivative = getattr(motion, name)
                row |= {f"{name}_{unit}": derivative.value, f"{name}_{unit}_error": derivative.error}
        yield row


def _activity(picture: Picture) -> Iterator[Row]:
    snapshot, feeds = picture.snapshot, {feed.venue: feed for feed in picture.snapshot.venues}
    for entry in snapshot.activity:
        view = picture.view
        if view.market in (ALL, entry.market) and view.matches(entry.venue, entry.market, entry.last.side):
            last, feed = entry.last, feeds[entry.venue]
            yield {
                "venue": entry.venue,
                "market": entry.market,
                "coverage": feed.kind.value,
                "at_least": sums.at_least(snapshot, feed, entry.market, "1h"),
                "last_ms": last.ts_event // 1_000_000,
                "age_s": entry.age,
                "side": last.side.value,
                "amount": last.amount,
                "usd": last.usd,
                "hour_events": entry.hour.events,
                "hour_unsized": entry.hour.unsized,
                "hour_usd": entry.hour.usd,
                "hour_long_usd": entry.hour_long.usd,
                "hour_short_usd": entry.hour_short.usd,
            }


def _liquidation(entry: Liquidation) -> Row:
    """In the columns of a recording, so that what was exported can be replayed."""
    return {
        "ts_ms": entry.ts_event / 1e6 if entry.ts_event % 1_000_000 else entry.ts_event // 1_000_000,
        "venue": entry.venue,
        "symbol": entry.instrument,
        "side": entry.side.value,
        "price": entry.price,
        "base_amount": entry.amount,
        "usd": entry.usd,
        "recv_ms": entry.ts_recv / 1e6 if entry.ts_recv % 1_000_000 else entry.ts_recv // 1_000_000,
        "asset": entry.asset,
        "price_basis": entry.price_basis.value,
        "tags": " ".join(entry.tags),
    }


def _tape(picture: Picture) -> Iterator[Row]:
    """The oldest first, in the order in which they were received."""
    view = picture.view
    least = view.page_threshold if view.page == "tape" else view.threshold
    shown = [entry for entry in recent(picture.snapshot) if view.accepts(entry)]
    large = [entry for entry in shown if entry.usd is None or entry.usd >= least]
    return (_liquidation(entry) for entry in sorted(large, key=lambda entry: entry.ts_recv))


def _sum(
    picture: Picture, counted: Tally, window: str, venue: str | None, side: Side | None, hours: Mapping[str, Band]
) -> Row:
    total = counted.sum(venue, side)
    return {
        "market": counted.market,
        "venue": venue or ALL,
        "side": "BOTH" if side is None else side.value,
        "window": window,
        "events": total.events,
        "unsized": total.unsized,
        "usd": total.usd,
        "amount": None if counted.market == ALL else total.amount,
        "at_least": counted.least(venue, side),
        "at_least_share": counted.bounded() if venue is None else float(venue in counted.floors),
        **_kept(picture, counted, window, venue),
        **_really(hours.get(venue or ALL) if side is None else None),
    }


def _really(hour: Band | None) -> Row:
    """Between what and what the last hour lies, whatever the window; empty where nothing is withheld by a rule, and an
    empty upper end where nobody can tell."""
    events, usd = ((None, None), (None, None)) if hour is None else (hour.events, hour.usd)
    return {
        "hour_events_at_least": events[0],
        "hour_events_at_most": events[1],
        "hour_usd_at_least": usd[0],
        "hour_usd_at_most": usd[1],
    }


def _kept(picture: Picture, counted: Tally, window: str, venue: str | None) -> Row:
    """What the sum covers; unknown where nothing was asked of the market."""
    kept = sums.covered(picture.snapshot, venue or ALL, counted.market)
    return {
        "coverage": None if kept is None else kept.kind.value,
        "heard_share": None if kept is None else kept.covered.get(window),
    }


def _overview(picture: Picture) -> Iterator[Row]:
    """The chosen market and window: all venues, then those that are listed, both sides and each."""
    view = picture.view
    counted = tally(picture.snapshot, view.market, view.window)
    listed: list[str | None] = [None, *passing_venues(picture, counted.venues())]
    watched, hours = elapsed(picture.snapshot, view.window), bands(picture.snapshot, view.market)
    for venue in listed:
        for side in (None, *Side):
            yield {**_sum(picture, counted, view.window, venue, side, hours), "watched_s": watched}


def _windows(picture: Picture, counted: Counted, lines: Sequence[Line]) -> Iterator[Row]:
    hours = {market: bands(picture.snapshot, market) for market in counted}
    for line in passing(picture, lines):
        for window, tallied in counted[line.market].items():
            yield _sum(picture, tallied, window, line.venue, line.side, hours[line.market])


def _venue_sums(picture: Picture) -> Iterator[Row]:
    return _windows(picture, *venue_lines(picture))


def _market_sums(picture: Picture) -> Iterator[Row]:
    return _windows(picture, *market_lines(picture))


def _all_sums(picture: Picture) -> Iterator[Row]:
    """Both tables of the page; the chosen market over all venues stands in both, and here once."""
    once = {
        (row["market"], row["venue"], row["side"], row["window"]): row
        for row in (*_venue_sums(picture), *_market_sums(picture))
    }
    return iter(once.values())


def _messages(picture: Picture) -> Iterator[Row]:
    for message in passing_messages(picture):
        alert = message if isinstance(message, Alert) else None
        notice = message if isinstance(message, Notification) else None
        yield {
            "channel": channel(message),
            "ts_ms": when(message) // 1_000_000,
            "kind": "alert" if alert else "level reached" if notice else "all clear",
            "rule": alert.rule.value if alert else None,
            "level": level(message),
            "market": message.market,
            "venue": alert.venue if alert else None,
            "side": None if message.side is None else message.side.value,
            "probability": notice.probability if notice else None,
            "asked": notice.threshold if notice else None,
            "because": notice.because if notice else None,
            "text": alert.text if alert else None,
            "inputs": msgspec.json.encode(alert.inputs).decode() if alert else None,
            "coverage": alert.coverage if alert else None,
            "outcome": outcome(message, picture),
        }


def _episodes(picture: Picture) -> Iterator[Row]:
    for episode in of_market(picture):
        yield {
            "market": episode.market,
            "side": episode.side.value,
            "start_ms": episode.start // 1_000_000,
            "last_ms": episode.last // 1_000_000,
            "end_ms": None if episode.end is None else episode.end // 1_000_000,
            "events": episode.events,
            "usd_at_least": episode.usd,
            "peak_usd_per_minute": episode.peak,
            "threshold_usd": episode.threshold,
            "peak_probability": episode.peak_probability,
            "usd_by_venue": msgspec.json.encode(episode.by_venue).decode(),
        }


def _markets(picture: Picture) -> Iterator[Row]:
    snapshot, view = picture.snapshot, picture.view
    for market in snapshot.markets:
        entries = [entry for entry in snapshot.activity if entry.market == market]
        if view.market not in (ALL, market) or not view.matches(market, *last_words(entries)):
            continue
        latest = min(entries, key=lambda entry: entry.age, default=None)
        hour = last_hour(picture, market, entries)
        price = snapshot.prices.get(market)
        yield {
            "market": market,
            "price": None if price is None else price.price,
            "price_venue": None if price is None else price.venue,
            "last_ms": None if latest is None else latest.last.ts_event // 1_000_000,
            "side": None if latest is None else latest.last.side.value,
            "usd": None if latest is None else latest.last.usd,
            "hour_usd": hour.total.usd,
            "hour_events": hour.total.events,
            "at_least": hour.least,
            "heard_share": None if (kept := sums.covered(snapshot, ALL, market)) is None else kept.covered.get("1h"),
            "trades_per_second": snapshot.trades.get(market),
        }


def _seconds(picture: Picture) -> Iterator[Row]:
    for market, charts in picture.snapshot.charts.items():
        series, least = charts.seconds, sums.mixed(picture.snapshot)
        count, step = len(series.long_events), round(series.step * 1e9)
        prices = charts.prices or (None,) * count
        for index in range(count):
            yield {
                "market": market,
                "end_ms": (series.end - (count - 1 - index) * step) // 1_000_000,
                "long_events": series.long_events[index],
                "short_events": series.short_events[index],
                "long_usd": series.long_usd[index],
                "short_usd": series.short_usd[index],
                "at_least": least,
                "price": prices[index],
            }


def _risks(picture: Picture) -> Iterator[Row]:
    for risk in listed(picture):
        parts = {f"log_odds_{part.name.lower()}": risk.contributions.get(part) for part in Component}
        yield {
            "market": risk.market,
            "side": risk.side.value,
            "horizon_s": risk.horizon,
            "as_of_ms": risk.as_of // 1_000_000,
            "probability": risk.probability,
            "reason": risk.reason,
            "base_rate": risk.base_rate,
            "level": risk.level.name,
            "because": risk.because,
            "score": risk.score,
            "intercept": risk.intercept if risk.contributions else None,
            **parts,
            "expected_usd": risk.expected_usd,
            "cascade_from_usd": risk.threshold,
            "warm": risk.warm,
            "model": risk.model,
            "provenance": risk.provenance,
        }


def _cascades(picture: Picture) -> Iterator[Row]:
    for entry in passing_entries(picture):
        episode = entry if isinstance(entry, Episode) else None
        notice = entry if isinstance(entry, Notification) else None
        digest = entry if isinstance(entry, Digest) else None
        level = notice.level if notice else digest.highest if digest else None
        end = episode.end if episode else digest.end if digest else None
        yield {
            "kind": "cascade" if episode else "level reached" if notice else "all clear",
            "market": entry.market,
            "side": entry.side.value,
            "start_ms": (entry.ts if isinstance(entry, Notification) else entry.start) // 1_000_000,
            "end_ms": None if end is None else end // 1_000_000,
            "level": None if level is None else level.name,
            "because": notice.because if notice else None,
            "probability": entry.probability if isinstance(entry, Notification) else entry.peak_probability,
            "events": episode.events if episode else None,
            "usd_at_least": episode.usd if episode else None,
            "peak_usd_per_minute": episode.peak if episode else None,
            "cascade": digest.right if digest else None,
        }


def _regime(picture: Picture) -> Iterator[Row]:
    state = picture.snapshot.regime
    if state is not None:
        yield {
            "level": state.name,
            "since_ms": None if state.since is None else state.since // 1_000_000,
            "driver": state.driver,
            "multiplier": state.multiplier,
            "cascades": state.episodes,
            "volatility_day": state.volatility,
            "liquidity_rank": state.liquidity,
            "trend": None if state.trend is None else state.trend.value,
            "price": state.price,
            "change": state.change,
            "change_min": state.change_minutes,
            "warm_s": state.warm,
        }


def _correlation(picture: Picture) -> Iterator[Row]:
    dependence = picture.snapshot.dependence
    for half_life, pairs in () if dependence is None else ((60, dependence.short), (300, dependence.long)):
        for pair in pairs:
            yield {
                "first": pair.first,
                "second": pair.second,
                "half_life_s": half_life,
                "r": pair.r if pair.sufficient else None,
                "low": pair.low if pair.sufficient else None,
                "high": pair.high if pair.sufficient else None,
                "sufficient": pair.sufficient,
                "significant": pair.significant,
                "leader": pair.leader,
            }


class _Table(msgspec.Struct, frozen=True):
    name: str
    rows: Callable[[Picture], Iterator[Row]]


_TAPE, _SERIES, _OVERVIEW = _Table("tape", _tape), _Table("series", _seconds), _Table("overview", _overview)
_MESSAGES = _Table("messages", _messages)
_TABLES: Mapping[str, _Table] = {
    "velocity": _Table("velocity", _velocity),
    "activity": _Table("activity", _activity),
    "markets": _Table("markets", _markets),
    "cascades": _Table("cascades", _cascades),
    "correlation": _Table("correlation", _correlation),
    **dict.fromkeys(("regime", "outlook"), _Table("regime", _regime)),
    "cascade-risk": _Table("risk", _risks),
    **dict.fromkeys(("tape", "prints"), _TAPE),
    **dict.fromkeys(("totals", "quick", "by-exchange", "by-side", "numbers"), _OVERVIEW),
    "sums": _Table("sums", _all_sums),
    "sums-by-venue": _Table("sums-by-venue", _venue_sums),
    "sums-by-market": _Table("sums-by-market", _market_sums),
    **dict.fromkeys(("velocity-chart", "price-chart", "sides-chart"), _SERIES),
    "episodes-chart": _Table("episodes", _episodes),
    **dict.fromkeys(("alerts", "messages"), _MESSAGES),
}
_WHOLE = {"cumulative": "sums"}
"""Pages that are more than their longest panel."""
