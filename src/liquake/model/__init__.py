"""The words every part of liquake speaks. Imports nothing of ours.

Every time is an `int` of UTC nanoseconds: `ts_event` is the venue's, `ts_recv` is ours.
"""

from liquake.model.coverage import Coverage, CoverageKind, Throttle
from liquake.model.feed import DecodeError, FeedEvent, FeedState, FeedStatus, Gap, Listing, Scope
from liquake.model.instrument import ContractKind, Instrument, Instruments
from liquake.model.liquidation import Liquidation, PriceBasis, Side
from liquake.model.market import Price, PriceKind, Quote, TakerSide, Trade, asset_of, market_of
from liquake.model.normalisation import FUTURE_TOLERANCE, NANOSECONDS_PER_MILLISECOND, normalised

Event = Liquidation | Price | Quote | Trade | FeedEvent

__all__ = [
    "FUTURE_TOLERANCE",
    "NANOSECONDS_PER_MILLISECOND",
    "ContractKind",
    "Coverage",
    "CoverageKind",
    "DecodeError",
    "Event",
    "FeedEvent",
    "FeedState",
    "FeedStatus",
    "Gap",
    "Instrument",
    "Instruments",
    "Liquidation",
    "Listing",
    "Price",
    "PriceBasis",
    "PriceKind",
    "Quote",
    "Scope",
    "Side",
    "TakerSide",
    "Throttle",
    "Trade",
    "asset_of",
    "market_of",
    "normalised",
]
