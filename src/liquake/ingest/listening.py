"""What the sockets of one venue should have brought, by what they have told of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from liquake.clock import SECOND
from liquake.model import FeedState, FeedStatus, Gap, Liquidation, Scope

MARGIN = 5 * SECOND
"""Nanoseconds: a venue's clock is not ours, and of one second a throttle shows one order of many."""

_ENDS = (FeedState.CONNECTING, FeedState.DISCONNECTED, FeedState.STALE)


class Listening:
    """Takes what sessions tell, in their order. Times are UTC nanoseconds.

    Liquidations in a gap, or while a connection is away, are missing for a reason that is known; those of a coin of which
    a contract was refused may be. Of all others it can be said whether a socket should have brought them.
    """

    def __init__(self, assets: Collection[str] | None = None) -> None:
        self._assets = assets
        self.brought: int | None = None
        """When the newest liquidation happened that a socket brought, or listening began; `None` before."""
        self.liquidated: Counter[str] = Counter()
        """How many have come, by contract."""
        self._scopes: dict[str, Scope] = {}
        self._away: set[str] = set()
        self._gaps: list[Gap] = []

    def liquidation(self, event: Liquidation) -> None:
        """A socket brought it."""
        self.liquidated[event.instrument] += 1
        if self.brought is None or event.ts_event > self.brought:
            # Never in our future, or a venue whose clock runs ahead would hide what comes after.
            self.brought = max(min(event.ts_event, event.ts_recv), self.brought or 0)

    def state(self, event: FeedStatus | Scope | Gap) -> None:
        """A connection told of itself."""
        if isinstance(event, Gap):
            self._gaps = [gap for gap in self._gaps if gap.end > (self.brought or 0) - MARGIN]
            self._gaps.append(event)
        elif isinstance(event, Scope):
            self._scope(event)
        elif event.state in _ENDS:
            self._away.add(event.connection)
        elif event.state is FeedState.RESUMED:
            # Told behind the gap. Where there was none, the scope tells that a connection is up.
            self._away.discard(event.connection)

    def _scope(self, scope: Scope) -> None:
        held = self._scopes.get(scope.connection)
        if held is None:
            self._away.discard(scope.connection)
        self._scopes[scope.connection] = scope
        if scope.assets != () and (held is None or (held.assets, held.refused) != (scope.assets, scope.refused)):
            # What it brings from now on it did not bring before.
            self.brought = max(self.brought or 0, scope.ts)

    @property
    def whole(self) -> bool:
        """Whether every connection that should bring liquidations is up."""
        bringing = {name for name, scope in self._scopes.items() if scope.assets != ()}
        return bool(bringing) and not any(name in bringing or name not in self._scopes for name in self._away)

    def owes(self, event: Liquidation, since: int) -> bool:
        """Whether some socket should have brought `event`, if it has brought nothing that happened after `since`."""
        wanted = self._assets is None or event.asset in self._assets
        return wanted and event.ts_event > since + MARGIN and self._brings(event.asset) and not self._lost(event)

    def _brings(self, asset: str) -> bool:
        scopes = self._scopes.values()
        return any(scope.brings(asset) for scope in scopes) and not any(scope.lacks(asset) for scope in scopes)

    def _lost(self, event: Liquidation) -> bool:
        return any(gap.start - MARGIN <= event.ts_event <= gap.end + MARGIN for gap in self._gaps)
