"""The venues by name: those of this package, and those that others have added.

Every module here may hold one. Elsewhere, an entry point in the group `liquake.venues` names the class:

    [project.entry-points."liquake.venues"]
    toy = "toy_venue:Toy"
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points

from liquake import venues
from liquake.errors import UnknownVenue
from liquake.venues.venue import Venue

GROUP = "liquake.venues"


def _own() -> Iterator[type[Venue]]:
    for module in pkgutil.iter_modules(venues.__path__):
        if module.name != "registry" and not module.name.startswith("_"):
            for found in vars(import_module(f"{venues.__name__}.{module.name}")).values():
                if isinstance(found, type) and issubclass(found, Venue) and not inspect.isabstract(found):
                    yield found


def _added() -> Iterator[type[Venue]]:
    for point in entry_points(group=GROUP):
        yield point.load()


def _ranked() -> dict[str, Venue]:
    classes = {venue.name: venue for venue in (*_own(), *_added())}
    return {venue.name: venue() for venue in sorted(classes.values(), key=lambda each: (each.rank, each.name))}


VENUES: Mapping[str, Venue] = _ranked()
"""In the order in which they are shown."""


def find_venue(name: str) -> Venue:
    """The venue called `name`, upper or lower case, or by one of its aliases. Raises `UnknownVenue`."""
    wanted = name.strip().lower()
    if wanted in VENUES:
        return VENUES[wanted]
    for venue in VENUES.values():
        if wanted in venue.aliases:
            return venue
    raise UnknownVenue(name, VENUES)
