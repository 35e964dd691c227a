"""What of a connection's subscriptions the venue has taken: which markets it brings."""

from __future__ import annotations

from collections.abc import Iterable

from liquake.model import Instruments, Scope
from liquake.venues import Connection, Subscription, Venue

Symbols = frozenset[str] | None
"""The venue's names of contracts; `None` for all that it lists."""


class Subscribed:
    """The contracts whose liquidations one socket of `connection` was promised, and those that it was refused."""

    def __init__(self, venue: Venue, connection: Connection, instruments: Instruments) -> None:
        self._venue, self._connection, self._instruments = venue, connection.name, instruments
        self._asked = {ack: each for each in connection.subscriptions for ack in each.acks}
        # What is subscribed by its address alone has nothing to be refused.
        self._taken: set[str] | None = set() if connection.subscriptions else None
        self._refused: set[str] | None = set()
        self._told: Scope | None = None

    def taken(self, ack: str) -> None:
        """The venue acknowledged `ack`."""
        subscription = self._asked.get(ack)
        if subscription is not None:
            symbols = subscription.brings(ack)
            self._taken = _with(self._taken, symbols)
            self._refused = None if self._refused is None else self._refused - (symbols or set())

    def refused(self, ack: str, instead: Iterable[Subscription]) -> None:
        """It refused `ack`, and is asked for `instead`."""
        subscription = self._asked.get(ack)
        if subscription is None:
            return
        symbols, parts = subscription.brings(ack), tuple(instead)
        self._asked.update((part_ack, part) for part in parts for part_ack in part.acks)
        again = [part.brings(part_ack) for part in parts for part_ack in part.acks]
        if None not in again:
            lost = None if symbols is None else symbols.difference(*(part for part in again if part is not None))
            self._refused = _with(self._refused, lost)

    def news(self, now: int) -> Scope | None:
        """What the connection brings at `now`, where that is not what was said last."""
        taken, refused = self._assets(self._taken), self._assets(self._refused)
        told = self._told
        if told is not None and (told.assets, told.refused) == (taken, refused):
            return None
        self._told = Scope(self._venue.name, self._connection, now, taken, refused)
        return self._told

    def _assets(self, symbols: set[str] | None) -> tuple[str, ...] | None:
        if symbols is None:
            return None
        known = self._instruments.by_symbol
        return tuple(
            sorted(
                {known[symbol].asset if symbol in known else self._venue.coin(symbol) or symbol for symbol in symbols}
            )
        )


def _with(held: set[str] | None, more: Symbols) -> set[str] | None:
    return None if held is None or more is None else held | more
