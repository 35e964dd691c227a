"""What a screen shows once the process it looks at is gone."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from liquake.engine.engine import Engine
from liquake.engine.snapshot import ConnectionState, Snapshot, VenueState


def cut_off(venues: Iterable[VenueState], feed: ConnectionState, now: int) -> Snapshot:
    """The `venues` with `feed` for their only connection and without a number: nobody is to trade on one that stopped."""
    blank = Engine({venue.venue: venue.coverage for venue in venues}).snapshot(now)
    return msgspec.structs.replace(
        blank, venues=tuple(msgspec.structs.replace(venue, connections=(feed,)) for venue in blank.venues)
    )
