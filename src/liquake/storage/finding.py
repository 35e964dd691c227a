"""What `liquake check` says of one place."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What one rule found in one place."""

    tier: str
    """journal, redis or database."""
    rule: str
    place: str
    """Venue, day or table; empty for the whole tier."""
    ok: bool
    detail: str
    """What was counted, or what is wrong."""
