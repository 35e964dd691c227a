"""The simulated venues by name: those of this package, and those that others have added.

Elsewhere, an entry point in the group `liquake.simulators` names the class.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from liquake import plugins, simulate
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
    found = {server.name: server for server in _own()}

    def accept(added: object) -> None:
        if not (isinstance(added, type) and issubclass(added, VenueServer)) or inspect.isabstract(added):
            raise TypeError("it is not a class derived from VenueServer that answers all of its questions")
        if added.name in found:
            raise ValueError(f"there is a simulated venue called {added.name} already")
        found[added.name] = added

    plugins.load(GROUP, accept)
    return {server.name: server for server in sorted(found.values(), key=lambda each: (each.rank, each.name))}


SERVERS: Mapping[str, type[VenueServer]] = plugins.Registry(_ranked)
"""In the order in which they are shown."""
