"""Rows and dollars by day, venue and side: what must agree between two places that hold the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple


class Tally(NamedTuple):
    """Rows of one venue and side on one day."""

    events: int
    usd: float


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
    return f"{datetime.fromtimestamp(ts // 10**9, UTC):%Y-%m-%d}"
