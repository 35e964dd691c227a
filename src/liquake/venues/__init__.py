"""The venues: what each sends and what it means. Pure: bytes in, events out."""

from liquake.venues.registry import VENUES, find_venue, find_venues
from liquake.venues.venue import Connection, Decoder, Heartbeat, Limits, Request, Subscription, Venue

__all__ = [
    "VENUES",
    "Connection",
    "Decoder",
    "Heartbeat",
    "Limits",
    "Request",
    "Subscription",
    "Venue",
    "find_venue",
    "find_venues",
]
