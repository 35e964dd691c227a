"""Situations and episodes of our own making."""

from __future__ import annotations

from liquake.alerts.situation import Feed, RegimeReading, Risk, Situation, Speed
from liquake.engine.snapshot import Episode
from liquake.model import FeedState, Liquidation, PriceBasis, Side
from liquake.model.alert import Level

SECOND = 1_000_000_000
START = 1_760_000_000 * SECOND


def at(seconds: float, **parts: object) -> Situation:
    """The situation so many seconds after the start."""
    return Situation(now=START + round(seconds * SECOND), **parts)  # type: ignore[arg-type]


def risk(level: Level, *, market: str = "BTCUSDT", side: Side = Side.LONG, probability: float | None = 0.3) -> Risk:
    """A signal at `level`."""
    return Risk(market, side, level, probability, 0.005, 60.0, 650_000.0, "two reads")


def speeds(z: float, *, rank: float | None = None, jerk_z: float = 0.0) -> dict[str, tuple[Speed, ...]]:
    """One market, equally significant at both windows."""
    return {"BTCUSDT": tuple(Speed(window, 4.0, z, 0.5, jerk_z, rank) for window in (2.0, 10.0))}


def feed(state: FeedState = FeedState.SUBSCRIBED, *, venue: str = "bybit", since: float = 0.0, gaps: int = 0) -> Feed:
    """A counted feed that shows everything."""
    return Feed(venue, state, START + round(since * SECOND), gaps, 7.0 * gaps, False, True)


def regime(name: str) -> RegimeReading:
    """The regime of that name."""
    return RegimeReading(name, 0.97, "volatility")


def liquidation(usd: float | None, seconds: float, *, venue: str = "bybit", side: Side = Side.LONG) -> Liquidation:
    """One of `usd`, received so many seconds after the start."""
    ts = START + round(seconds * SECOND)
    return Liquidation(venue, "BTCUSDT", "BTC", side, 50.0, PriceBasis.FILL, None, usd, ts, ts, usd)


def episode(start: float, end: float | None, *, market: str = "BTCUSDT", side: Side = Side.LONG) -> Episode:
    """A cascade between two moments."""
    opened = START + round(start * SECOND)
    closed = None if end is None else START + round(end * SECOND)
    return Episode(market, side, opened, 1e6, closed or opened, closed, 9, 2e6, {"bybit": 2e6}, 1.5e6, 0.4)
