"""What one event, and one snapshot, cost the engine, every estimator included.

Three of the markets and all together carry the cascade: both sides, a minute and five, on a Hawkes state of 8 sources by
3 decays. What goes by whole seconds is done by the event that ends one: it is in the mean and in the p99.

Each figure is the median of single timed calls, and the mean beside it, since some work is put off and done in lumps.
The claims are that neither the number of markets, nor how many events are held, nor the length of what a window looks
back on changes the cost of an event: the first column is the event, the ratios are against the first row.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from statistics import median
from time import perf_counter_ns

from liquake.analytics.cascade import Model
from liquake.analytics.training import train
from liquake.engine.engine import Engine
from liquake.engine.outlook import HORIZONS
from liquake.model import Coverage, CoverageKind, Liquidation, PriceBasis, Side
from liquake.model.tape import Tape

SECOND = 1_000_000_000
TURN = 500
"""Events timed in a row before another engine has its turn."""
START = 1_780_000_000 * SECOND
VENUES = ("binance", "bybit", "okx", "hyperliquid")
COVERAGES = {venue: Coverage(CoverageKind.COMPLETE, "") for venue in VENUES}
WATCHED = ("COIN0USDT", "COIN1USDT", "COIN2USDT")
ONE = WATCHED[:1]
BUSY = "BUSY"


@cache
def models() -> tuple[Model, ...]:
    """Fitted on a day of such a stream, to have something to compute."""
    events = list(liquidations(20_000, 10, 0.25, seed=2))
    tape = Tape.of(events, "bench")
    process, fitted = None, []
    for horizon in HORIZONS:
        for side in Side:
            trained = train(tape, horizon, 1.0, side, process=process)
            process = trained.process
            fitted.append(trained.model)
    return tuple(fitted)


def liquidations(
    count: int, markets: int, per_second: float, *, seed: int = 1, busy: float = 0.0
) -> Iterator[Liquidation]:
    """A Poisson stream over four venues; each arrives up to half a second after it happened.

    The share `busy` of the events is of the busy market, the others are of any.
    """
    rng = random.Random(seed)
    assets = [f"COIN{number}" for number in range(markets)]
    time = START
    for number in range(count):
        time += round(rng.expovariate(per_second) * SECOND)
        asset = BUSY if busy and rng.random() < busy else rng.choice(assets)
        price = rng.uniform(0.1, 100_000.0)
        usd = rng.lognormvariate(8.0, 1.5)
        happened = time - rng.randrange(SECOND // 2)
        yield Liquidation(
            venue=rng.choice(VENUES),
            instrument=f"{asset}USDT",
            asset=asset,
            side=rng.choice((Side.LONG, Side.SHORT)),
            price=price,
            price_basis=PriceBasis.FILL,
            amount=usd / price,
            usd=usd,
            ts_event=happened,
            ts_recv=time,
            size=usd / price,
            id=str(number),
        )


def engine_after(events: list[Liquidation]) -> Engine:
    """An engine that holds `events`."""
    engine = Engine(COVERAGES, watched=WATCHED, models=models())
    for event in events:
        engine.apply(event)
    return engine


def timed(call: Callable[[], object]) -> int:
    """Nanoseconds of one call."""
    begun = perf_counter_ns()
    call()
    return perf_counter_ns() - begun


class Row:
    """One line of a table: an engine that has seen `warm` events, and what is still to come.

    With a share of `busy` events those alone are timed.
    """

    def __init__(self, label: str, warm: int, markets: int, per_second: float, measured: int, busy: float) -> None:
        self.label, self.busy = label, bool(busy)
        events = list(liquidations(warm + measured, markets, per_second, busy=busy))
        self.engine = engine_after(events[:warm])
        self.coming = iter(events[warm:])
        self.costs: list[float] = []

    def measure(self, count: int) -> None:
        """Time the next `count` events one by one, in microseconds."""
        apply = self.engine.apply
        for event in islice(self.coming, count):
            begun = perf_counter_ns()
            apply(event)
            cost = (perf_counter_ns() - begun) / 1_000
            if not self.busy or event.asset == BUSY:
                self.costs.append(cost)

    def line(self, first: float) -> str:
        """The row as text, its median also as a multiple of `first`."""
        middle, mean = median(self.costs), sum(self.costs) / len(self.costs)
        tail = sorted(self.costs)[int(len(self.costs) * 0.99)]
        return f"{self.label:>22}  {middle:8.2f}  {mean:8.2f}  {tail:8.2f}  {middle / first:6.2f}"


def events_table(title: str, rows: list[tuple[str, int, int, float]], measured: int, busy: float = 0.0) -> None:
    """Print the cost of an event for each (label, events before, markets, events per second).

    The rows take turns, so that whatever else the machine does falls on all of them.
    """
    print(f"\n{title:<22}  {'median':>8}  {'mean':>8}  {'p99':>8}  {'ratio':>6}   us per event")
    table = [Row(*row, measured, busy) for row in rows]
    for _ in range(0, measured, TURN):
        for row in table:
            row.measure(TURN)
    first = median(table[0].costs)
    for row in table:
        print(row.line(first))


def snapshots_table(measured: int) -> None:
    """Print the cost of a snapshot by number of markets, for every market and for one."""
    print(f"\n{'snapshot, ms':<22}  {'all':>8}  {'one':>8}")
    for markets in (1, 10, 100, 500):
        engine = engine_after(list(liquidations(measured, markets, 20.0)))
        now = START + round(measured / 20.0 * SECOND) + 10 * SECOND
        every = median(timed(lambda: engine.snapshot(now)) for _ in range(15)) / 1e6  # noqa: B023
        one = median(timed(lambda: engine.snapshot(now, ONE, activity=ONE)) for _ in range(15)) / 1e6  # noqa: B023
        print(f"{f'{markets} markets':>22}  {every:8.2f}  {one:8.2f}")


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="timed events per row (default %(default)s)")
    measured = parser.parse_args().events
    events_table(
        "markets (20 events/s)", [(f"{markets}", 20_000, markets, 20.0) for markets in (1, 10, 100, 500)], measured
    )
    # A market that is hit once in 25 seconds finds its state out of the processor's caches and more than one window to
    # close: that is how often it is hit, not how many there are. Here it is hit as often, and the others grow in number.
    events_table(
        "others beside one",
        [(f"{markets}", 20_000, markets, 40.0) for markets in (1, 10, 100, 500)],
        measured,
        busy=0.5,
    )
    events_table(
        "held (100 markets)", [(f"after {warm:,}", warm, 100, 20.0) for warm in (1_000, 10_000, 100_000)], measured
    )
    events_table(
        "rate (held per window)",
        [(f"{rate:,.0f} events/s", 20_000, 100, rate) for rate in (1.0, 10.0, 100.0, 1_000.0)],
        measured,
    )
    snapshots_table(measured)


if __name__ == "__main__":
    main()
