"""The scenarios: what differs between a calm day and 10 October 2025."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from liquake.errors import UnknownScenario


class Health(StrEnum):
    """What a simulated venue does to those who connect to it."""

    HEALTHY = "HEALTHY"
    SILENT = "SILENT"
    """Sockets stay open and pings are answered, but no data comes."""
    HALF_OPEN = "HALF_OPEN"
    """Sockets stay open and nothing at all comes, not even answers to pings or to a handshake."""
    REFUSING = "REFUSING"
    """Those connected stay; new connections are cut."""


class Shock(msgspec.Struct, frozen=True):
    """News that everybody trades on: the common factor moves by `move`."""

    at: float
    """Seconds after the start of a cycle."""
    move: float
    """Log return of the common factor."""
    seconds: float
    """Time constant with which the orders arrive."""


class Outage(msgspec.Struct, frozen=True):
    """A venue fails for a while."""

    venue: str
    at: float
    """Seconds after the start."""
    seconds: float
    health: Health


class Preset(msgspec.Struct, frozen=True):
    """The parameters of one scenario. Dollars are BTC's; other coins scale them."""

    name: str
    sentence: str
    volatility: float = 0.022
    """Ordinary daily volatility of BTC, news and forced flow not counted."""
    news_per_day: float = 16.0
    news_scale: float = 0.0036
    """Multiplies a Student t of 3 degrees of freedom."""
    drift_per_hour: float = 0.0
    """Log return of the common factor."""
    inflow_per_hour: float = 60e6
    """Dollars of new leveraged positions."""
    life_hours: float = 10.0
    """Mean time after which a position is closed by its owner."""
    long_share: float = 0.5
    """Of new positions."""
    depth: float = 20e6
    """Dollars of forced orders that move the price by 1 % in ordinary times."""
    thinning: float = 2.5
    """How many times less depth there is while forced orders flow hard."""
    order_mean: float = 9_000.0
    """Dollars of a forced order, on average."""
    background_per_second: float = 0.05
    """Small liquidations that belong to no cascade."""
    steady: float | None = None
    """Events per second over all coins, instead of the whole structure: independent of each other and of the price."""
    even: bool = False
    """With `steady`: evenly spaced instead of Poisson."""
    shocks: tuple[Shock, ...] = ()
    cycle: float | None = None
    """Seconds after which the shocks come again, smaller, and from either side unless `one_sided`."""
    echo: float = 0.6
    """Size of the repeated shocks against the first."""
    one_sided: bool = False
    outages: tuple[Outage, ...] = ()


_CALM = Preset("calm", "an ordinary day")
_FLASH = Preset(
    "flash",
    "quiet, then one sweep within half a minute that takes the price down and gives most of it back",
    inflow_per_hour=240e6,
    life_hours=2.5,
    shocks=(Shock(24.0, -0.022, 5.0), Shock(60.0, 0.014, 25.0)),
    cycle=360.0,
)

PRESETS = {
    preset.name: preset
    for preset in (
        _CALM,
        Preset(
            "busy",
            "a volatile day with much leverage about",
            volatility=0.045,
            news_per_day=60.0,
            inflow_per_hour=180e6,
            life_hours=6.0,
            background_per_second=0.25,
        ),
        _FLASH,
        Preset(
            "grind",
            "hours of slow fall that take out longs one by one, without a sweep",
            volatility=0.02,
            news_per_day=0.0,
            drift_per_hour=-0.012,
            inflow_per_hour=120e6,
            life_hours=8.0,
            long_share=0.75,
            depth=60e6,
        ),
        Preset(
            "oct10",
            "a market crowded with longs slips for a minute, then falls through its own liquidations",
            volatility=0.04,
            news_scale=0.006,
            inflow_per_hour=500e6,
            life_hours=2.5,
            long_share=0.8,
            thinning=5.0,
            background_per_second=0.15,
            order_mean=30_000.0,
            shocks=(Shock(10.0, -0.008, 25.0), Shock(60.0, -0.06, 20.0), Shock(150.0, 0.03, 60.0)),
            cycle=600.0,
            echo=0.35,
            one_sided=True,
        ),
        Preset(
            "outage",
            "a sweep during which one venue goes dark, and later another hangs",
            inflow_per_hour=_FLASH.inflow_per_hour,
            life_hours=_FLASH.life_hours,
            background_per_second=0.25,
            shocks=_FLASH.shocks,
            cycle=120.0,
            outages=(
                Outage("bybit", 30.0, 40.0, Health.SILENT),
                Outage("binance", 148.0, 60.0, Health.HALF_OPEN),
                Outage("okx", 270.0, 40.0, Health.REFUSING),
            ),
        ),
        Preset(
            "saturated",
            "so many liquidations that venues which publish one per second show a fraction of them",
            volatility=0.045,
            inflow_per_hour=180e6,
            life_hours=6.0,
            background_per_second=16.0,
        ),
        Preset("poisson", "independent events at a constant rate: nothing ever forms", volatility=0.01, steady=3.0),
    )
}


def find_preset(name: str) -> Preset:
    """The preset called `name`. Raises `UnknownScenario`."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownScenario(name, PRESETS) from None


def even_load(rate: float) -> Preset:
    """`rate` events per second, evenly spaced: to measure with, not to look at."""
    return Preset("load", "an even load", volatility=0.01, steady=rate, even=True)
