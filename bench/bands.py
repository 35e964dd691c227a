"""How often the truth lies between what a throttled venue is said to have had at least and at most, hour by hour.

The simulated market's orders reach every venue's own simulated server, which holds back what its throttle does; what is
left goes to the engine's shortfalls, and the truth is what came to the server. Dollars are at the price that the venue
publishes, and half a per cent is left to the rounding of sizes.

python -m bench.bands [--hours 24] [--seeds 1 2 3] [--presets calm busy oct10] [--venues NAMES]
"""

from __future__ import annotations

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import median
from typing import NamedTuple

from bench.simulated_feeds import SECOND, START

from liquake.clock import ManualClock
from liquake.engine.shortfall import Crowds, Shortfall
from liquake.engine.snapshot import ALL, Understatement
from liquake.model import CoverageKind, Liquidation, PriceBasis, Throttle
from liquake.simulate.contracts import Published
from liquake.simulate.order import Order
from liquake.simulate.server import TICKS_PER_SECOND, VenueServer
from liquake.simulate.simulation import Simulation
from liquake.venues import VENUES

HOUR = 3600 * SECOND
_TICK = SECOND // TICKS_PER_SECOND
_AT_BANKRUPTCY = ("okx", "gate", "bitget")
_ROUNDING = 1.005


class Hour(NamedTuple):
    """One venue's hour: how many orders and dollars there were, and what was said of it."""

    events: int
    usd: float
    said: Understatement

    @property
    def events_within(self) -> bool:
        """Whether the truth is in the band."""
        said = self.said
        return said.events_at_least - 0.5 <= self.events <= (said.events_at_most or float("inf")) + 0.5

    @property
    def usd_within(self) -> bool:
        """The same of dollars."""
        said = self.said
        highest = (said.usd_at_most or float("inf")) * _ROUNDING
        return said.usd_at_least / _ROUNDING <= self.usd <= highest

    @property
    def width(self) -> tuple[float, float] | None:
        """The upper end over the lower, of orders and of dollars; `None` without an upper end."""
        said = self.said
        if said.events_at_most is None or said.usd_at_most is None:
            return None
        return said.events_at_most / said.events_at_least, said.usd_at_most / said.usd_at_least


class _Market(Simulation):
    """A simulation that keeps what comes to each venue, and wakes only the venues that have something to tell."""

    def __init__(self, preset: str, seed: int, venues: Collection[str], clock: ManualClock) -> None:
        super().__init__(preset, seed, venues, clock)
        self.orders: list[Order] = []
        self._awake: dict[str, int] = {}

    async def publish(self, order: Order) -> None:
        if order.venue in self.servers:
            self.orders.append(order)
            self._awake[order.venue] = 2 * TICKS_PER_SECOND
        await super().publish(order)

    async def wake(self, server: VenueServer, now: int, count: int) -> None:
        if self._awake.get(server.name):
            self._awake[server.name] -= 1
            await server.tick(now, count)


async def hours_of(preset: str, seed: int, hours: int, venues: Collection[str]) -> dict[str, list[Hour]]:
    """What became of each throttled venue's hours."""
    clock, found = ManualClock(START), defaultdict[str, list[Hour]](list)
    market, crowds = _Market(preset, seed, venues, clock), Crowds()
    coverages = {name: VENUES[name].coverage for name in venues}
    shortfalls = {
        name: Shortfall(name, held, (ALL,), crowds)
        for name, held in coverages.items()
        if held.throttle is not Throttle.NONE
    }
    complete = {name for name, held in coverages.items() if held.kind is CoverageKind.COMPLETE}
    for number in range(1, hours + 1):
        end = START + number * HOUR
        while clock.now() < end:
            clock.advance(0.1)
            await market.advance(clock.now())
        for event in _shown(market):
            if event.venue in shortfalls:
                shortfalls[event.venue].update(event, "", event.ts_event)
            elif event.venue in complete:
                crowds.update(event, event.ts_event)
        for name, shortfall in shortfalls.items():
            shortfall.advance(end)
            own = [order for order in market.orders if order.venue == name]
            found[name] += [Hour(len(own), sum(map(_usd, own)), said) for said in shortfall.value()]
        market.orders.clear()
    return found


def _shown(market: Simulation) -> list[Liquidation]:
    events = [_event(event, market) for server in market.servers.values() for event in server.missed]
    for server in market.servers.values():
        server.missed.clear()
    return sorted(events, key=lambda event: event.ts_event)


def _event(event: Published, market: Simulation) -> Liquidation:
    # Lighter tells what its markets are called, and lists them by number.
    contracts = market.servers[event.venue].listing.by_symbol
    contract = contracts.get(event.instrument)
    asset = event.instrument.removeprefix("1000") if contract is None else contract.asset
    return Liquidation(
        venue=event.venue,
        instrument=event.instrument,
        asset=asset,
        side=event.side,
        price=event.price,
        price_basis=PriceBasis.FILL,
        amount=event.amount,
        usd=event.usd,
        ts_event=event.ts,
        ts_recv=event.sent,
    )


def _usd(order: Order) -> float:
    return order.amount * order.bankruptcy_price if order.venue in _AT_BANKRUPTCY else order.usd


def report(preset: str, found: dict[str, list[Hour]]) -> None:
    """A line per venue."""
    for venue, hours in found.items():
        widths = [hour.width for hour in hours if hour.width is not None]
        hidden = median(hour.events / max(hour.said.events, 1) for hour in hours)
        events, usd = (median(width[place] for width in widths) if widths else float("inf") for place in (0, 1))
        print(
            f"{preset:<8} {venue:<8} {len(hours):>5} {sum(hour.events_within for hour in hours) / len(hours):>8.1%} "
            f"{sum(hour.usd_within for hour in hours) / len(hours):>8.1%} {events:>8.2f} {usd:>8.2f} "
            f"{len(hours) - len(widths):>9} {hidden:>10.2f}"
        )


def score(presets: Sequence[str], seeds: Sequence[int], hours: int, venues: Collection[str]) -> None:
    """Print how the bands fare."""
    print("preset   venue    hours   orders  dollars    width  dollars  no upper  had/shown")
    for preset in presets:
        together = defaultdict[str, list[Hour]](list)
        for seed in seeds:
            for venue, found in asyncio.run(hours_of(preset, seed, hours, venues)).items():
                together[venue] += found
        report(preset, together)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seeds", nargs="+", type=int, default=(1, 2, 3))
    parser.add_argument("--presets", nargs="+", default=("calm", "busy", "oct10"))
    parser.add_argument("--venues", nargs="+", default=tuple(VENUES))
    settings = parser.parse_args()
    score(settings.presets, settings.seeds, settings.hours, settings.venues)


if __name__ == "__main__":
    main()
