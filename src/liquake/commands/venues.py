"""`liquake venues`: what each venue's feed contains, means and leaves out; with `--check`, whether it does so now."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from liquake.clock import WallClock
from liquake.config import Settings
from liquake.ingest.probe import Finding, Verdict, probe
from liquake.terminal import print_json
from liquake.tui.listing import probe_text, venues_text
from liquake.venues import VENUES, Venue, find_venues
from liquake.venues.unsupported import unsupported

LISTENED = 30.0
"""Seconds to listen to each venue at most."""


def venues(chosen: Sequence[str], *, as_json: bool) -> int:
    """What each venue's feed contains, means and leaves out; and the venues that are known and not supported.

    Of `chosen` alone where some are. Raises `UnknownVenue`.
    """
    rows = [_row(venue) for venue in (find_venues(chosen) if chosen else VENUES.values())]
    others = (
        []
        if chosen
        else [
            {"venue": each.name, "title": each.title, "supported": False, "why": each.why, "source": each.source}
            for each in unsupported()
            if each.name not in VENUES
        ]
    )
    if as_json:
        print_json([*rows, *others])
    else:
        sys.stdout.write(venues_text(rows, others, shutil.get_terminal_size().columns))
    return 0


def _row(venue: Venue) -> dict[str, Any]:
    return {
        "venue": venue.name,
        "title": venue.title,
        "supported": True,
        "coverage": venue.coverage.kind.value,
        "contains": venue.coverage.sentence,
        "since": venue.coverage.since,
        "throttle": venue.coverage.throttle.value,
        **msgspec.structs.asdict(venue.facts),
        "endpoints": [msgspec.structs.asdict(endpoint) for endpoint in venue.endpoints],
    }


def check(settings: Settings, *, as_json: bool) -> int:
    """Listen to each venue, and say whether it does what its module expects; 1 where one does not."""
    findings = asyncio.run(_check(settings))
    rows = [msgspec.structs.asdict(finding) for finding in findings]
    if as_json:
        print_json(rows)
    else:
        sys.stdout.write(probe_text(rows))
    return 0 if all(finding.verdict is Verdict.WORKS for finding in findings) else 1


async def _check(settings: Settings) -> list[Finding]:
    clock, seconds = WallClock(), settings.duration or LISTENED
    chosen = find_venues(settings.exchanges)
    return await asyncio.gather(*(probe(venue, clock, seconds, settings.endpoints.get(venue.name)) for venue in chosen))
