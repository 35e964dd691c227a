"""The venues by name: those of this package, and those that others have added.

Every module here may hold one. Elsewhere, an entry point in the group `liquake.venues` names the class:

    [project.entry-points."liquake.venues"]
    toy = "toy_venue:Toy"

One that cannot be imported, or takes a name that is taken, is left out with a sentence on standard error.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module

from liquake import plugins, venues
from liquake.errors import UnknownVenue, UnsupportedVenue
from liquake.venues.unsupported import unsupported
from liquake.venues.venue import Venue

GROUP = "liquake.venues"
ALL = "all"


def _own() -> Iterator[type[Venue]]:
    for module in pkgutil.iter_modules(venues.__path__):
        if module.name != "registry" and not module.name.startswith("_"):
            for found in vars(import_module(f"{venues.__name__}.{module.name}")).values():
                if isinstance(found, type) and issubclass(found, Venue) and not inspect.isabstract(found):
                    yield found


def _ranked() -> dict[str, Venue]:
    found = {venue.name: venue() for venue in _own()}

    def accept(added: object) -> None:
        if not (isinstance(added, type) and issubclass(added, Venue)):
            raise TypeError("it is not a class derived from Venue")
        if added.name in found:
            raise ValueError(f"there is a venue called {added.name} already")
        found[added.name] = added()

    plugins.load(GROUP, accept)
    return {venue.name: venue for venue in sorted(found.values(), key=lambda each: (each.rank, each.name))}


VENUES: Mapping[str, Venue] = plugins.Registry(_ranked)
"""In the order in which they are shown."""


def find_venue(name: str) -> Venue:
    """The venue called `name`, upper or lower case, or by one of its aliases.

    Raises `UnknownVenue`, and `UnsupportedVenue` for one that is known to have no feed that can be shown.
    """
    wanted = name.strip().lower()
    if wanted in VENUES:
        return VENUES[wanted]
    for venue in VENUES.values():
        if wanted in venue.aliases:
            return venue
    for known in unsupported():
        if wanted in (known.name, known.title.lower()):
            raise UnsupportedVenue(known.title, known.why)
    raise UnknownVenue(name, (*VENUES, ALL))


def find_venues(names: Iterable[str]) -> list[Venue]:
    """The venues called `names`, each once; every one there is where `all` is among them.

    Raises as `find_venue` does.
    """
    told = [name.strip().lower() for name in names]
    if ALL in told:
        return list(VENUES.values())
    return list({venue.name: venue for venue in map(find_venue, told)}.values())
