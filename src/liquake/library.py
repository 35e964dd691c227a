"""liquake as a library: `liquake.stream`, `liquake.history`, `liquake.history_table` and `liquake.Engine`.

Part of the composition root, like `app`: it wires the same parts without a screen and without a journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liquake.clock import WallClock
from liquake.engine.engine import Engine
from liquake.errors import TooSlow
from liquake.ingest.supervisor import feeds_of, supervise
from liquake.markets import asset_named
from liquake.model import Event, Liquidation, Price, Quote, Side, Trade
from liquake.storage.arrow import Table
from liquake.storage.journal import default_path
from liquake.storage.kept import Kept
from liquake.storage.schema import read_events
from liquake.storage.selection import Selection
from liquake.storage.sink import ended
from liquake.venues.registry import ALL, find_venues

__all__ = ["Engine", "history", "history_table", "stream"]


async def stream(
    venues: Sequence[str] = (),
    markets: Sequence[str] = (),
    *,
    prices: bool = False,
    addresses: Mapping[str, str] | None = None,
    capacity: int = 100_000,
) -> AsyncGenerator[Event]:
    """Liquidations as the venues publish them, and what happens to the feeds, until the loop over it is left.

    Beside `Liquidation` it gives `FeedStatus`, `Gap` and `DecodeError`: a silence means nothing without them. With
    `prices` also `Price`, `Quote` and `Trade`. `venues` by name (all of them by default), `markets` as BTC or BTCUSDT
    (all by default), `addresses` to reach a venue at instead of its own.

        async for event in liquake.stream(venues=["okx"], markets=["BTCUSDT"]):
            if isinstance(event, Liquidation):
                print(event.venue, event.side, event.usd)

    Raises `UnknownVenue`, `UnknownMarket`; `TooSlow` once `capacity` events are waiting to be taken.
    """
    chosen = find_venues(venues or (ALL,))
    assets = {asset_named(name) for name in markets} or None
    waiting = asyncio.Queue[Event](capacity)
    overrun = asyncio.Event()

    def receive(events: Sequence[Event], *_: object) -> None:
        for event in events:
            if isinstance(event, Price | Quote | Trade) and not prices:
                continue
            if assets and isinstance(event, Liquidation | Price | Quote | Trade) and event.asset not in assets:
                continue
            if waiting.full():
                overrun.set()
            else:
                waiting.put_nowait(event)

    feeds = feeds_of(chosen, WallClock(), receive, assets=assets, addresses=addresses or {})
    working = asyncio.create_task(supervise(feeds))
    try:
        while (event := await _next(waiting, working)) is not None:
            if overrun.is_set():
                raise TooSlow(capacity)
            yield event
    finally:
        await ended(working)


async def _next(waiting: asyncio.Queue[Event], working: asyncio.Task[None]) -> Event | None:
    """The next event; `None` once `working` has come to an end. A fault in it is raised."""
    taking = asyncio.ensure_future(waiting.get())
    try:
        await asyncio.wait((taking, working), return_when=asyncio.FIRST_COMPLETED)
        if taking.done():
            return taking.result()
        working.result()
        return None
    finally:
        taking.cancel()


def history(
    journal: str | Path | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    venues: Sequence[str] = (),
    markets: Sequence[str] = (),
    side: Side | None = None,
    usd: float | None = None,
    archive: str | Path | None = None,
) -> Iterator[Liquidation]:
    """Liquidations kept in `journal` (the user's own by default) in the order of receipt, in constant memory.

    Days that have left the journal are read from `archive`, the folder beside it by default. From `start` on and before
    `end` by the venue's clock; a time without a zone is UTC. At least `usd` dollars.

    >>> import tempfile
    >>> from liquake.storage.journal import Journal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Journal(Path(folder) / "journal.db").close()
    ...     list(history(Path(folder) / "journal.db", markets=["BTC"]))
    []

    Raises `JournalError`, `UnknownVenue`, `UnknownMarket`; `ExportError` where archived days cannot be read.
    """
    return _read(_kept(journal, archive), _selection(start, end, venues, markets, side, usd))


def history_table(
    journal: str | Path | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    venues: Sequence[str] = (),
    markets: Sequence[str] = (),
    side: Side | None = None,
    usd: float | None = None,
    archive: str | Path | None = None,
) -> Table:
    """The same as Arrow, the columns as `liquake export` names them: for polars, pandas, pyarrow, DuckDB.

        polars.DataFrame(liquake.history_table(markets=["BTC"]))

    Needs the `duckdb` extra. Raises what `history` does, and `ExportError` where the extra is not installed.
    """
    return Table(_kept(journal, archive), _selection(start, end, venues, markets, side, usd))


def _kept(journal: str | Path | None, archive: str | Path | None) -> Kept:
    return Kept(Path(journal) if journal else default_path(), None if archive is None else Path(archive))


def _selection(
    start: datetime | None,
    end: datetime | None,
    venues: Sequence[str],
    markets: Sequence[str],
    side: Side | None,
    usd: float | None,
) -> Selection:
    return Selection(
        start=_nanoseconds(start),
        end=_nanoseconds(end),
        venues=() if ALL in venues else tuple(venue.name for venue in find_venues(venues)),
        assets=tuple(asset_named(name) for name in markets),
        side=side,
        usd=usd,
    )


def _read(kept: Kept, selection: Selection) -> Iterator[Liquidation]:
    for rows, _ in kept.pages(selection):
        for _, event in read_events((*row, None) for row in rows):
            yield event


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
