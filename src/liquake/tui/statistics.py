"""A whole session as text for its reader, and as a JSON object for programs.

The object depends on the events alone: the same recording gives the same bytes at every speed and refresh.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from liquake.engine.snapshot import ALL, FeedCoverage, MarketCoverage, Peak, Quantiles, Statistics, Sum
from liquake.model import Coverage, CoverageKind, Liquidation, Side, Throttle
from liquake.model.alert import Alert
from liquake.tui import bands, formats
from liquake.tui.table import fit, printable

_MOST_MARKETS = 20
_HEADLINE_MARKETS = 3
_MOST_FEED_LINES = 40
_MOST_GAPS = 10
_MOST_APART = 10
_APART = 0.001
"""Part of the time by which a market must differ from its venue to get a line."""
_LABEL = 12


def statistics_text(statistics: Statistics, coverages: Mapping[str, Coverage], *, unicode: bool = True) -> str:
    """What happened, per venue, market and side; how fast it reached us; what it cannot contain.

    `coverages` by venue: what each feed leaves out. Without `unicode` in ASCII.
    """
    floor = _Floor(coverages, statistics, "≥" if unicode else ">=")
    parts = (
        _summary(statistics, floor),
        _by_venue(statistics, floor),
        _really(statistics, floor),
        _by_market(statistics, floor),
        _by_venue_market(statistics, floor),
        _peaks(statistics.peaks, floor.of(statistics.by_venue)),
        _largest(statistics.largest),
        _latency(statistics),
        _covered(statistics),
        _feeds(statistics),
        _left_out(statistics, coverages),
    )
    return "\n\n".join("\n".join(printable(line.rstrip()) for line in part) for part in parts if part) + "\n"


def alerts_text(alerts: Iterable[Alert]) -> str:
    """What was worth telling, a line each with its level, rule and what stands behind it; empty where nothing was."""
    lines = [
        f"{formats.date_time(alert.ts)}  {alert.level.name:<9}{alert.rule.value:<15}{alert.text} [{alert.coverage}]"
        for alert in alerts
    ]
    return "\n".join(["", "ALERTS", *lines, ""]) if lines else ""


def statistics_object(statistics: Statistics) -> dict[str, Any]:
    """The same as plain values: dollars to the cent, coins to eight decimals, times in UTC milliseconds.

    `amount` is null where coins of several assets would be added, and where no size is known.
    """
    nested, known = statistics.by_venue_market, Kept(statistics.markets)
    return {
        "first_ms": _milliseconds(statistics.first),
        "last_ms": _milliseconds(statistics.last),
        "watched_ms": None if statistics.span is None else [_milliseconds(moment) for moment in statistics.span],
        **_sum(statistics.total, statistics.by_market),
        **known.fields(),
        "by_side": {side.value: _sum(statistics.by_side.get(side, Sum()), statistics.by_market, side) for side in Side},
        "by_venue": {
            venue: _with_sides(sides, nested.get(venue, {})) | known.fields(venue)
            for venue, sides in sorted(statistics.by_venue.items())
        },
        "by_market": {
            market: _with_sides(sides, {market: sides}) | known.fields(market=market)
            for market, sides in sorted(statistics.by_market.items())
        },
        "sampled": {venue: _plain(total, None) for venue, total in sorted(statistics.sampled.items())},
        "last_hour": [bands.plain(said, known.row(said.venue, said.market)) for said in statistics.understatements],
        "coverage": {venue: _coverage(each) for venue, each in sorted(statistics.coverage.items())},
        "duplicates": statistics.duplicates,
        "errors": statistics.errors,
        "peaks": [_peak(peak) | {"at_least": known.fields()["at_least"]} for peak in statistics.peaks],
        "latency": _quantiles(statistics.latency)
        | {"by_venue": {venue: _quantiles(each) for venue, each in sorted(statistics.latency_by_venue.items())}},
        "state_hash": statistics.state_hash,
    }


def statistics_csv(statistics: Statistics) -> str:
    """The sums as a table: a line per venue, market and side, without the sums of sums."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    known = Kept(statistics.markets)
    sums = ("venue", "market", "side", "events", "unsized", "base_amount", "usd")
    writer.writerow((*sums, "coverage", "heard_share", "at_least"))
    for venue, markets in sorted(statistics.by_venue_market.items()):
        for market, sides in sorted(markets.items()):
            for side, total in sides.items():
                row = (venue, market, side, total.events, total.unsized, total.amount, total.usd)
                writer.writerow((*row, *known.fields(venue, market).values()))
    return file.getvalue()


