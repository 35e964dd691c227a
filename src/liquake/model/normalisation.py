"""From what a venue wrote to a `Liquidation`: the one step every event of every venue takes."""

from __future__ import annotations

from liquake.model.instrument import Instrument
from liquake.model.liquidation import Liquidation, PriceBasis, Side

FUTURE_TOLERANCE = 600 * 1_000_000_000
"""Nanoseconds a venue's event time may be ahead of ours: clocks differ, but not by more than this."""
NANOSECONDS_PER_MILLISECOND = 1_000_000


def normalised(
    venue: str,
    instrument: Instrument,
    side: Side,
    price: float,
    basis: PriceBasis,
    size: float,
    milliseconds: int,
    ts_recv: int,
    id: str | None = None,  # noqa: A002 - the field's name
    tags: tuple[str, ...] = (),
) -> Liquidation | None:
    """The liquidation of `size`, in the unit of `instrument`; `None` where its time has not come yet.

    `side` is the position that was liquidated, `price` the venue's, above zero. `milliseconds` is the venue's time of
    the event, `ts_recv` our time of its receipt in nanoseconds.
    """
    ts_event = milliseconds * NANOSECONDS_PER_MILLISECOND
    # Two comparisons, since the first is false for nearly every event and the sum would cost more than both.
    if ts_event > ts_recv and ts_event > ts_recv + FUTURE_TOLERANCE:
        return None
    # Nearly every contract is so and so many coins or dollars: that much of its conversion is written here, for a call
    # costs more.
    amount: float | None
    usd: float | None
    if coins := instrument.coins:
        amount = size * coins
        usd = amount * price
    elif dollars := instrument.dollars:
        usd = size * dollars
        amount = usd / price
    else:
        amount, usd = instrument.size(size, price)
    return Liquidation(
        venue,
        instrument.symbol,
        instrument.asset,
        side,
        price,
        basis,
        amount,
        usd,
        ts_event,
        ts_recv,
        size,
        id,
        tags,
    )
