"""The addresses of a venue, and which of those that follow each other is valid when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

_SECOND = 1_000_000_000
LEAD = 600 * _SECOND
"""Nanoseconds before the end of an address that one which has begun is preferred to it."""


class Endpoint(msgspec.Struct, frozen=True):
    """An address of a venue with the days, UTC, on which it is known to work."""

    url: str
    valid_from: date | None = None
    valid_until: date | None = None
    """The last day; `None` while no end is announced."""
    source: str = ""
    """Address of the documented sentence."""
    follows: str = ""
    """The `url` of the address whose place it takes, with the same frames in both directions."""

    @property
    def begins(self) -> int:
        """UTC nanoseconds; 0 where it always was."""
        return 0 if self.valid_from is None else _midnight(self.valid_from)

    @property
    def left(self) -> int | None:
        """When it is left for one that has begun, UTC nanoseconds: before its last day is over."""
        return None if self.valid_until is None else _midnight(self.valid_until + timedelta(days=1)) - LEAD


def address(endpoints: Sequence[Endpoint], url: str, now: int) -> str:
    """What to connect to at `now`, UTC nanoseconds, for `url`: the newest valid of the addresses that follow each other there.

    Where none is valid it is the newest that has begun: an end that was announced may be put off. A query is kept.
    """
    base, mark, query = url.partition("?")
    line = _line(endpoints, base)
    if not line:
        return url
    begun = [endpoint for endpoint in line if endpoint.begins <= now] or line[:1]
    lasting = [endpoint for endpoint in begun if endpoint.left is None or now < endpoint.left]
    return (lasting or begun)[-1].url + mark + query


def next_change(endpoints: Sequence[Endpoint], now: int) -> int | None:
    """When another address may be the one to connect to, UTC nanoseconds; `None` where no change is announced."""
    moments = [moment for each in endpoints for moment in (each.begins, each.left) if moment is not None]
    return min((moment for moment in moments if moment > now), default=None)


def _line(endpoints: Sequence[Endpoint], url: str) -> list[Endpoint]:
    """The endpoint with `url`, those before it and those after it, the oldest first."""
    known = {endpoint.url: endpoint for endpoint in endpoints}
    followers = {endpoint.follows: endpoint for endpoint in endpoints}
    line = [known[url]] if url in known else []
    while line and (before := known.get(line[0].follows)) is not None and before not in line:
        line.insert(0, before)
    while line and (after := followers.get(line[-1].url)) is not None and after not in line:
        line.append(after)
    return line


def _midnight(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * _SECOND