def statistics_json(statistics: Statistics) -> str:
    """`statistics_object` as one line of JSON."""
    return msgspec.json.encode(statistics_object(statistics)).decode()


def _added(sides: Mapping[str, Sum], side: Side | None = None) -> Sum:
    wanted = sides.values() if side is None else [sides.get(side, Sum())]
    return sum(wanted, Sum())


def _sum(total: Sum, markets: Mapping[str, Mapping[str, Sum]], side: Side | None = None) -> dict[str, Any]:
    """`total` with the coins of `markets` where that is one market only."""
    amount = _added(next(iter(markets.values())), side).amount if len(markets) == 1 else None
    return _plain(total, amount)


def _plain(total: Sum, amount: float | None) -> dict[str, Any]:
    known = _known(total) is not None
    return {
        "events": total.events,
        "usd": round(total.usd, 2) if known else None,
        "amount": round(amount, 8) if known and amount is not None else None,
        "unsized": total.unsized,
    }


def _with_sides(sides: Mapping[str, Sum], markets: Mapping[str, Mapping[str, Sum]]) -> dict[str, Any]:
    by_side = {side.value: _sum(sides.get(side, Sum()), markets, side) for side in Side}
    return _sum(_added(sides), markets) | {"by_side": by_side}


class Kept:
    """What is known of the feeds behind each sum of a session."""

    def __init__(self, markets: Mapping[str, Mapping[str, MarketCoverage]]) -> None:
        self._rows = markets

    def row(self, venue: str = ALL, market: str = ALL) -> MarketCoverage | None:
        """Of a venue's feed of a market; of the whole venue where nothing is known of that."""
        return self._rows.get(market, {}).get(venue) or self._rows.get(ALL, {}).get(venue)

    def fields(self, venue: str = ALL, market: str = ALL) -> dict[str, Any]:
        """What a sum covers, as plain values: who shows least in it, in how much of the time all were heard (0 to 1), and
        whether it is a lower bound."""
        row = self.row(venue, market)
        if row is None:
            return {"coverage": None, "heard_share": None, "at_least": None}
        share = round(row.covered["all"], 6)
        return {"coverage": row.kind.value, "heard_share": share, "at_least": row.at_least("all")}


def _coverage(feed: FeedCoverage) -> dict[str, Any]:
    promise = feed.promise
    return {
        "state": feed.state.value,
        "promise": promise.kind.value,
        "throttle": promise.throttle.value,
        "since": None if promise.since is None else promise.since.isoformat(),
        "heard_share": round(feed.share, 6),
        "lower_bound": promise.lower_bound or feed.missing or feed.state is CoverageKind.DARK,
        "gaps": [
            {
                "start_ms": _milliseconds(gap.start),
                "end_ms": _milliseconds(gap.end),
                "cause": gap.cause,
                "refilled": gap.recovered,
            }
            for gap in feed.gaps
        ],
    }


def _milliseconds(ts: int | None) -> int | None:
    return None if ts is None else ts // 1_000_000


def _peak(peak: Peak) -> dict[str, Any]:
    return {
        "window_s": peak.window,
        "events": peak.events,
        "events_at_ms": _milliseconds(peak.events_at),
        "usd": round(peak.usd, 2),
        "usd_at_ms": _milliseconds(peak.usd_at),
    }


def _quantiles(measured: Quantiles) -> dict[str, Any]:
    if not measured.count:
        return {"count": 0, "p50_ms": None, "p99_ms": None, "worst_ms": None}
    p50, p99, worst = (round(value, 3) for value in (measured.p50, measured.p99, measured.worst))
    return {"count": measured.count, "p50_ms": p50, "p99_ms": p99, "worst_ms": worst}


