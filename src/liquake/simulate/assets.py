"""The coins of the simulated market: where they start, how large their market is, how they move together."""

from __future__ import annotations

import msgspec


class Asset(msgspec.Struct, frozen=True):
    """One coin."""

    name: str
    price: float
    """Dollars per coin at the start."""
    scale: float
    """Size of its market against BTC's: its positions, its depth and its small orders are this many times BTC's."""
    beta: float
    """Its return per return of the common factor, and its own volatility against BTC's."""
    correlation: float
    """Share of its ordinary returns, as a correlation, that is the common factor's."""


ASSETS = (
    Asset("BTC", 84_000.0, 1.0, 1.0, 0.9),
    Asset("ETH", 2_900.0, 0.65, 1.25, 0.85),
    Asset("SOL", 140.0, 0.3, 1.45, 0.8),
    Asset("XRP", 2.1, 0.16, 1.3, 0.7),
    Asset("DOGE", 0.15, 0.14, 1.5, 0.75),
    Asset("BNB", 850.0, 0.08, 1.0, 0.7),
    Asset("ADA", 0.45, 0.06, 1.4, 0.7),
    Asset("LINK", 13.5, 0.06, 1.4, 0.7),
    Asset("AVAX", 14.0, 0.05, 1.45, 0.7),
    Asset("PEPE", 0.0000046, 0.06, 1.7, 0.65),
)
ASSET_NAMES = tuple(asset.name for asset in ASSETS)
