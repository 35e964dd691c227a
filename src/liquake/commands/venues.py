"""`liquake venues`: what each venue's feed contains, means and leaves out."""

from __future__ import annotations

import shutil
import sys

import msgspec

from liquake.terminal import print_json
from liquake.tui.listing import venues_text
from liquake.venues import VENUES


def venues(*, as_json: bool) -> int:
    """What each venue's feed contains, means and leaves out."""
    rows = [
        {
            "venue": venue.name,
            "title": venue.title,
            "coverage": venue.coverage.kind.value,
            "contains": venue.coverage.sentence,
            "since": venue.coverage.since,
            "throttle": venue.coverage.throttle.value,
            **msgspec.structs.asdict(venue.facts),
            "endpoints": [msgspec.structs.asdict(endpoint) for endpoint in venue.endpoints],
        }
        for venue in VENUES.values()
    ]
    if as_json:
        print_json(rows)
    else:
        sys.stdout.write(venues_text(rows, shutil.get_terminal_size().columns))
    return 0