class _Floor(msgspec.Struct, frozen=True):
    """Says which sums are only "at least": those with a feed in them that withholds some, or was not heard throughout."""

    coverages: Mapping[str, Coverage]
    statistics: Statistics
    sign: str

    def of(self, venues: Iterable[str], market: str = ALL) -> str:
        """The sign to put before a sum of `market` over `venues`, or nothing."""
        known = Kept(self.statistics.markets)
        return self.sign if any(self._short(venue, known.row(venue, market)) for venue in venues) else ""

    def _short(self, venue: str, row: MarketCoverage | None) -> bool:
        promise = self.coverages.get(venue)
        if promise is not None and promise.lower_bound:
            return True
        if row is not None:
            return row.at_least("all")
        feed = self.statistics.coverage.get(venue)
        return feed is not None and (feed.missing or feed.state is CoverageKind.DARK)


def _usd(total: Sum, sign: str = "") -> str:
    """Dollars to the cent; "unknown" where no size is known, never 0."""
    if _known(total) is None:
        return formats.UNKNOWN
    return (sign if total.events else "") + formats.exact_dollars(total.usd)


def _unsized(total: Sum) -> str:
    return f"  ({formats.count(total.unsized)} of unknown size not in it)" if total.unsized else ""


def _summary(statistics: Statistics, floor: _Floor) -> list[str]:
    span = "nothing seen"
    if statistics.span is not None:
        start, end = statistics.span
        span = f"{formats.date_time(start)} to {formats.date_time(end)} UTC, {formats.runtime((end - start) / 1e9)}"
    sign = floor.of(statistics.by_venue)
    trouble = f"{formats.count(statistics.duplicates)} duplicates dropped, {formats.count(statistics.errors)} errors"
    lines = [
        ("Session", span),
        ("Total", _headline(statistics, sign)),
        *((side.value, _amounts(statistics.by_side.get(side, Sum()), sign, statistics.total)) for side in Side),
        *[("Coins", coins) for coins in _coins(statistics)],
        ("Feeds", trouble),
        ("State", statistics.state_hash),
    ]
    return [f"{name:<{_LABEL}}{text}" for name, text in lines]


def _headline(statistics: Statistics, sign: str) -> str:
    long, short = (formats.count(statistics.by_side.get(side, Sum()).events) for side in (Side.LONG, Side.SHORT))
    total = statistics.total
    events = f"{formats.count(total.events)} events, {long} LONG and {short} SHORT"
    return f"{events}, {_usd(total, sign)}{_unsized(total)}"


def _amounts(total: Sum, sign: str, whole: Sum) -> str:
    share = formats.percent(total.events, whole.events)
    return f"{formats.count(total.events):>10} events  {share:>4}  {_usd(total, sign):>20}{_unsized(total)}"


def _coins(statistics: Statistics) -> list[str]:
    """One line per market for the few largest; the table has the others."""
    lines = []
    for market, sides in _largest_first(statistics.by_market.items())[:_HEADLINE_MARKETS]:
        asset = market.removesuffix("USDT")
        long, short = (
            formats.exact_coins(_known(sides.get(side, Sum())), "").rstrip() for side in (Side.LONG, Side.SHORT)
        )
        lines.append(f"{asset} {long} LONG and {short} SHORT")
    return lines


def _known(total: Sum) -> float | None:
    return None if total.events and total.unsized == total.events else total.amount


def _largest_first(rows: Iterable[tuple[str, Mapping[str, Sum]]]) -> list[tuple[str, Mapping[str, Sum]]]:
    return sorted(rows, key=lambda entry: (-_added(entry[1]).usd, entry[0]))


def _by_venue(statistics: Statistics, floor: _Floor) -> list[str]:
    lines = [f"{'BY VENUE':<{_LABEL}}{'side':<6}{'events':>10}  {'USD':>20}"]
    for venue, sides in sorted(statistics.by_venue.items()):
        for side in Side:
            total = sides.get(side, Sum())
            start = f"{fit(venue, _LABEL)}{side.value:<6}{formats.count(total.events):>10}"
            lines.append(f"{start}  {_usd(total, floor.of([venue])):>20}{_unsized(total)}")
    return lines if len(lines) > 1 else []


