"""Which markets a venue's connections bring, since when, and which of them it lists at all."""

from __future__ import annotations

from collections.abc import Iterator

from liquake.engine.coverage import Span
from liquake.model import Listing, Scope

_FOREVER = 1 << 62
AT_ONCE = 5 * 1_000_000_000
"""Nanoseconds within which a market is brought again as if it had never been dropped: a history is asked for that too."""


class Reach:
    """One venue's scopes and lists. A connection of which nothing was said brings every market."""

    def __init__(self) -> None:
        self._scopes: dict[str, Scope] = {}
        self._since: dict[str, int] = {}
        """When an asset was first brought by a connection that names what it brings."""
        self._dropped: dict[str, int] = {}
        """Since when an asset that had been brought is brought no more."""
        self._without: dict[str, list[Span]] = {}
        """The same, of times that are over."""
        self._listing: Listing | None = None
        self._listed: dict[str, list[int]] = {}
        """By asset: until when it was not listed (0 where it always was), and from when on it was not any more."""

    def take(self, event: Scope | Listing) -> None:
        """Go by what a connection brings, or by what the venue lists, from now on."""
        if isinstance(event, Listing):
            self._list(event)
            return
        before = self._scopes.get(event.connection)
        self._scopes[event.connection] = event
        for asset in event.assets or ():
            self._since.setdefault(asset, event.ts)
            dropped = self._dropped.pop(asset, None)
            if dropped is not None and event.ts - dropped > AT_ONCE:
                self._without.setdefault(asset, []).append((dropped, event.ts))
        for asset in (before.assets if before is not None else None) or ():
            if not any(scope.brings(asset) for scope in self._scopes.values()):
                self._dropped.setdefault(asset, event.ts)

    def begin_again(self, moment: int) -> None:
        """Nobody listened until `moment`: what is brought from then on is for new connections to say."""
        for asset in {asset for scope in self._scopes.values() for asset in scope.assets or ()}:
            self._dropped.setdefault(asset, moment)
        self._scopes = {name: scope for name, scope in self._scopes.items() if scope.assets is None}

    def _list(self, listing: Listing) -> None:
        # Of what stands on the first list nobody knows since when it does.
        absent_until = 0 if self._listing is None else self._listing.ts
        for asset in listing.assets:
            held = self._listed.setdefault(asset, [absent_until, _FOREVER])
            held[1] = _FOREVER
        for asset in set(() if self._listing is None else self._listing.assets).difference(listing.assets):
            self._listed[asset][1] = listing.ts
        self._listing = listing

    def scope(self, connection: str) -> Scope | None:
        """What `connection` was last said to bring."""
        return self._scopes.get(connection)

    def listed(self, asset: str) -> Span | None:
        """From when to when the venue had contracts of `asset`, as far as is known; `None` where it never had."""
        if self._listing is None:
            return 0, _FOREVER
        held = self._listed.get(asset)
        return None if held is None else (held[0], held[1])

    def since(self, asset: str) -> int | None:
        """When `asset` was first brought; `None` where some connection brings whatever there is."""
        if not self._scopes or any(scope.assets is None for scope in self._scopes.values()):
            return None
        return self._since.get(asset, _FOREVER)

    def lacks(self, asset: str | None) -> bool:
        """Whether some of its contracts have been refused; any contract where `None`."""
        return any(scope.refused != () if asset is None else scope.lacks(asset) for scope in self._scopes.values())

    def brought(self, asset: str | None) -> bool:
        """Whether anything of it comes at present."""
        return not self._scopes or any(concerns(scope, asset) for scope in self._scopes.values())

    def alike(self, asset: str) -> object:
        """Equal for assets of which everything else here says the same."""
        bringing = tuple(name for name, scope in self._scopes.items() if scope.brings(asset))
        gone = self._dropped.get(asset), tuple(self._without.get(asset, ()))
        return bringing, self.since(asset), gone, self.listed(asset), self.lacks(asset)

    def without(self, asset: str, now: int) -> Iterator[Span]:
        """The times in which it was brought no more."""
        yield from self._without.get(asset, ())
        if (dropped := self._dropped.get(asset)) is not None:
            yield dropped, now


def concerns(scope: Scope | None, asset: str | None) -> bool:
    """Whether an outage of a connection of `scope` costs liquidations of `asset`, of any where `None`."""
    if scope is None:
        return True
    return scope.assets is None or (bool(scope.assets) if asset is None else asset in scope.assets)
