"""What one event and one reading cost in each estimator: medians of seven runs, pure Python.

A clock reading around each event is in the figures, about 0.1 us.

python bench/measures.py [--events 20000]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from random import Random
from statistics import median
from time import perf_counter_ns

from liquake.analytics.dependence import Dependence
from liquake.analytics.episode import EpisodeTracker
from liquake.analytics.histogram import DecayedHistogram
from liquake.analytics.regime import RegimeTracker
from liquake.analytics.scan import BurstScan
from liquake.analytics.signals import Signal
from liquake.analytics.significance import significance
from liquake.analytics.throttle import ThrottledSymbol
from liquake.model import Side, Throttle

SECOND = 1_000_000_000
Tape = list[tuple[int, float]]
RUNS = 7
READINGS = 2000


def tape_of(events: int, rate: float = 3.0) -> Tape:
    random, ts, tape = Random(1), 0, []
    for _ in range(events):
        ts += round(random.expovariate(rate) * SECOND)
        tape.append((ts, random.lognormvariate(8.0, 1.5)))
    return tape


Event = Callable[[int, int, float], object]
"""Takes an event: its number, its time, its dollars."""


def on_event() -> dict[str, Event]:
    """What each estimator does with an event, all of them fresh."""
    sizes, bursts, tracker, venues = DecayedHistogram(), BurstScan(), RegimeTracker(), Dependence("abcd")
    episodes, symbol = EpisodeTracker("BTCUSDT", Side.LONG, 1e7), ThrottledSymbol(Throttle.LARGEST)
    return {
        "histogram": lambda _, ts, usd: sizes.update(usd, ts),
        "scan": lambda _, ts, __: bursts.update(ts),
        "episode": lambda _, ts, usd: episodes.update(ts, "okx", usd),
        "throttle": lambda _, ts, usd: symbol.update(ts, usd),
        "regime": lambda _, ts, usd: tracker.liquidation(usd, ts),
        "dependence, 4 venues": lambda index, ts, _: venues.update("abcd"[index % 4], ts),
    }


def on_reading(tape: Tape) -> dict[str, Callable[[int], object]]:
    """What is done with estimators that have seen the tape; the argument counts the readings."""
    now = tape[-1][0]
    sizes, bursts, tracker, signal = DecayedHistogram(), BurstScan(), RegimeTracker(), Signal("BTCUSDT", Side.LONG)
    venues = Dependence("abcd")
    for index, (ts, usd) in enumerate(tape):
        sizes.update(usd, ts)
        bursts.update(ts)
        tracker.liquidation(usd, ts)
        tracker.price(50_000.0 + index % 17, ts)
        venues.update("abcd"[index % 4], ts)
    return {
        "histogram, one rank": lambda _: sizes.rank(5000.0),
        "scan": lambda _: bursts.value(now),
        "significance, one window": lambda _: significance((9, 4, 2), 3.0),
        "regime, once a second": lambda reading: tracker.advance(now + reading * SECOND),
        "signal, ten times a second": lambda reading: signal.update(now + reading * SECOND // 10, 0.03),
        "dependence, 4 venues": lambda _: venues.value(),
    }


def event_microseconds(name: str, tape: Tape) -> tuple[float, float]:
    """Mean and median over the events of what one costs: the first holds the work done once a second."""
    means, medians = [], []
    for _ in range(RUNS):
        work, costs = on_event()[name], []
        for index, (ts, usd) in enumerate(tape):
            start = perf_counter_ns()
            work(index, ts, usd)
            costs.append(perf_counter_ns() - start)
        means.append(sum(costs) / len(costs) / 1e3)
        medians.append(median(costs) / 1e3)
    return median(means), median(medians)


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of the estimators.")
    parser.add_argument("--events", type=int, default=20_000)
    tape = tape_of(parser.parse_args().events)
    print(f"{'per event, us':<28} {'mean':>8} {'median':>8}")
    for name in on_event():
        mean, middle = event_microseconds(name, tape)
        print(f"{name:<28} {mean:>8.2f} {middle:>8.2f}")
    print(f"{'per reading, us':<28} {'median':>8}")
    for name, read in on_reading(tape).items():
        costs = []
        for reading in range(READINGS):
            start = perf_counter_ns()
            read(reading)
            costs.append(perf_counter_ns() - start)
        print(f"{name:<28} {median(costs) / 1e3:>8.2f}")


if __name__ == "__main__":
    main()