def _really(statistics: Statistics, floor: _Floor) -> list[str]:
    """Between what and what the last hour of throttled venues lies."""
    lines = [
        "LAST HOUR   what throttled venues showed in the last hour, and between what and what it must really have been:",
        f"{'':<{_LABEL}}in 19 of 20 cases, if orders crowd there as at complete venues; to ? where nobody can tell",
    ]
    known = Kept(statistics.markets)
    told = [said for said in statistics.understatements if said.market == ALL]
    lines += [fit(said.venue, _LABEL) + bands.sentence(said, known.row(said.venue), floor.sign) for said in told]
    return lines if told else []


def _by_market(statistics: Statistics, floor: _Floor) -> list[str]:
    lines = [f"{'BY MARKET':<{_LABEL}}{'side':<6}{'events':>10}  {'USD':>20}  {'size':>24}"]
    for market, sides in _largest_first(statistics.by_market.items())[:_MOST_MARKETS]:
        venues = [venue for venue, markets in statistics.by_venue_market.items() if market in markets]
        lines += _market_lines(fit(market, _LABEL), market, sides, floor.of(venues, market))
    return [*lines, *_more(len(statistics.by_market))] if len(lines) > 1 else []


def _by_venue_market(statistics: Statistics, floor: _Floor) -> list[str]:
    """Coins per venue, which add up within a market only; with one venue the table above says it all."""
    if len(statistics.by_venue_market) < 2:
        return []
    nested = statistics.by_venue_market
    rows = [(f"{market} {venue}", sides) for venue, markets in nested.items() for market, sides in markets.items()]
    lines = [f"{'BY MARKET':<{_LABEL}}{'venue':<{_LABEL}}{'side':<6}{'events':>10}  {'USD':>20}  {'size':>24}"]
    for name, sides in _largest_first(rows)[:_MOST_MARKETS]:
        market, _, venue = name.partition(" ")
        lines += _market_lines(fit(market, _LABEL) + fit(venue, _LABEL), market, sides, floor.of([venue], market))
    return [*lines, *_more(len(rows))]


def _market_lines(start: str, market: str, sides: Mapping[str, Sum], sign: str) -> list[str]:
    lines = []
    for side in Side:
        total = sides.get(side, Sum())
        least = sign if total.events and _known(total) is not None else ""
        amount = least + formats.exact_coins(_known(total), market.removesuffix("USDT"))
        events = formats.count(total.events)
        lines.append(f"{start}{side.value:<6}{events:>10}  {_usd(total, sign):>20}  {amount:>24}{_unsized(total)}")
    return lines


def _more(rows: int) -> list[str]:
    return [f"and {formats.count(rows - _MOST_MARKETS)} more, all in the totals"] if rows > _MOST_MARKETS else []


def _peaks(peaks: Iterable[Peak], sign: str) -> list[str]:
    lines = ["PEAKS"]
    for peak in peaks:
        if peak.events_at is None:
            continue
        most = f"{sign}{formats.count(peak.events)} events at {formats.date_time(peak.events_at)}"
        usd = (
            ""
            if peak.usd_at is None
            else f", {sign}{formats.exact_dollars(peak.usd)} at {formats.date_time(peak.usd_at)}"
        )
        lines.append(f"{'within ' + formats.window(peak.window):<{_LABEL}} {most}{usd}")
    return lines if len(lines) > 1 else []


def _largest(largest: Iterable[Liquidation]) -> list[str]:
    lines = ["LARGEST"]
    for entry in largest:
        what = f"{fit(entry.venue, _LABEL)}{fit(entry.asset + 'USDT', 11)} {entry.side.value:<6}"
        amount = formats.exact_coins(entry.amount, entry.asset)
        at = f"at {formats.price(entry.coin_price)} ({entry.price_basis.lower()})"
        usd = formats.exact_dollars(entry.usd)
        lines.append(f"{formats.date_time(entry.ts_event)}  {what}{usd:>18}  {amount}  {at}")
    return lines if len(lines) > 1 else []


