"""What rows of a journal cannot be: impossible values, units and times, prices far from the market, unexplained silences.

SQLite reads through the rows and leaves to Python only those few that may be wrong: events by the million.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite, log10

from liquake.model import Liquidation, PriceBasis
from liquake.storage.finding import Finding
from liquake.storage.schema import read_events

SILENCE = 120.0
"""Seconds without anything from a venue that the ledger has to explain: its prices come every second."""
PRICE_AGE = 120.0
"""Seconds a price is of use to judge a liquidation by."""
PRICE_FACTOR = 2.0
"""How many times the market's price a liquidation's may be, or a fraction of it. A crash of 1,000 % is a unit."""
LARGEST = 2e9
"""Dollars above which a single liquidation is a unit gone wrong; the largest ever known was a tenth of that."""
_BUNDLED = re.compile(r"10{3,8}|1M|^k")
_TOLERATED = 0.02
"""Decades: dollars may have been reckoned at another of the order's prices."""
_EARLIEST = 1_262_304_000_000_000_000
_CLOCKS = 3600 * 10**9
"""Nanoseconds a venue's clock may be ahead of ours."""
_MINUTE = 60 * 10**9

# Narrower than the rules of `_faults`, which then have the last word. 9e999 is infinity; what is not known is not wrong.
_SUSPECT = f"""NOT (price > 0 AND price < 9e999
    AND coalesce(amount > 0 AND amount < 9e999, 1) AND coalesce(usd > 0 AND usd <= {LARGEST!r}, 1)
    AND coalesce(amount * price / usd BETWEEN 0.96 AND 1.04, 1)
    AND ts_event BETWEEN {_EARLIEST} AND ts_recv + {_CLOCKS})"""

# By minutes: a silence that counts is longer, so it lies between two of them.
_HEARD = f"""SELECT venue, min(first), max(last) FROM (
        SELECT venue, ts_recv / {_MINUTE} AS minute, min(ts_recv) AS first, max(ts_recv) AS last
        FROM events GROUP BY 1, 2
        UNION ALL
        SELECT venue, ts_recv / {_MINUTE}, min(ts_recv), max(ts_recv) FROM prices GROUP BY 1, 2
    ) GROUP BY venue, minute ORDER BY venue, minute"""

_Found = dict[str, tuple[int, str]]
"""By venue: how many, and the first."""


def testify(connection: sqlite3.Connection, events: Mapping[str, int]) -> Iterator[Finding]:
    """What there is to say of each venue's rows, of which there are so many `events`. Raises `sqlite3.Error`."""
    wrong: dict[str, _Found] = {rule: {} for rule in ("values", "times", "units", "prices")}
    for _, event in read_events(connection.execute(f"SELECT * FROM events WHERE {_SUSPECT} ORDER BY seq")):
        for rule in _faults(event):
            _count(wrong[rule], event.venue, event.key)
    for venue, key in _far_off(connection):
        _count(wrong["prices"], venue, key)
    for rule, found in wrong.items():
        for venue, count in sorted(events.items()):
            times, example = found.get(venue, (0, ""))
            said = f", the first is {example}" if times else ""
            yield Finding("journal", rule, venue, not times, f"{times:,} of {count:,} cannot be{said}")
    yield from _silences(connection)


def _count(found: _Found, venue: str, example: str) -> None:
    times, first = found.get(venue, (0, example))
    found[venue] = times + 1, first


def _faults(event: Liquidation) -> Iterator[str]:
    """The rules that `event` breaks by itself."""
    if not _values(event):
        yield "values"
    if not _EARLIEST <= event.ts_event <= event.ts_recv + _CLOCKS:
        yield "times"
    if not _units(event):
        yield "units"


def _values(event: Liquidation) -> bool:
    sizes = [event.price, *(size for size in (event.amount, event.usd) if size is not None)]
    return all(isfinite(size) and size > 0.0 for size in sizes) and (event.usd or 0.0) <= LARGEST


def _units(event: Liquidation) -> bool:
    """Whether dollars are coins times price: for each coin, or for each 1000 and more where the symbol says so."""
    if event.amount is None or event.usd is None or not _values(event):
        return True
    bundle = log10(event.amount * event.price / event.usd)
    named = _BUNDLED.search(event.instrument) is not None
    return abs(bundle) < _TOLERATED or (named and 2.9 < bundle < 8.1 and abs(bundle - round(bundle)) < _TOLERATED)


def _far_off(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Venue and key of events far from the price of their instrument that was received last before them."""
    known: dict[str, tuple[float, int]] = {}
    prices = connection.execute("SELECT seq, venue || ' ' || instrument, price, ts_recv FROM prices ORDER BY seq")
    ahead = next(prices, None)
    if ahead is None:
        return
    # The entry of a position says nothing of the market at the time.
    events = connection.execute(
        "SELECT seq, venue || ' ' || instrument, price, ts_recv FROM events"
        " WHERE price > 0 AND price_basis != ? ORDER BY seq",
        (PriceBasis.ENTRY.value,),
    )
    for seq, instrument, price, moment in events:
        while ahead is not None and ahead[0] < seq:
            known[ahead[1]] = ahead[2], ahead[3]
            ahead = next(prices, None)
        if instrument in known and not _near(price, moment, *known[instrument]):
            yield connection.execute("SELECT venue, key FROM events WHERE seq = ?", (seq,)).fetchone()


def _near(price: float, moment: int, market: float, priced: int) -> bool:
    if market <= 0.0 or abs(moment - priced) > PRICE_AGE * 1e9:
        return True
    return 1.0 / PRICE_FACTOR <= price / market <= PRICE_FACTOR


def _silences(connection: sqlite3.Connection) -> Iterator[Finding]:
    told: dict[str, list[int]] = {}
    gaps: Counter[str] = Counter()
    for venue, moment, is_gap in connection.execute("SELECT venue, ts, kind = 'gap' FROM ledger ORDER BY venue, ts"):
        told.setdefault(venue, []).append(moment)
        gaps[venue] += is_gap
    silent: _Found = {}
    for venue, start, end in _unexplained(connection.execute(_HEARD), told):
        _count(silent, venue, f"{(end - start) / 1e9:,.0f} s until {end}")
    venues = {venue for (venue,) in connection.execute("SELECT venue FROM events UNION SELECT venue FROM prices")}
    for venue in sorted(venues.union(told)):
        times, example = silent.get(venue, (0, ""))
        said = f", the first {example}" if times else ""
        detail = f"{times:,} silences that the ledger does not explain{said}; {gaps[venue]:,} gaps recorded"
        yield Finding("journal", "gaps", venue, not times, detail)


def _unexplained(
    heard: Iterable[tuple[str, int, int]], told: Mapping[str, list[int]]
) -> Iterator[tuple[str, int, int]]:
    """Venue, begin and end of silences at whose end the ledger says nothing: no reconnect, restart or stale feed.

    `heard` is by venue and time, `told` sorted.
    """
    last: tuple[str, int] = "", 0
    for venue, first, until in heard:
        if venue == last[0] and first - last[1] > SILENCE * 1e9:
            moments = told.get(venue, [])
            place = bisect_left(moments, first - SILENCE * 1e9)
            if place == len(moments) or moments[place] > first + SILENCE * 1e9:
                yield venue, last[1], first
        last = venue, until
