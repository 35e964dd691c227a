"""A recording as columns: what fitting and scoring read."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from operator import attrgetter

import msgspec

from liquake.model.liquidation import Liquidation, Side


class Source(msgspec.Struct, frozen=True, order=True):
    """One stream of liquidations: a venue and the side that was liquidated there."""

    venue: str
    side: Side

    def __str__(self) -> str:
        return f"{self.venue} {self.side}"


class Tape(msgspec.Struct, frozen=True):
    """Liquidations in order of time, as columns of equal length, ready for `numpy.frombuffer`."""

    name: str
    """Of the recording, for provenance."""
    sources: tuple[Source, ...]
    ts: array[int]
    """Event time, UTC nanoseconds, ascending; typecode "q"."""
    source: array[int]
    """Index into `sources`; typecode "B"."""
    usd: array[float]
    """US dollars; typecode "d"."""
    orders: array[int]
    """Liquidation orders in the row, 1 unless the recorder grouped them; typecode "q"."""
    sha256: str = ""
    """Of the recording's bytes; of these columns where it came from a journal."""
    unsized: int = 0
    """Liquidations left out because their dollars are not known."""

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def venues(self) -> tuple[str, ...]:
        """The venues of `sources`, sorted."""
        return tuple(sorted({source.venue for source in self.sources}))

    @classmethod
    def of(cls, liquidations: Iterable[Liquidation], name: str) -> Tape:
        """The tape of `liquidations` in any order. Those without dollars are counted in `unsized` and left out."""
        every = sorted(liquidations, key=attrgetter("ts_event"))
        sized = [(event.ts_event, Source(event.venue, event.side), event.usd, 1) for event in every if event.usd]
        return cls.of_rows(sized, name, unsized=len(every) - len(sized))

    @classmethod
    def of_rows(
        cls, rows: Iterable[tuple[int, Source, float, int]], name: str, *, sha256: str = "", unsized: int = 0
    ) -> Tape:
        """The tape of (`ts`, `source`, `usd`, `orders`) rows, which it sorts by time."""
        ordered = sorted(rows, key=lambda row: row[0])
        venues = sorted({row[1].venue for row in ordered})
        # Both sides of every venue: one that was quiet here may not stay so.
        sources = tuple(Source(venue, side) for venue in venues for side in Side)
        index = {source: place for place, source in enumerate(sources)}
        return cls(
            name=name,
            sources=sources,
            ts=array("q", (row[0] for row in ordered)),
            source=array("B", (index[row[1]] for row in ordered)),
            usd=array("d", (row[2] for row in ordered)),
            orders=array("q", (row[3] for row in ordered)),
            sha256=sha256,
            unsized=unsized,
        )