def _latency(statistics: Statistics) -> list[str]:
    lines = ["LATENCY     from the venue's event time to our receipt, with its batching and the clocks' difference"]
    for name, measured in [("all", statistics.latency), *sorted(statistics.latency_by_venue.items())]:
        if measured.count:
            p50, p99, worst = map(formats.latency, (measured.p50, measured.p99, measured.worst))
            lines.append(f"{fit(name, _LABEL)}p50 {p50:>8}  p99 {p99:>8}  worst {worst:>8}")
    return lines if len(lines) > 1 else ["LATENCY     not measured"]


def _covered(statistics: Statistics) -> list[str]:
    """How much of the session's time each venue was heard, and its gaps, refilled or not."""
    lines = ["COVERAGE    how much of the session's time each venue was heard"]
    known = Kept(statistics.markets)
    if (together := known.row()) is not None:
        lines.append(f"{'ALL':<{_LABEL}}every venue at once: {formats.share(together.covered['all'])}")
    for venue, feed in sorted(statistics.coverage.items()):
        promise = feed.promise
        rule = (
            f" ({promise.throttle.value} per {promise.interval:g} s)" if promise.throttle is not Throttle.NONE else ""
        )
        since = f" since {promise.since}" if promise.since is not None else ""
        lines.append(f"{fit(venue, _LABEL)}{feed.state.lower()}{rule}{since}: heard {formats.share(feed.share)}")
        for gap in feed.gaps[-_MOST_GAPS:]:
            length, outcome = formats.age((gap.end - gap.start) / 1e9), "refilled" if gap.recovered else "not refilled"
            lines.append(f"{'':<{_LABEL}}gap {formats.date_time(gap.start)} of {length}: {outcome}; {gap.cause}")
        lines += _apart(statistics, known, venue, feed.share)
    return lines if len(lines) > 1 else []


def _apart(statistics: Statistics, known: Kept, venue: str, whole: float) -> list[str]:
    """The markets of a venue of which something else was heard than of the whole of it, those that lack most first."""
    rows = ((market, known.row(venue, market)) for market in statistics.by_venue_market.get(venue, {}))
    other = [(market, row) for market, row in rows if row and (row.refused or abs(row.covered["all"] - whole) > _APART)]
    other.sort(key=lambda entry: (entry[1].covered["all"], entry[0]))
    lines = [
        f"{'':<{_LABEL}}{fit(market, _LABEL)}{row.kind.lower()}: heard {formats.share(row.covered['all'])}"
        + (", some of its contracts refused" if row.refused else "")
        for market, row in other[:_MOST_APART]
    ]
    more = len(other) - _MOST_APART
    return [*lines, *([f"{'':<{_LABEL}}and {formats.count(more)} more markets"] if more > 0 else [])]


def _feeds(statistics: Statistics) -> list[str]:
    lines = ["FEED HISTORY"]
    hidden = len(statistics.feeds) - _MOST_FEED_LINES
    if hidden > 0:
        lines.append(f"{formats.count(hidden)} earlier lines not shown")
    for record in statistics.feeds[-_MOST_FEED_LINES:]:
        start = f"{formats.date_time(record.ts)}  {fit(record.venue, _LABEL)}{record.connection:<12}"
        lines.append(f"{start} {record.what}")
    return lines if len(lines) > 1 else []


def _left_out(statistics: Statistics, coverages: Mapping[str, Coverage]) -> list[str]:
    lines = ["WHAT THE FEEDS DO NOT CONTAIN"]
    lines += [f"{fit(venue, _LABEL)}{each.kind.lower()}: {each.sentence}" for venue, each in sorted(coverages.items())]
    for venue, total in sorted(statistics.sampled.items()):
        lines.append(
            f"{fit(venue, _LABEL)}sample seen, in no sum above: {formats.count(total.events)} events, {_usd(total)}"
        )
    return lines if len(lines) > 1 else []
