"""Rows and dollars by day, venue and side: what must agree between two places that hold the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_NANOSECONDS = 86_400 * 10**9
"""Of a day."""


class Tally(NamedTuple):
    """Rows of one venue and side on one day."""

    events: int
    usd: float


NOTHING = Tally(0, 0.0)

Tallies = Mapping[tuple[str, str, str], Tally]
"""By day (UTC, of the event), venue and side."""


class Holding(NamedTuple):
    """What a store behind the journal holds."""

    tallies: Tallies
    doubled: int
    """Keys it holds more than once."""
    journals: int
    """Journals that feed it."""


def tallied(rows: Iterable[tuple[int, str, str, float | None]]) -> Tallies:
    """`rows` of event time (UTC nanoseconds), venue, side and dollars, added up."""
    counts: Counter[tuple[str, str, str]] = Counter()
    dollars: dict[tuple[str, str, str], float] = {}
    for ts, venue, side, usd in rows:
        group = _day(ts), venue, side
        counts[group] += 1
        dollars[group] = dollars.get(group, 0.0) + (usd or 0.0)
    return {group: Tally(count, dollars[group]) for group, count in counts.items()}


def _day(ts: int) -> str:
    return named(ts // _NANOSECONDS)


def named(day: int) -> str:
    """The date of a day since 1970, as ISO has it."""
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y-%m-%d}"
