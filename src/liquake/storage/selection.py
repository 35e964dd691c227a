"""Which of the kept liquidations are meant."""

from __future__ import annotations

from typing import Any

import msgspec

from liquake.model import Side


class Selection(msgspec.Struct, frozen=True):
    """Which liquidations are meant. What is `None` or empty leaves nothing out."""

    start: int | None = None
    """From this event time on, UTC nanoseconds."""
    end: int | None = None
    """Before this one."""
    venues: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    side: Side | None = None
    usd: float | None = None
    """At least so many dollars; those of unknown size are left out."""
    first: int | None = None
    """From this `seq` of the journal on."""
    last: int | None = None
    """Up to this one."""

    def where(self) -> tuple[str, list[Any]]:
        """As SQL over the journal's `events`, or the files of its archive: a condition and its parameters."""
        parts: list[tuple[str, list[Any]]] = [("true", [])]
        for condition, bound in (
            ("ts_event >= ?", self.start),
            ("ts_event < ?", self.end),
            ("seq >= ?", self.first),
            ("seq <= ?", self.last),
            ("usd >= ?", self.usd),
        ):
            if bound is not None:
                parts.append((condition, [bound]))
        for column, names in (("venue", self.venues), ("asset", self.assets)):
            if names:
                parts.append((f"{column} IN ({','.join('?' * len(names))})", list(names)))
        if self.side is not None:
            parts.append(("side = ?", [str(self.side)]))
        return " AND ".join(condition for condition, _ in parts), [value for _, values in parts for value in values]
