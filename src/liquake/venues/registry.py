"""The venues by name."""

from __future__ import annotations

from collections.abc import Mapping

from liquake.errors import UnknownVenue
from liquake.venues.binance import Binance
from liquake.venues.bybit import Bybit
from liquake.venues.hyperliquid import Hyperliquid
from liquake.venues.okx import Okx
from liquake.venues.venue import Venue

VENUES: Mapping[str, Venue] = {venue.name: venue for venue in (Binance(), Bybit(), Okx(), Hyperliquid())}
"""In the order in which they are shown."""


def find_venue(name: str) -> Venue:
    """The venue called `name`, upper or lower case. Raises `UnknownVenue`."""
    try:
        return VENUES[name.strip().lower()]
    except KeyError:
        raise UnknownVenue(name, VENUES) from None
