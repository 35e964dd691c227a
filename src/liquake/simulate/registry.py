"""The simulated venues by name: those of this package, and those that others have added.

Elsewhere, an entry point in the group `liquake.simulators` names the class.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points

from liquake import simulate
from liquake.simulate.server import VenueServer

GROUP = "liquake.simulators"
_NOT_VENUES = frozenset(("__main__", "registry", "simulation"))


def _own() -> Iterator[type[VenueServer]]:
    for module in pkgutil.iter_modules(simulate.__path__):
        if module.name not in _NOT_VENUES:
            for found in vars(import_module(f"{simulate.__name__}.{module.name}")).values():
                if isinstance(found, type) and issubclass(found, VenueServer) and not inspect.isabstract(found):
                    yield found


def _ranked() -> dict[str, type[VenueServer]]:
    added = (point.load() for point in entry_points(group=GROUP))
    servers = {server.name: server for server in (*_own(), *added)}
    return {server.name: server for server in sorted(servers.values(), key=lambda each: (each.rank, each.name))}


SERVERS: Mapping[str, type[VenueServer]] = _ranked()
"""In the order in which they are shown."""
