"""Whether the prices of a connection move on."""

from __future__ import annotations

from collections.abc import Iterable

from liquake.model import Event, Price, PriceKind


class MovingPrices:
    """Watches one connection: the first price of an instrument may be what stood when it was asked for, and shows that the
    venue answers; the next one shows that it tells.
    """

    def __init__(self) -> None:
        self._seen = set[tuple[str, PriceKind]]()
        self.found = False

    def take(self, events: Iterable[Event]) -> None:
        """The events of one frame."""
        if not self.found:
            prices = {(event.instrument, event.kind) for event in events if isinstance(event, Price)}
            self.found = not prices.isdisjoint(self._seen)
            self._seen |= prices
